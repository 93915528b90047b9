"""Did it help? What people answered when they were asked, by what they needed. No small count is shown.

That a service said no is told in closed doors alone: the same answers, added up another way, would give away small
ones.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from channels.desk.counts import FEWEST, SMALL, safe_cell, shown
from channels.desk.words import Words
from channels.ledger.check_ins import Told

ANSWERS: Final = ("helped", "partly")
COLUMNS: Final = ("need", *ANSWERS)


def rows_of(told: Iterable[Told], words: Words) -> list[dict[str, str]]:
    """As they may be shown, by the name of the need."""
    numbers: dict[str, dict[str, int]] = {}
    for one in told:
        if one.answer in ANSWERS:
            numbers.setdefault(one.need, {})[one.answer] = one.count
    rows = [
        {
            "need": words.say("need", need) if need else words.say("closed_doors", "need_unknown"),
            **{answer: shown(found.get(answer, 0)) for answer in ANSWERS},
        }
        for need, found in numbers.items()
    ]
    return sorted(rows, key=lambda row: row["need"])


def totals(told: Sequence[Told]) -> dict[str, str]:
    """Of each answer. One that would give away its only small part is small itself."""
    found = {}
    for answer in ANSWERS:
        numbers = [one.count for one in told if one.answer == answer]
        small = [number for number in numbers if 0 < number < FEWEST]
        found[answer] = SMALL if len(small) == 1 else shown(sum(numbers))
    return found


def as_csv(rows: Iterable[dict[str, str]]) -> str:
    """With a heading; no cell is ever taken for a formula."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([safe_cell(row[name]) for name in COLUMNS] for row in rows)
    return file.getvalue()
