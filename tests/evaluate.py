"""`python -m tests.evaluate [--json]`: how well people are understood, kept safe and never turned away.

nlu            cross-validation of the intents with the encoder and classifier that Rasa runs
concern        both layers, alone and together, against a plain list of words, on made-up messages and on FOLDER's
conversations  made-up conversations against the whole product, every message of ours held to the rules

Shares come with Wilson's 95 % interval. Totals only: nobody's words are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from bot.__main__ import open_classifier
from bot.concern.evaluating import LAYERS, Row, Verdicts, interval, judge, read_rows
from tests.conversations.judging import Judge, Played, load_scripts
from tests.conversations.playing import play_all
from tests.e2e.conftest import ROOT, start_product, stop_product

PARTS = ("nlu", "concern", "conversations")
SENTENCES = ROOT / "tests" / "data" / "concern_sentences.yml"
STRATA = {"abuse": "abuse", "child_at_risk": "abuse", "danger_now": "danger", "someone_else": "other"}


def share(hits: int, count: int) -> dict[str, Any]:
    if not count:
        return {"n": 0}
    low, high = interval(hits, count)
    return {"n": count, "hits": hits, "share": round(hits / count, 3), "low": round(low, 3), "high": round(high, 3)}


def measure_nlu() -> dict[str, Any]:
    """Accuracy of intents, and of the action they lead to."""
    command = [ROOT / ".venv-rasa" / "bin" / "python", "-m", "bot.components.figures"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    counts = json.loads(run.stdout.splitlines()[-1])
    return {name: share(counts[name], counts["n"]) for name in ("intent", "action")}


def measure_concern(folder: Path | None) -> dict[str, Any]:
    classifier = open_classifier()
    made_up = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))
    rows = [
        Row(text, STRATA.get(kind, kind), "positives", False)
        for kind, texts in made_up["raised"].items()
        for text in texts
    ]
    rows += [Row(text, "calm", "negatives", False) for text in texts_in(made_up["calm"])]
    figures = {"made up": layers(rows, judge(rows, classifier))}
    if folder is not None and folder.is_dir():
        real = read_rows(folder)
        figures["real"] = layers(real, judge(real, classifier))
    return figures


def texts_in(held: Any) -> list[str]:
    if isinstance(held, str):
        return [held]
    return [text for inner in (held.values() if isinstance(held, dict) else held) for text in texts_in(inner)]


def layers(rows: Sequence[Row], verdicts: Sequence[Verdicts]) -> dict[str, Any]:
    groups: dict[str, Callable[[Row], bool]] = {
        "found": lambda row: row.file != "negatives",
        "raised for calm words": lambda row: row.file == "negatives" and not row.hard,
        "raised for alarming words without risk": lambda row: row.hard,
    }
    return {
        name: {
            layer: share(sum(raised(one) for one in some), len(some))
            for layer, raised in LAYERS
        }
        for name, belongs in groups.items()
        if (some := [one for row, one in zip(rows, verdicts, strict=True) if belongs(row)])
    }  # fmt: skip


def measure_conversations() -> dict[str, Any]:
    judge_one = Judge.build().judge
    with tempfile.TemporaryDirectory(prefix="nwd-evaluate-") as folder:
        product = start_product(Path(folder))
        try:
            product.wait_ready()
            played = asyncio.run(play_all(product.data_dir, load_scripts()))
        finally:
            stop_product(product)
    found = {one.script.id: judge_one(one) for one in played}
    kinds: defaultdict[str, list[Played]] = defaultdict(list)
    for one in played:
        kinds[one.script.kind].append(one)
    return {
        "clean": share(sum(not rules for rules in found.values()), len(found)),
        "messages of ours": sum(len(answer.texts) for one in played for answer in one.answers),
        "answered by": Counter(answer.outcome for one in played for answer in one.answers),
        "by kind": {
            kind: share(sum(not found[one.script.id] for one in some), len(some)) for kind, some in kinds.items()
        },
        "amiss": {name: rules for name, rules in found.items() if rules},
    }


def print_figures(figures: Any, indent: str = "") -> None:
    for name, value in figures.items():
        if isinstance(value, dict) and "n" in value:
            shown = (
                f"{value['share']:.3f} [{value['low']:.2f}, {value['high']:.2f}] of {value['n']}" if value["n"] else "-"
            )
            print(f"{indent}{name:42}{shown}")
        elif isinstance(value, dict):
            print(f"{indent}{name}")
            print_figures(value, indent + "  ")
        else:
            print(f"{indent}{name:42}{value}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluate", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--folder", type=Path, help="labelled messages: positives, negatives, third_party .jsonl")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if wrong := set(chosen.parts) - set(PARTS):
        sys.stderr.write(f"{sorted(wrong)[0]}: the parts are {', '.join(PARTS)}.\n")
        return 2
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "nlu": measure_nlu,
        "concern": lambda: measure_concern(chosen.folder),
        "conversations": measure_conversations,
    }
    figures = {part: measures[part]() for part in PARTS if part in chosen.parts}
    if chosen.json:
        print(json.dumps(figures))
    else:
        print_figures(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
