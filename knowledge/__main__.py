"""The command line: check the content, build the index, try a search, measure it, show the catalogue.

Exit codes: 0 done, 1 something to put right (said on standard error), 2 the command was not understood,
3 an import was done but for some listings.
Model libraries are imported only by the commands that need them, so that "nothing changed" is said at once.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from knowledge.errors import KnowledgeError
from knowledge.exchange.commands import add_commands
from knowledge.pipes import log_beside_output, speak_while_read
from knowledge.settings import Settings, read_settings

if TYPE_CHECKING:
    from knowledge.search import Found, Match


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    return speak_while_read(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    parsed = _parser().parse_args(arguments)
    command: Callable[[Settings, argparse.Namespace], int] = parsed.command
    if command is not run_editor:
        log_beside_output()
    try:
        return command(read_settings(), parsed)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m knowledge", description="What help exists, and how it is found.")
    commands = parser.add_subparsers(required=True, metavar="command")

    search = commands.add_parser("search", help="what somebody who writes this would be offered, and why")
    search.add_argument("text")
    search.add_argument("--near", metavar="PLACE", help="a postcode, town or neighbourhood")
    search.add_argument("--limit", type=_positive, default=3, metavar="N")
    search.add_argument("--json", action="store_true", help="for programs")
    search.set_defaults(command=run_search)

    index = commands.add_parser("index", help="build the index if the catalogue, the needs or the model changed")
    index.add_argument("--force", action="store_true", help="build it even if nothing changed")
    index.add_argument("--json", action="store_true", help="for programs")
    index.set_defaults(command=run_index)

    check = commands.add_parser("check", help="check the content files")
    check.add_argument("--json", action="store_true", help="for programs")
    check.set_defaults(command=run_check)

    export = commands.add_parser("export-encoder", help="make the query encoder that search and the assistant use")
    export.set_defaults(command=run_export_encoder)

    evaluate = commands.add_parser("evaluate", help="measure search on another catalogue with judgments")
    for name in ("catalogue", "queries", "qrels"):
        evaluate.add_argument(f"--{name}", type=Path, required=True, metavar="FILE.jsonl")
    evaluate.add_argument("--runs", type=Path, metavar="DIR", help="write the ranking of each system here")
    evaluate.add_argument("--airs-terms", action="store_true", help="measure search with the taxonomy terms too, apart")
    evaluate.add_argument("--json", action="store_true", help="for programs")
    evaluate.set_defaults(command=run_evaluate)

    add_commands(commands)

    editor = commands.add_parser("editor", help="serve the catalogue pages")
    editor.add_argument("--port", type=_positive, metavar="N")
    editor.add_argument("--host", metavar="ADDRESS", help="the address to listen on; NWD_HOST when left out")
    editor.set_defaults(command=run_editor)

    account = commands.add_parser("account", help="add somebody who edits, or give them a new password")
    account.add_argument("name", metavar="NAME", help="as colleagues know them")
    account.add_argument("login", metavar="LOGIN")
    account.add_argument("--role", choices=("editor", "publisher"), default="editor")
    account.add_argument("--password", help="asked for when left out")
    account.set_defaults(command=run_account)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number above 0")
    return int(text)


def run_search(settings: Settings, parsed: argparse.Namespace) -> int:
    from knowledge.search import Search

    now = datetime.now(UTC)
    found = Search.open(settings).find(parsed.text, near=parsed.near, now=now, limit=parsed.limit)
    if parsed.json:
        print(json.dumps(_found_to_dict(found), ensure_ascii=False, indent=2))
        return 0
    if found.place:
        print(f"Near {found.place.name}")
    print("Needs: " + (", ".join(f"{need.label} {need.score:.2f}" for need in found.needs[:4]) or "none recognised"))
    print(f"Now: {now.astimezone(ZoneInfo(settings.timezone)):%A %H:%M}")
    for place, match in enumerate(found.matches, start=1):
        phone = match.service.phones[0].number if match.service.phones else ""
        print(f"\n{place} {match.service.name}  {phone}  [{match.strength}, {match.score:.2f}]")
        print(f"  {match.service.summary}")
        print(f"  {match.reason}")
        if match.service.eligibility:
            print(f"  Good to know: {match.service.eligibility}")
    return 0


def _found_to_dict(found: Found) -> dict[str, object]:
    def plain(match: Match) -> dict[str, object]:
        return {
            "id": match.service.id,
            "name": match.service.name,
            "organisation": match.service.organisation.name,
            "phone": match.service.phones[0].number if match.service.phones else "",
            "summary": match.service.summary,
            "good_to_know": match.service.eligibility,
            "hours": match.opening.words,
            "miles": round(match.miles, 1) if match.miles is not None else None,
            "need": match.need,
            "strength": match.strength,
            "score": match.score,
            "reason": match.reason,
        }

    return {
        "place": found.place.name if found.place else None,
        "needs": [{"id": need.id, "label": need.label, "score": need.score} for need in found.needs],
        "matches": [plain(match) for match in found.matches],
    }


def run_index(settings: Settings, parsed: argparse.Namespace) -> int:
    from knowledge.publish import publish

    published = publish(settings, force=parsed.force)
    if parsed.json:
        print(json.dumps(asdict(published), indent=2))
        return 0
    for note in published.notes:
        print(note)
    if published.built:
        print(f"Index {published.version} is serving: {published.services} services.")
    else:
        print(f"Nothing changed: index {published.version} still serves {published.services} services.")
    return 0


def run_check(settings: Settings, parsed: argparse.Namespace) -> int:
    from knowledge.checks import check_content

    findings = check_content(settings, datetime.now(ZoneInfo(settings.timezone)).date())
    errors = sum(finding.error for finding in findings)
    if parsed.json:
        listed = [{"severity": "error" if each.error else "warning", "problem": each.text} for each in findings]
        print(json.dumps({"errors": errors, "warnings": len(findings) - errors, "findings": listed}, indent=2))
        return 1 if errors else 0
    for finding in findings:
        print(finding)
    print(f"Content checked: {errors} errors, {len(findings) - errors} warnings.")
    return 1 if errors else 0


def run_export_encoder(settings: Settings, _parsed: argparse.Namespace) -> int:
    from knowledge.embedding.export import export_encoder
    from knowledge.embedding.strong_export import export_strong_encoder

    made = export_encoder(settings)
    print(f"The query encoder is in {made}." if made else f"Nothing to do: {settings.encoder_dir} is whole.")
    if settings.second_reader:
        second = export_strong_encoder(settings)
        print(f"The second encoder is in {second}." if second else "The second encoder: nothing to do.")
    return 0


def run_evaluate(settings: Settings, parsed: argparse.Namespace) -> int:
    from knowledge.evaluate import Files, evaluate

    files = Files(
        catalogue=parsed.catalogue,
        queries=parsed.queries,
        qrels=parsed.qrels,
        runs=parsed.runs,
        airs_terms=parsed.airs_terms,
    )
    report = evaluate(settings, files)
    print(json.dumps(report.to_dict(), indent=2) if parsed.json else "\n".join(report.lines()))
    return 0


def run_editor(settings: Settings, parsed: argparse.Namespace) -> int:
    import uvicorn

    from knowledge.editor import create_app

    host, port = parsed.host or settings.host, parsed.port or settings.editor_port
    uvicorn.run(create_app(settings), host=host, port=port, log_level="warning")
    return 0


def run_account(settings: Settings, parsed: argparse.Namespace) -> int:
    from getpass import getpass

    from knowledge.editing.accounts import Accounts, Role
    from knowledge.store import Store

    store = Store.open(settings.database_url)
    try:
        password = parsed.password or getpass("Password: ")
        made = Accounts(store.engine).add(
            name=parsed.name, login=parsed.login, password=password, role=Role(parsed.role)
        )
    finally:
        store.close()
    print(f"{made.name} can sign in as {made.login}, {made.role.value}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
