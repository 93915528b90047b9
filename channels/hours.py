"""When peer workers are there, from one line of settings: 'Mo-Fr 09:00-21:00; Sa,Su 10:00-16:00'. Pure.

Times are local to the service. A span that closes before it opens goes past midnight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from channels.errors import SettingsError

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
SPAN = re.compile(r"(?P<days>[A-Za-z,\- ]+?)\s+(?P<opens>\d{1,2}:\d{2})\s*-\s*(?P<closes>\d{1,2}:\d{2})")


class Says(Protocol):
    def say(self, key: str, /, **values: object) -> str: ...


@dataclass(frozen=True)
class Span:
    """Opening on some days of the week (0 = Monday)."""

    days: tuple[int, ...]
    opens: time
    closes: time

    def covers(self, moment: datetime) -> bool:
        today, now = moment.weekday(), moment.time()
        if self.opens < self.closes:
            return today in self.days and self.opens <= now < self.closes
        yesterday = (today - 1) % 7
        return (today in self.days and now >= self.opens) or (yesterday in self.days and now < self.closes)


ALL_DAY = Span(tuple(range(7)), time(0, 0), time(0, 0))
FURTHEST = 32
"""Days ahead in which people are back."""


@dataclass(frozen=True)
class StaffedHours:
    """No spans means that somebody is always there."""

    spans: tuple[Span, ...]
    zone: ZoneInfo
    days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    """Days that differ, a holiday or another; nobody is there on one without spans."""

    @classmethod
    def parse(cls, text: str, timezone: str) -> StaffedHours:
        """Raises SettingsError."""
        spans = tuple(_span(part) for part in re.split(r"[;\n]", text) if part.strip())
        try:
            return cls(spans, ZoneInfo(timezone))
        except (KeyError, ValueError, OSError):
            raise SettingsError(f"NWD_TIMEZONE: there is no time zone called {timezone}.") from None

    def open_at(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        today, yesterday = local.date(), local.date() - timedelta(days=1)
        if not self.spans and not {today, yesterday} & self.days.keys():
            return True
        if self._is_usual(today) and self._is_usual(yesterday):
            return any(span.covers(local) for span in self.spans)
        late = (span for span in self._on(yesterday) if span.closes <= span.opens)
        return any(
            span.opens <= local.time() and (local.time() < span.closes or span.closes <= span.opens)
            for span in self._on(today)
        ) or any(local.time() < span.closes for span in late)

    def _is_usual(self, day: date) -> bool:
        return day not in self.days

    def _on(self, day: date) -> tuple[Span, ...]:
        """The spans that begin on a day."""
        if day in self.days:
            return self.days[day]
        usual = self.spans or (ALL_DAY,)
        return tuple(span for span in usual if day.weekday() in span.days)

    def next_opening(self, moment: datetime, wording: Says) -> str:
        """When somebody is there again, as people say it: '9am tomorrow', '10:30am on Monday'."""
        local = moment.astimezone(self.zone)
        if not self.spans and not self.days:
            return wording.say("hours_always")
        for ahead in range(FURTHEST):
            day = local.date() + timedelta(days=ahead)
            starts = sorted(span.opens for span in self._on(day))
            later = [start for start in starts if ahead > 0 or start > local.time()]
            if later:
                name = name_day(day.weekday(), wording) + (
                    f" {day.day} {name_month(day, wording)}" if ahead > 7 else ""
                )
                return _in_words(later[0], ahead, name, wording)
        return wording.say("hours_always")

    def day(self, moment: datetime, wording: Says) -> str:
        """The date it is there: '14 October 2026'."""
        local = moment.astimezone(self.zone).date()
        return f"{local.day} {name_month(local, wording)} {local.year}"

    def in_words(self, wording: Says) -> str:
        """'Monday to Friday 9am to 9pm, Saturday 10am to 4pm'."""
        if not self.spans:
            return wording.say("hours_always")
        return ", ".join(
            wording.say(
                "hours_span", days=_days(span.days, wording), opens=clock(span.opens), closes=clock(span.closes)
            )
            for span in self.spans
        )


def name_day(number: int, wording: Says) -> str:
    """0 is Monday."""
    return wording.say("day_names").split(", ")[number]


def name_month(moment: date, wording: Says) -> str:
    return wording.say("month_names").split(", ")[moment.month - 1]


def clock(moment: time) -> str:
    """The 12-hour clock: '9am', '10:30pm', 'midnight'."""
    if (moment.hour, moment.minute) in {(0, 0), (23, 59)}:
        return "midnight"
    hour, half = moment.hour % 12 or 12, "am" if moment.hour < 12 else "pm"
    return f"{hour}:{moment.minute:02d}{half}" if moment.minute else f"{hour}{half}"


def _in_words(opens: time, ahead: int, day: str, wording: Says) -> str:
    if ahead < 2:
        return wording.say("time_tomorrow" if ahead else "time_today", time=clock(opens))
    return wording.say("time_on_day", time=clock(opens), day=day)


def _days(days: tuple[int, ...], wording: Says) -> str:
    if len(days) > 2 and days == tuple(range(days[0], days[0] + len(days))):
        return wording.say("days_range", first=name_day(days[0], wording), last=name_day(days[-1], wording))
    *first, last = (name_day(day, wording) for day in days)
    return wording.say("days_joined", first=", ".join(first), last=last) if first else last


def _span(text: str) -> Span:
    found = SPAN.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        return Span(_day_numbers(found["days"]), _time(found["opens"]), _time(found["closes"]))
    except ValueError:
        raise SettingsError(
            f"NWD_STAFFED_HOURS: {text.strip()!r} is not understood; write it like 'Mo-Fr 09:00-21:00; Sa 10:00-16:00'."
        ) from None


def _day_numbers(text: str) -> tuple[int, ...]:
    """Raises ValueError for a day that is none."""
    numbers: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        start, stop = (DAYS.index(day[:2].title()) for day in (first, last or first))
        numbers.update(range(start, stop + 1) if start <= stop else (*range(start, 7), *range(stop + 1)))
    return tuple(sorted(numbers))


def _time(text: str) -> time:
    """Raises ValueError. 24:00 is the end of a day."""
    return time(23, 59) if text == "24:00" else time.fromisoformat(text.zfill(5))
