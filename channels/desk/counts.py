"""Reports as figures: by day and channel, with every count under 5 kept to itself. Pure.

A small count can be a person. So where fewer than 5 asked, no rate and no wait is shown for them either, and a total
whose one missing part could be worked out from the others is not shown.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Final
from zoneinfo import ZoneInfo

from channels.conversation import Channel
from channels.ledger.counting import Asked, Counted

FEWEST: Final = 5
SMALL: Final = "fewer than 5"
NONE: Final = ""
WITHIN: Final = (1, 5, 15)
"""Minutes."""
COUNTS: Final = ("contacts", "asked", "answered", "abandoned", "connected", "failures")
COLUMNS: Final = (
    "day", "channel", "contacts", "asked", "answered", "answer_rate", "wait_p50", "wait_p90", "abandoned", "connected",
    "failures",
)  # fmt: skip
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """One day on one channel, in true numbers: not for showing."""

    day: date
    channel: Channel
    contacts: int
    asked: tuple[Asked, ...]
    failures: int

    def number(self, name: str) -> int:
        match name:
            case "contacts":
                return self.contacts
            case "failures":
                return self.failures
            case "answered":
                return sum(one.answered_at is not None for one in self.asked)
            case "abandoned":
                return sum(one.abandoned for one in self.asked)
            case "connected":
                return sum(one.connected for one in self.asked)
        return len(self.asked)


def tallies(counted: Counted, zone: ZoneInfo) -> list[Tally]:
    """Each day and channel on which anything happened, in order."""

    def key(moment: datetime, channel: Channel) -> tuple[date, Channel]:
        return moment.astimezone(zone).date(), channel

    people = {(day, channel): number for day, channel, number in counted.contacts}
    failures = {(day, channel): number for day, channel, number in counted.failures}
    asked: dict[tuple[date, Channel], list[Asked]] = {}
    for one in counted.asked:
        asked.setdefault(key(one.opened_at, one.channel), []).append(one)
    return [
        Tally(
            day=day,
            channel=channel,
            contacts=people.get((day, channel), 0),
            asked=tuple(asked.get((day, channel), ())),
            failures=failures.get((day, channel), 0),
        )
        for day, channel in sorted({*people, *asked, *failures})
    ]


def shown(number: int) -> str:
    return SMALL if 0 < number < FEWEST else str(number)


def row_of(tally: Tally) -> dict[str, str]:
    """One line as it may be shown."""
    answered, asked = tally.number("answered"), tally.number("asked")
    waits = sorted(one.waited for one in tally.asked if one.waited is not None)
    enough = answered >= FEWEST
    # Of 7 who asked and 3 answered, "43 %" would say 3; of all but 1, "86 %" would say who was not.
    safe = enough and (asked == answered or asked - answered >= FEWEST)
    return {
        "day": tally.day.isoformat(),
        "channel": tally.channel.value,
        **{name: shown(tally.number(name)) for name in COUNTS},
        "answer_rate": f"{round(100 * answered / asked)}" if safe else NONE,
        "wait_p50": minutes(percentile(waits, 0.5)) if enough else NONE,
        "wait_p90": minutes(percentile(waits, 0.9)) if enough else NONE,
    }


def totals(lines: Sequence[Tally]) -> dict[str, str]:
    """Each count over all days and channels. One that would give away its only small part is small itself."""
    found = {}
    for name in COUNTS:
        numbers = [line.number(name) for line in lines]
        hidden = [number for number in numbers if 0 < number < FEWEST]
        found[name] = SMALL if len(hidden) == 1 else shown(sum(numbers))
    return found


def percentile(waits: Sequence[timedelta], share: float) -> timedelta:
    return waits[ceil(share * len(waits)) - 1]


def minutes(wait: timedelta) -> str:
    return f"{wait / timedelta(minutes=1):.1f}"


def within(asked: Iterable[Asked]) -> dict[int, str]:
    """Of those who were answered, how many of 100 within so many minutes; empty where they are too few."""
    waits = [one.waited for one in asked if one.waited is not None]
    if len(waits) < FEWEST:
        return dict.fromkeys(WITHIN, NONE)
    return {limit: f"{100 * sum(w <= timedelta(minutes=limit) for w in waits) // len(waits)} %" for limit in WITHIN}


def as_csv(rows: Iterable[dict[str, str]]) -> str:
    """With a heading; no cell is ever taken for a formula."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe_cell(row[name]) for name in COLUMNS])
    return file.getvalue()


def safe_cell(words: str) -> str:
    return f"'{words}" if words.startswith(FORMULA) else words


def bars(lines: Sequence[Tally], name: str) -> list[tuple[str, int]]:
    """A chart of one count by day: (day, number), small days drawn as nothing."""
    days: dict[date, int] = {}
    for line in lines:
        days[line.day] = days.get(line.day, 0) + line.number(name)
    return [(day.isoformat(), number if number >= FEWEST else 0) for day, number in sorted(days.items())]
