"""`python -m bot evaluate-concern FOLDER --picture FILE`: each layer's shares with their intervals, beside the aims.

Drawn from the very lines that `--json` prints, so the picture shows what was measured and nothing else. The confusions
of understanding are drawn by `python -m bot evaluate-nlu --picture FILE`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

LEFT, RIGHT, TOP, ROW = 260, 730, 52, 58
"""Pixels: where 0 and 1 are, the first group, and the height of a group."""
COLOURS: Final = {"words": "#9aa5b1", "patterns": "#5b8fb9", "classifier": "#d08c3c", "together": "#2f6f4f"}
SHOWN: Final[Mapping[str, tuple[str, float | None]]] = {
    "FOUND suicide and self-harm": ("suicide and self-harm found", 0.95),
    "FOUND abuse now": ("abuse now found", 0.85),
    "FOUND somebody else": ("worry about others found", None),
    "FALSE everyday and distressed": ("everyday and distressed raised", 0.05),
    "FALSE alarming words, no risk": ("alarming words, no risk, raised", 0.12),
}
"""Groups as they are measured: what the picture calls them, and the aim where there is one."""
TITLE: Final = "Shares found and raised by each layer, with 95 % intervals and the aims"


def draw_layers(lines: Iterable[str]) -> str:
    """An SVG from the JSON lines of the evaluation. Raises ValueError or KeyError for lines that are none."""
    groups = {body["group"]: body for body in map(json.loads, lines)}
    shown = [(name, groups[name]) for name in SHOWN if name in groups]
    bottom = TOP + ROW * len(shown) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {bottom + 30}" font-family="sans-serif"'
        f' font-size="12" role="img" aria-label="{TITLE}">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        *_draw_legend(),
        *_draw_scale(bottom),
    ]
    for at, (name, body) in enumerate(shown):
        parts += _draw_group(name, body, TOP + ROW * at)
    parts.append(f'<text x="10" y="{bottom + 18}" fill="#b00020">dashed: the aim</text>')
    return "\n".join([*parts, "</svg>", ""])


def _draw_legend() -> Sequence[str]:
    return [
        f'<circle cx="{LEFT + 115 * at}" cy="20" r="5" fill="{colour}"/>'
        f'<text x="{LEFT + 115 * at + 10}" y="24">{name}</text>'
        for at, (name, colour) in enumerate(COLOURS.items())
    ]


def _draw_scale(bottom: int) -> Sequence[str]:
    return [
        f'<line x1="{_at(share)}" y1="38" x2="{_at(share)}" y2="{bottom}" stroke="#e3e6ea"/>'
        f'<text x="{_at(share)}" y="{bottom + 18}" text-anchor="middle">{share:g}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]


def _draw_group(name: str, body: Mapping[str, Any], top: int) -> Sequence[str]:
    """A line for each layer that was measured; a group without messages has its name alone."""
    words, aim = SHOWN[name]
    parts = [f'<text x="10" y="{top + 26}">{escape(words)} ({body["n"]})</text>']
    if aim is not None:
        ends = f'x1="{_at(aim)}" y1="{top}" x2="{_at(aim)}" y2="{top + 50}"'
        parts.append(f'<line {ends} stroke="#b00020" stroke-dasharray="4 3"/>')
    for at, (layer, colour) in enumerate(COLOURS.items()):
        figures = body.get(layer)
        if not figures or figures["share"] is None:
            continue
        y = top + 8 + 11 * at
        parts.append(
            f'<line x1="{_at(figures["low"])}" y1="{y}" x2="{_at(figures["high"])}" y2="{y}" stroke="{colour}"'
            f' stroke-width="2"/><circle cx="{_at(figures["share"])}" cy="{y}" r="4" fill="{colour}"/>'
        )
    return parts


def _at(share: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * share, 1)
