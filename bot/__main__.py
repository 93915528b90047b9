"""`python -m bot`: what can be asked of the assistant's own knowledge from a terminal."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from bot.concern.command import answer_file
from bot.concern.evaluating import evaluate
from bot.concern.examples import ExamplesError
from bot.concern.layers import Classifier, NoClassifier
from bot.concern.reading import open_reader
from bot.nlu_report import draw_confusion, measure, write_report
from bot.pictures import draw_layers
from bot.words.command import add_arguments, check_words
from bot.words.texts import WordsError
from knowledge.errors import KnowledgeError
from knowledge.pipes import log_beside_output, speak_while_read
from knowledge.settings import read_settings
from knowledge.threads import use_one_thread


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="The assistant's own knowledge, tried by hand.")
    commands = parser.add_subparsers(dest="command", required=True)
    concern = commands.add_parser("concern", help="what both layers find in each line of a file")
    concern.add_argument("--input", type=Path, required=True, help='JSON lines: {"id": ..., "text": ...}')
    concern.add_argument("--json", action="store_true", help="answer each line with a JSON object")
    add_arguments(commands.add_parser("words", help="every text that a person can read, held to the rules"))
    commands.add_parser("train-concern", help="train the classifier, if its examples have changed")
    figures = commands.add_parser("evaluate-concern", help="what both layers find in labelled messages, as totals")
    figures.add_argument("folder", type=Path, help="positives.jsonl, negatives.jsonl and third_party.jsonl")
    figures.add_argument("--json", action="store_true", help="one JSON object a line: counts, shares, intervals")
    figures.add_argument("--picture", type=Path, help="where the shares are drawn, as SVG")
    nlu = commands.add_parser(
        "evaluate-nlu", help="how well messages are understood, by cross-validation and held back"
    )
    nlu.add_argument("--json", action="store_true", help="one JSON object")
    nlu.add_argument("--folds", type=int, default=10, help="parts of the cross-validation")
    nlu.add_argument("--picture", type=Path, help="where the confusions are drawn, as SVG")
    return parser


def open_classifier() -> Classifier:
    """The trained classifier; without one the patterns speak alone, and standard error says so."""
    try:
        use_one_thread()
        return open_reader(read_settings())
    except (ExamplesError, KnowledgeError, OSError, ValueError) as problem:
        sys.stderr.write(f"The classifier is not there, so the patterns answer alone: {problem}\n")
        return NoClassifier()


def evaluate_nlu(chosen: argparse.Namespace) -> int:
    """Print the figures, and draw the confusions when asked to."""
    try:
        figures = measure(folds=chosen.folds)
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"{problem}. Rasa's environment comes from `make setup`.\n")
        return 2
    if chosen.picture:
        chosen.picture.write_text(draw_confusion(figures["confusion"], "What was meant, and what it was taken for"))
    if chosen.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        write_report(figures, sys.stdout)
    return 0


def evaluate_concern(chosen: argparse.Namespace, classifier: Classifier) -> int:
    """Print the shares, or draw them from the lines that say them and print those."""
    if not chosen.picture:
        evaluate(chosen.folder, classifier, sys.stdout, as_json=chosen.json)
        return 0
    lines = StringIO()
    evaluate(chosen.folder, classifier, lines, as_json=True)
    chosen.picture.write_text(draw_layers(lines.getvalue().splitlines()), encoding="utf-8")
    sys.stdout.write(lines.getvalue())
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0, 1 when a line was bad, 2 when nothing could be done."""
    return speak_while_read(lambda: run(arguments))


def run(arguments: Sequence[str] | None) -> int:
    """One command."""
    chosen = build_parser().parse_args(arguments)
    log_beside_output()
    if chosen.command == "words":
        return run_words(chosen)
    if chosen.command == "evaluate-nlu":
        return evaluate_nlu(chosen)
    return run_concern(chosen)


def run_words(chosen: argparse.Namespace) -> int:
    """Hold every text to the rules."""
    try:
        return check_words(chosen, sys.stdout)
    except WordsError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2


def run_concern(chosen: argparse.Namespace) -> int:
    """The commands about concern."""
    if chosen.command == "evaluate-concern" and not chosen.folder.is_dir():
        sys.stdout.write(f"There is no folder {chosen.folder}: no labelled messages, so nothing to measure.\n")
        return 0
    if chosen.command == "concern" and not chosen.input.is_file():
        sys.stderr.write(f"{chosen.input} is not a file. Give --input a file of JSON lines.\n")
        return 2
    classifier = open_classifier()
    if chosen.command == "train-concern":
        return 2 if isinstance(classifier, NoClassifier) else 0
    return answer(chosen, classifier)


def answer(chosen: argparse.Namespace, classifier: Classifier) -> int:
    """Answer the messages of a file, or measure those of a folder."""
    try:
        if chosen.command == "evaluate-concern":
            return evaluate_concern(chosen, classifier)
        return answer_file(chosen.input, classifier, sys.stdout, as_json=chosen.json)
    except BrokenPipeError:
        raise  # whoever read the answers has gone; the input is as it should be
    except (OSError, ValueError, KeyError) as problem:
        sys.stderr.write(
            f"{type(problem).__name__}: a file of the input cannot be read as described in bot/README.md.\n"
        )
        return 2


if __name__ == "__main__":
    sys.exit(main())
