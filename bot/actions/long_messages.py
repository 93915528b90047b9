"""A long message read in pieces, so that a need said late in it counts as much as the first one."""

from __future__ import annotations

import re

from bot.actions.toolbox import Toolbox

LONG = 160
"""Letters from which a message is a story: search as a whole then hears its main matter, and little beside it."""
PIECE = 90
MOST_PIECES = 14
PLAIN = 0.6
"""Probability from which a piece says a need plainly; a story holds much that only sounds like one."""
MOST_NEEDS = 4

_PARTS = re.compile(r"(?<=[.!?;\n])\s+|\s+(?=(?:and|but|also|plus|then|because|oh)\b)", re.IGNORECASE)


def split_pieces(text: str) -> list[str]:
    """Sentences and clauses, joined with their neighbours up to PIECE letters. Nothing of the text is left out."""
    pieces: list[str] = []
    for part in _PARTS.split(text):
        if pieces and len(pieces[-1]) + len(part) < PIECE:
            pieces[-1] = f"{pieces[-1]} {part}"
        elif part.strip():
            pieces.append(part.strip())
    return pieces


def find_in_parts(text: str, tools: Toolbox, most: int = MOST_PIECES) -> tuple[str, ...]:
    """Needs that a piece of a long message says plainly, the most urgent first. Nothing for a short one."""
    if len(text) < LONG:
        return ()
    pieces = split_pieces(text)
    if len(pieces) > most:
        pieces = [*pieces[: most // 2], *pieces[-most // 2 :]]
    best: dict[str, float] = {}
    for piece in pieces:
        for guess in tools.finder.find(piece, now=tools.now(), limit=1).needs:
            if guess.score >= PLAIN:
                best[guess.id] = max(best.get(guess.id, 0.0), guess.score)
    ordered = sorted(best, key=lambda need: (-tools.urgency.get(need, 1), -best[need]))
    return tuple(ordered[:MOST_NEEDS])
