"""Which service of the last list somebody means: "2", "the second one", "last one", or nearly its name. Pure.

A number that was pressed, or typed alone, is resolved before the message gets here; this is for
the ways people point at something in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process, utils

ORDINALS = (
    frozenset({"1", "1st", "first", "frst", "one", "top"}),
    frozenset({"2", "2nd", "second", "secnd", "two", "middle"}),
    frozenset({"3", "3rd", "third", "thrd", "three"}),
)
LAST = frozenset({"last", "bottom", "final"})
SAID_WHILE_POINTING = """
a about and are at can could do for from give have hours how i id in info is it know like list look me more much
no number of on open option ones please pls really say see show tell text that the their them they this to u want
what whats when where which would you
"""
FILLERS = frozenset(SAID_WHILE_POINTING.split())
"""Words that come with pointing and are never what tells one name from another."""
NAME_SCORE = 82
"""Of 100. Low enough for "rent resque", high enough that one shared common word is not a name."""


def pick_offered(text: str, names: Sequence[str]) -> int | None:
    """The index into `names` (the last list, in order) that the text points at, or None when it does not.

    A name wins over a number, since a name can hold one ("Stage 2 Choir").
    """
    if not names:
        return None
    by_name = pick_by_name(text, names)
    return pick_by_number(text, len(names)) if by_name is None else by_name


def pick_by_name(text: str, names: Sequence[str]) -> int | None:
    """Fuzzy match of the telling words of the text; two names equally near are no answer."""
    pointers = LAST.union(FILLERS, *ORDINALS)
    telling = " ".join(word for word in utils.default_process(text).split() if word not in pointers)
    if len(telling) < 4:
        return None
    scored = process.extract(
        telling, names, scorer=score_name, processor=utils.default_process, score_cutoff=NAME_SCORE, limit=2
    )
    if not scored or (len(scored) == 2 and scored[0][1] == scored[1][1]):
        return None
    return int(scored[0][2])


def score_name(telling: str, name: str, *, score_cutoff: float | None = None) -> float:
    """A part of the name, misspelt or not, or its words in any order."""
    score = max(fuzz.partial_ratio(telling, name), fuzz.token_set_ratio(telling, name))
    return score if score >= (score_cutoff or 0) else 0


def pick_by_number(text: str, count: int) -> int | None:
    """The first word that points: `number two`, `the 3rd`, `last one`. "One" counts only if nothing else points."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    pointing = [place for word in words if (place := read_ordinal(word, count)) is not None]
    exact = [place for word in words if word != "one" and (place := read_ordinal(word, count)) is not None]
    return next(iter(exact or pointing), None)


def read_ordinal(word: str, count: int) -> int | None:
    if word in LAST:
        return count - 1
    return next((place for place, words in enumerate(ORDINALS[:count]) if word in words), None)
