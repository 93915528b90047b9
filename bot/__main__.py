"""`python -m bot`: what can be asked of the assistant's own knowledge from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.concern.command import answer_file
from bot.concern.layers import NoClassifier


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="The assistant's own knowledge, tried by hand.")
    commands = parser.add_subparsers(dest="command", required=True)
    concern = commands.add_parser("concern", help="what both layers find in each line of a file")
    concern.add_argument("--input", type=Path, required=True, help='JSON lines: {"id": ..., "text": ...}')
    concern.add_argument("--json", action="store_true", help="answer each line with a JSON object")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0, 1 when a line was bad, 2 when nothing could be done."""
    chosen = build_parser().parse_args(arguments)
    try:
        return answer_file(chosen.input, NoClassifier(), sys.stdout, as_json=chosen.json)
    except OSError as problem:
        sys.stderr.write(f"{chosen.input}: {problem.strerror}. Give --input a file that can be read.\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
