"""`python -m bot words`: every text that a person can read, held to the rules."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, TextIO

import yaml

from bot.words.checking import ERROR, Problem, Rules, check_all
from bot.words.signing import SignOffs
from bot.words.texts import Text, WordsError, gather
from channels.gsm7 import plain, segments
from channels.never_no import NeverNo
from knowledge.editing.readability import reading_age

ROOT: Final = Path(__file__).parents[2]
RULES_FILE: Final = Path(__file__).with_name("rules.yml")
SIGN_OFFS_FILE: Final = Path(__file__).with_name("sign_offs.yml")
DEMO, PRODUCTION = "demo", "production"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object: figures, problems and each text")
    parser.add_argument(
        "--profile", choices=(DEMO, PRODUCTION), default=os.environ.get("NWD_PROFILE", DEMO),
        help="production: a text that nobody has signed off is an error (default: NWD_PROFILE, or demo)",
    )  # fmt: skip
    parser.add_argument("--sign", action="append", default=[], metavar="TEXT", help="record a sign-off; * is any")
    parser.add_argument("--who", default="", help="who with lived experience read them, as they want to be named")
    parser.add_argument("--sign-offs", type=Path, default=SIGN_OFFS_FILE, help="where sign-offs are kept")


def check_words(arguments: argparse.Namespace, out: TextIO, root: Path = ROOT) -> int:
    """Returns the exit code: 0 clean, 1 with errors. Raises WordsError."""
    body = yaml.load(RULES_FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    texts = gather(root, body["sources"])
    rules = Rules.build(body, NeverNo.load())
    sign_offs = SignOffs.load(arguments.sign_offs)
    if arguments.sign:
        return sign(texts, sign_offs, arguments, out)
    if arguments.profile not in (DEMO, PRODUCTION):
        raise WordsError(f"NWD_PROFILE: {arguments.profile!r} is neither {DEMO} nor {PRODUCTION}.")
    problems = check_all(texts, rules, sign_offs, must_be_signed=arguments.profile == PRODUCTION)
    if arguments.json:
        out.write(json.dumps(report(texts, problems, rules, sign_offs), ensure_ascii=False) + "\n")
    else:
        print_report(texts, problems, arguments.profile, out)
    return 1 if any(problem.level == ERROR for problem in problems) else 0


def sign(texts: Sequence[Text], sign_offs: SignOffs, arguments: argparse.Namespace, out: TextIO) -> int:
    """Record what somebody has read. Raises WordsError."""
    chosen = [text for text in texts if any(fnmatch(text.id, each) or text.key == each for each in arguments.sign)]
    if not chosen:
        raise WordsError(f"--sign: no text is called {arguments.sign[0]}; --json lists all of them.")
    sign_offs.add(chosen, arguments.who, datetime.now(UTC).date()).save(arguments.sign_offs)
    out.write(f"{len(chosen)} texts are signed off by {arguments.who}.\n")
    return 0


def report(texts: Sequence[Text], problems: Sequence[Problem], rules: Rules, sign_offs: SignOffs) -> dict[str, object]:
    rows = []
    for text in texts:
        signed = sign_offs.of(text)
        filled = rules.fill(text)
        rows.append(
            {
                "key": text.key, "kind": text.kind, "language": text.language, "letters": len(filled),
                "segments": segments(plain(filled)), "reading_age": reading_age(text.text),
                "signed": {"who": signed.who, "when": signed.when.isoformat()} if signed else None,
            }
        )  # fmt: skip
    counts = Counter(f"{problem.level}:{problem.rule}" for problem in problems)
    return {"figures": counts, "problems": [asdict(problem) for problem in problems], "texts": rows}


def print_report(texts: Sequence[Text], problems: Sequence[Problem], profile: str, out: TextIO) -> None:
    """Errors one by one; of warnings only how many."""
    errors = [problem for problem in problems if problem.level == ERROR]
    for problem in errors:
        out.write(f"{problem.text}: {problem.message}\n")
    languages = Counter(text.language for text in texts)
    out.write(f"{len(texts)} texts in {len(languages)} languages, {len(errors)} errors ({profile}).\n")
    warnings = Counter(problem.rule for problem in problems if problem.level != ERROR)
    for rule, count in sorted(warnings.items()):
        out.write(f"{count} {rule}: not an error here; --json lists them.\n")
