"""`python -m bot evaluate-nlu`: how well messages are understood, with intervals, and the confusions as a picture.

The figures come from `bot.components.calibrate --json`, which runs in Rasa's own environment, because they must be of
the encoder and the classifier that Rasa runs. Here they become words, JSON and a picture.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from html import escape
from math import sqrt
from pathlib import Path
from typing import Any, TextIO

RASA_PYTHON = Path(".venv-rasa/bin/python")
Z = 1.96
CELL, MARGIN = 13, 190
"""Pixels of one square of the picture, and of the names beside it."""


def measure(python: Path = RASA_PYTHON, folds: int = 10) -> dict[str, Any]:
    """Raises OSError when there is no Rasa environment, ValueError when it could not measure."""
    command = [str(python), "-W", "ignore", "-m", "bot.components.calibrate", "--json", "--folds", str(folds)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise ValueError(f"calibrate ended with {run.returncode}; run it by itself to see why")
    body: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return body


def interval(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, Z * Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z * sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def write_report(figures: Mapping[str, Any], out: TextIO) -> None:
    """One line for each set: the share that got the right answer, and the share of right intents."""
    out.write(f"threshold {figures['threshold']}, lead {figures['lead']}\n")
    for each in figures["sets"]:
        parts = [f"{each['name']} ({each['count']})"]
        for key, words in (("right_action", "right action"), ("right_intent", "right intent")):
            low, high = interval(each[key], each["count"])
            parts.append(f"{words} {each[key] / max(1, each['count']):.3f} [{low:.3f}, {high:.3f}]")
        out.write("; ".join(parts) + "\n")


def draw_confusion(confusion: Mapping[str, Mapping[str, int]], title: str) -> str:
    """An SVG: a row for what was meant, a column for what it was taken for; the darker, the larger a share."""
    names = sorted({*confusion, *(name for row in confusion.values() for name in row)})
    side = MARGIN + CELL * len(names) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" font-family="sans-serif" font-size="9">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{side}" height="{side}" fill="#fff"/>',
    ]
    for at, name in enumerate(names):
        place = MARGIN + CELL * at
        turned = f"rotate(-90 {place + 9} {MARGIN - 4})"
        parts.append(f'<text x="{MARGIN - 4}" y="{place + 10}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<text x="{place + 9}" y="{MARGIN - 4}" transform="{turned}">{escape(name)}</text>')
        parts += _draw_row(names, confusion.get(name, {}), at)
    return "\n".join([*parts, "</svg>", ""])


def _draw_row(names: Sequence[str], row: Mapping[str, int], at: int) -> list[str]:
    total = max(1, sum(row.values()))
    cells = []
    for across, name in enumerate(names):
        share = row.get(name, 0) / total
        colour = "#1a6b3c" if across == at else "#b03a2e"
        strength = share if across == at else min(1.0, share * 4)
        where = f'x="{MARGIN + CELL * across}" y="{MARGIN + CELL * at}" width="{CELL - 1}" height="{CELL - 1}"'
        fill = f'fill="{colour}" fill-opacity="{strength:.2f}"' if share else 'fill="#f2f2f2"'
        cells.append(f"<rect {where} {fill}/>")
    return cells
