"""`python -m bot`: what can be asked of the assistant's own knowledge from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.concern.command import answer_file
from bot.concern.evaluating import evaluate
from bot.concern.examples import ExamplesError
from bot.concern.layers import Classifier, NoClassifier
from bot.concern.reading import open_reader
from knowledge.errors import KnowledgeError
from knowledge.settings import read_settings
from knowledge.threads import use_one_thread


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="The assistant's own knowledge, tried by hand.")
    commands = parser.add_subparsers(dest="command", required=True)
    concern = commands.add_parser("concern", help="what both layers find in each line of a file")
    concern.add_argument("--input", type=Path, required=True, help='JSON lines: {"id": ..., "text": ...}')
    concern.add_argument("--json", action="store_true", help="answer each line with a JSON object")
    commands.add_parser("train-concern", help="train the classifier, if its examples have changed")
    figures = commands.add_parser("evaluate-concern", help="what both layers find in labelled messages, as totals")
    figures.add_argument("folder", type=Path, help="positives.jsonl, negatives.jsonl and third_party.jsonl")
    figures.add_argument("--json", action="store_true", help="one JSON object a line: counts, shares, intervals")
    return parser


def open_classifier() -> Classifier:
    """The trained classifier; without one the patterns speak alone, and standard error says so."""
    try:
        use_one_thread()
        return open_reader(read_settings())
    except (ExamplesError, KnowledgeError, OSError, ValueError) as problem:
        sys.stderr.write(f"The classifier is not there, so the patterns answer alone: {problem}\n")
        return NoClassifier()


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0, 1 when a line was bad, 2 when nothing could be done."""
    chosen = build_parser().parse_args(arguments)
    if chosen.command == "evaluate-concern" and not chosen.folder.is_dir():
        sys.stdout.write(f"There is no folder {chosen.folder}: no labelled messages, so nothing to measure.\n")
        return 0
    if chosen.command == "concern" and not chosen.input.is_file():
        sys.stderr.write(f"{chosen.input} is not a file. Give --input a file of JSON lines.\n")
        return 2
    classifier = open_classifier()
    if chosen.command == "train-concern":
        return 2 if isinstance(classifier, NoClassifier) else 0
    try:
        if chosen.command == "evaluate-concern":
            evaluate(chosen.folder, classifier, sys.stdout, as_json=chosen.json)
            return 0
        return answer_file(chosen.input, classifier, sys.stdout, as_json=chosen.json)
    except (OSError, ValueError, KeyError) as problem:
        sys.stderr.write(
            f"{type(problem).__name__}: a file of the input cannot be read as described in bot/README.md.\n"
        )
        return 2


if __name__ == "__main__":
    sys.exit(main())
