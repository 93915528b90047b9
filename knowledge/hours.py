"""Opening hours in words a nine-year-old reads: "open now until 5pm", "opens Monday 9am", "ask for hours".

Pure. Times of day are local wall-clock minutes after midnight, so a change of the clocks never moves
an opening time. Nothing is called open unless its listing says so, is active, and was checked lately.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from knowledge.catalogue import DAYS, Schedule, Service, Status

DAY = 24 * 60
WEEK = 7 * DAY
EARLY = 6 * 60
"""Until this time of the next morning it is still "tonight": the day need not be named."""
STALE_DAYS = 365
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

ASK = "ask for hours"
CHECK = "ring to check hours"
PAUSED = "closed for now"
ALWAYS = "open 24 hours"
ANY_TIME = "any time, day or night"

Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Whether a service is open. `is_open` is None when nobody can say; `words` is what a person reads."""

    is_open: bool | None
    words: str


def opening(service: Service, now: datetime, *, zone: str = "Europe/London", stale_days: int = STALE_DAYS) -> Opening:
    """What can honestly be said about a service at `now` (aware)."""
    local = now.astimezone(ZoneInfo(zone))
    if service.status is not Status.ACTIVE:
        return Opening(is_open=False, words=PAUSED)
    if not service.schedules:
        return Opening(is_open=None, words=ASK)
    if service.assured_date is None or is_stale(service, local.date(), stale_days):
        return Opening(is_open=None, words=CHECK)
    minute = local.hour * 60 + local.minute
    for start, end in _spans(service.schedules, local.weekday()):
        if start <= minute < end:
            return Opening(is_open=True, words=_until(start, end, local))
        if start > minute:
            return Opening(is_open=False, words=f"opens {_day_words(start, local)} {clock_words(start)}")
    return Opening(is_open=None, words=ASK)


def hours_in_words(
    service: Service, now: datetime, *, zone: str = "Europe/London", stale_days: int = STALE_DAYS
) -> str:
    """The words of `opening`."""
    return opening(service, now, zone=zone, stale_days=stale_days).words


def is_stale(service: Service, today: date, stale_days: int = STALE_DAYS) -> bool:
    """Whether nobody has checked the listing for so long that its hours are only a guess."""
    return service.assured_date is not None and today - service.assured_date > timedelta(days=stale_days)


def week_in_words(schedules: Iterable[Schedule]) -> str:
    """The whole week: "Monday to Friday 9am to 5pm, Saturday 10am to 1pm". Empty without schedules."""
    by_day = [_merged(_day_spans(schedules, day)) for day in DAYS]
    if all(spans == [(0, DAY)] for spans in by_day):
        return ANY_TIME
    parts = []
    first = 0
    while first < len(DAYS):
        last = first
        while last + 1 < len(DAYS) and by_day[last + 1] == by_day[first]:
            last += 1
        if by_day[first]:
            parts.append(f"{_range_words(first, last)} {' and '.join(_span_words(span) for span in by_day[first])}")
        first = last + 1
    return ", ".join(parts)


def clock_words(minute: int) -> str:
    """Minutes after midnight on the 12-hour clock: "9am", "9:30am", "midday", "midnight"."""
    hour, rest = divmod(minute % DAY, 60)
    if rest == 0 and hour in {0, 12}:
        return "midday" if hour else "midnight"
    minutes = f":{rest:02}" if rest else ""
    return f"{hour % 12 or 12}{minutes}{'am' if hour < 12 else 'pm'}"


def day_in_words(day: date) -> str:
    """ "14 October 2026"."""
    return f"{day.day} {day:%B %Y}"


def minutes_of(clock: str) -> int:
    """ "09:30" to 570; "24:00" to 1440. Raises ValueError for anything else."""
    hour, separator, minute = clock.partition(":")
    if not (separator and hour.isdecimal() and minute.isdecimal() and len(hour) == len(minute) == 2):
        raise ValueError(f"{clock!r} is not a time like 09:30")
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > DAY:
        raise ValueError(f"{clock!r} is not a time between 00:00 and 24:00")
    return value


def _day_spans(schedules: Iterable[Schedule], day: str) -> Iterator[Span]:
    """Spans that begin on one weekday; one that ends on the next day runs past 1440."""
    for schedule in schedules:
        if day in schedule.days:
            start, end = minutes_of(schedule.opens), minutes_of(schedule.closes)
            yield start, end if end > start else end + DAY


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


@lru_cache(maxsize=8192)
def _spans(schedules: tuple[Schedule, ...], weekday: int) -> list[Span]:
    """Merged spans from yesterday to a week from now; minute 0 is the midnight that began today.

    Kept, because one search asks for the hours of a few hundred services.
    """
    return _merged(
        (start + offset * DAY, end + offset * DAY)
        for offset in range(-1, 9)
        for start, end in _day_spans(schedules, DAYS[(weekday + offset) % 7])
    )


def _until(start: int, end: int, local: datetime) -> str:
    if end - start >= WEEK:
        return ALWAYS
    day = "" if end <= DAY + EARLY else f"{_day_words(end, local)} "
    return f"open now until {day}{clock_words(end)}"


def _day_words(minute: int, local: datetime) -> str:
    offset = minute // DAY
    if offset < 2:
        return ("today", "tomorrow")[offset]
    name = DAY_NAMES[(local.weekday() + offset) % 7]
    return f"next {name}" if offset >= 7 else name


def _range_words(first: int, last: int) -> str:
    if (first, last) == (0, 6):
        return "every day"
    if last == first:
        return DAY_NAMES[first]
    joiner = "and" if last == first + 1 else "to"
    return f"{DAY_NAMES[first]} {joiner} {DAY_NAMES[last]}"


def _span_words(span: Span) -> str:
    if span == (0, DAY):
        return "all day and night"
    return f"{clock_words(span[0])} to {clock_words(span[1])}"
