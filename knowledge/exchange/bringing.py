"""The composition of an import: opens the catalogue, the source and the recogniser, and lets them work."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from knowledge.exchange.fetching import Fetcher
from knowledge.exchange.importing import Choices, Importer
from knowledge.exchange.listings import Reader
from knowledge.exchange.outcome import Outcome
from knowledge.exchange.recognising import NeedRecogniser
from knowledge.exchange.register import Register
from knowledge.exchange.sources import Opener
from knowledge.needs import load_needs
from knowledge.publish import open_store
from knowledge.settings import Settings
from knowledge.snapshots import build_lock

READING = ".reading-"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One import, as it was asked for."""

    given: str
    choices: Choices
    form: str | None = None
    mapping: Path | None = None
    sheet: str = ""
    suggest_needs: bool = True


def bring_in(
    settings: Settings, request: Request, tell: Callable[[Outcome], None], note: Callable[[str], None]
) -> Outcome:
    """Import one source. Raises KnowledgeError when it cannot be read at all; then nothing changed."""
    folder = settings.data_dir / "imports"
    needs = load_needs(settings.content_dir / "needs.yml")
    today = datetime.now(ZoneInfo(settings.timezone)).date()
    reader = Reader(needs=[need.id for need in needs], today=today, country=settings.country)
    with build_lock(folder), _scratch(folder) as scratch:
        store, notes = open_store(settings)
        for each in notes:
            note(each)
        fetcher = Fetcher(settings.import_hosts_named())
        with closing(store), closing(fetcher):
            register = Register(store)
            source = request.choices.source
            run = register.next_run(source)
            opener = Opener(
                scratch=scratch,
                mappings=folder / "mappings",
                fetcher=fetcher,
                recall=lambda address: register.page(source, address, run),
                mapping=request.mapping,
                sheet=request.sheet,
            )
            opened = opener.open(request.given, source, request.form)
            for each in opened.notes:
                note(each)
            recogniser = NeedRecogniser(settings, needs) if request.suggest_needs else None
            importer = Importer(store, register, reader, recogniser, request.choices)

            def tell_share(outcome: Outcome) -> None:
                outcome.share = opener.meter.share
                tell(outcome)

            return importer.run(opened.items, opened.complete, tell_share)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for one import. What an import that was killed left there goes first; hold the lock."""
    for leftover in folder.glob(f"{READING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=READING) as made:
        yield Path(made)
