"""Closed doors for coordinators: which services said no to people, by what they needed. No small count is shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from channels.desk.counts import FEWEST, SMALL, safe_cell, shown
from channels.desk.words import Words
from channels.ledger.check_ins import ClosedDoor

COLUMNS: Final = ("service", "need", "said_no")


def rows_of(doors: Iterable[ClosedDoor], words: Words) -> list[dict[str, str]]:
    """As they may be shown, the most often closed first; small ones by name, so that their order says nothing."""
    ordered = sorted(doors, key=lambda door: (-door.count if door.count >= FEWEST else 0, door.service_name, door.need))
    return [
        {
            "service": door.service_name or words.say("closed_doors", "service_unknown"),
            "need": words.say("need", door.need) if door.need else words.say("closed_doors", "need_unknown"),
            "said_no": shown(door.count),
        }
        for door in ordered
    ]


def total(doors: Sequence[ClosedDoor]) -> str:
    """Of all of them. One that would give away the only small part is small itself."""
    small = [door for door in doors if 0 < door.count < FEWEST]
    return SMALL if len(small) == 1 else shown(sum(door.count for door in doors))


def as_csv(rows: Iterable[dict[str, str]]) -> str:
    """With a heading; no cell is ever taken for a formula."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([safe_cell(row[name]) for name in COLUMNS] for row in rows)
    return file.getvalue()
