"""`python -m knowledge import` and `export`, and the JSON of the commands beside them.

Exit codes: 0 done, 1 nothing done (standard error says why), 2 not understood, 3 done, but for errors in some listings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from knowledge.errors import CatalogueFileError, KnowledgeError
from knowledge.exchange.problems import Problem
from knowledge.settings import Settings

if TYPE_CHECKING:
    from knowledge.exchange.outcome import Outcome
    from knowledge.exchange.writing import Writer
    from knowledge.store import Store

IN_PART = 3
MOST_SHOWN = 40
BAR = 20
"""Letters."""
TELL_EVERY = 1.0
"""Seconds between two lines of progress when nobody watches a terminal, a tenth of it otherwise."""


def add_commands(commands: Any) -> None:
    """Hang `import` and `export` on the command line."""
    bring = commands.add_parser("import", help="take a catalogue in: Open Referral UK / HSDS, CSV, XLSX")
    bring.add_argument("given", nargs="+", metavar="SOURCE", help="a file, a folder, a zip or an https address")
    bring.add_argument(
        "--dry-run", action="store_true", help="say what would be added, changed and gone; change nothing"
    )
    bring.add_argument("--json", action="store_true", help="for programs")
    bring.add_argument("--mapping", type=Path, metavar="FILE", help="which column of a table means what (kept)")
    bring.add_argument("--format", choices=("json", "csv", "package", "feed"), help="when the name does not say")
    bring.add_argument("--sheet", default="", metavar="NAME", help="which sheet of an XLSX workbook")
    bring.add_argument("--source", metavar="NAME", help="what this source is called; else its file name or address")
    bring.add_argument("--publish", action="store_true", help="offer whole new listings at once, without a draft")
    bring.add_argument("--no-needs", action="store_true", help="leave needs to editors: much quicker, all drafts")
    bring.add_argument("--accept-gone", action="store_true", help="mark as gone even more than half of a source")
    bring.set_defaults(command=run_import)

    export = commands.add_parser("export", help="give the published catalogue out")
    export.add_argument("--format", choices=("open-referral-uk", "csv"), default="open-referral-uk")
    export.add_argument("--out", type=Path, metavar="FILE", help="else standard output")
    export.add_argument("--json", action="store_true", help="say what was done as JSON (needs --out)")
    export.set_defaults(command=run_export)


def run_import(settings: Settings, parsed: argparse.Namespace) -> int:
    """A source that cannot be read at all stops none of the others, and takes away nothing of what is said of them."""
    outcomes = [_bring(settings, parsed, given) for given in parsed.given]
    if parsed.json:
        print(json.dumps([each.to_dict() for each in outcomes], ensure_ascii=False, indent=2))
    elif not parsed.dry_run and any(each.added or each.changed or each.gone for each in outcomes):
        print("People are offered what is published after: python -m knowledge index")
    whole = all(each.complete and not each.errors for each in outcomes)
    return 0 if whole else IN_PART if any(each.read for each in outcomes) else 1


def _bring(settings: Settings, parsed: argparse.Namespace, given: str) -> Outcome:
    from knowledge.exchange.bringing import Request, bring_in
    from knowledge.exchange.importing import Choices
    from knowledge.exchange.outcome import Outcome
    from knowledge.exchange.sources import name_source

    choices = Choices(
        source=parsed.source or name_source(given),
        dry_run=parsed.dry_run,
        publish=parsed.publish,
        accept_gone=parsed.accept_gone,
    )
    request = Request(
        given=given,
        choices=choices,
        form=parsed.format,
        mapping=parsed.mapping,
        sheet=parsed.sheet,
        suggest_needs=not parsed.no_needs,
    )
    progress = _Progress()
    try:
        outcome = bring_in(settings, request, progress.tell, lambda text: print(text, file=sys.stderr))
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        refused = Outcome(source=choices.source, dry_run=choices.dry_run)
        refused.add_problems([Problem(where=given, pointer="", text=str(error))])
        return refused
    progress.end(outcome)
    if not parsed.json:
        _print_outcome(outcome)
    return outcome


def _print_outcome(outcome: Outcome) -> None:
    for line in outcome.lines():
        print(line)
    for problem in outcome.problems[:MOST_SHOWN]:
        print(problem, file=sys.stderr)
    left = outcome.errors + outcome.warnings - min(len(outcome.problems), MOST_SHOWN)
    if left > 0:
        print(f"... and {left} more; --json has the first {len(outcome.problems)}.", file=sys.stderr)


class _Progress:
    """A bar with counts on standard error: rewritten on a terminal, now and then otherwise.

    Counts alone where nobody knows how much there is.
    """

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def tell(self, outcome: Outcome) -> None:
        now = time.monotonic()
        if now - self._told < (TELL_EVERY / 10 if self._terminal else TELL_EVERY * 5):
            return
        self._told = now
        self._print(outcome, now)

    def end(self, outcome: Outcome) -> None:
        if self._terminal:
            self._print(outcome, time.monotonic())
            print(file=sys.stderr)

    def _print(self, outcome: Outcome, now: float) -> None:
        rate = outcome.read / max(now - self._began, 0.001)
        line = f"{outcome.read:,} read, {outcome.added:,} added, {outcome.changed:,} changed, {rate:,.0f} a second"
        if outcome.share is not None:
            done = round(BAR * outcome.share)
            line = f"[{'#' * done}{'.' * (BAR - done)}] {outcome.share:.0%}  {line}"
        print(f"\r{line}\x1b[K" if self._terminal else line, end="" if self._terminal else "\n", file=sys.stderr)


def run_export(settings: Settings, parsed: argparse.Namespace) -> int:
    from knowledge.exchange.listings import Reader
    from knowledge.exchange.writing import Writer
    from knowledge.needs import load_needs
    from knowledge.publish import open_store

    store, _notes = open_store(settings)
    with closing(store):
        needs = load_needs(settings.content_dir / "needs.yml")
        today = datetime.now(ZoneInfo(settings.timezone)).date()
        reader = Reader(needs=[need.id for need in needs], today=today, country=settings.country)
        writer = Writer(needs={need.id: need for need in needs}, reader=reader)
        try:
            count = _give_out(parsed, store, writer)
        except BrokenPipeError:
            raise  # whoever read it has what they wanted
        except OSError as error:
            where = parsed.out or "standard output"
            raise CatalogueFileError([f"{where}: cannot be written ({error.strerror}). Give another --out."]) from None
    if parsed.json and parsed.out:
        print(json.dumps({"format": parsed.format, "services": count, "file": str(parsed.out)}))
    elif parsed.out:
        print(f"{count} services are in {parsed.out}.")
    return 0


def _give_out(parsed: argparse.Namespace, store: Store, writer: Writer) -> int:
    """How many services were written. A file is put in place whole, or not at all. Raises OSError."""
    from knowledge.exchange.register import Register
    from knowledge.exchange.sending import write_json, write_table

    table = parsed.format == "csv"
    target = parsed.out.with_name(f".{parsed.out.name}.part") if parsed.out else Path(os.devnull)
    encoding = "utf-8-sig" if table else "utf-8"  # the mark tells spreadsheets that it is UTF-8
    with target.open("w", encoding=encoding, newline="") as file:
        out = file if parsed.out else sys.stdout
        count = write_table(store, out) if table else write_json(store, Register(store), writer, out)
    if parsed.out:
        target.replace(parsed.out)
    return count
