"""Times as people write them, and opening times as people read them back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.hours import DAY, clock_words, minutes_of

_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*([ap])?\.?\s*(?:m\.?)?", re.IGNORECASE)
_NAMED = {"midday": "12:00", "noon": "12:00", "midnight": "24:00"}


def read_clock(text: str) -> str:
    """ "10am", "2.30 pm", "17:00" and "midday" to "10:00" and so on.

    Raises ValueError for anything else, and for a bare "10", which may be morning or night.
    """
    plain = text.strip().lower()
    if plain in _NAMED:
        return _NAMED[plain]
    found = _CLOCK.fullmatch(plain)
    if not found or not (found[2] or found[3]):
        raise ValueError(f"{text!r} is not a time")
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if half and not 1 <= hour <= 12:
        raise ValueError(f"{text!r} is not a time")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    clock = f"{hour:02}:{minute:02}"
    minutes_of(clock)
    return clock


def say_clock(clock: str) -> str:
    """ "10:00" to "10am"; what is no time is given back as it is."""
    try:
        return clock_words(minutes_of(clock))
    except ValueError:
        return clock


def say_times(days: Sequence[str], opens: str, closes: str, names: dict[str, str]) -> str:
    """ "Mondays and Thursdays 10am to 2pm"."""
    named = [f"{names[day]}s" for day in names if day in days]
    if len(named) == len(names):
        said = "every day"
    else:
        said = " and ".join(part for part in (", ".join(named[:-1]), named[-1] if named else "") if part)
    try:
        start, end = minutes_of(opens), minutes_of(closes)
    except ValueError:
        return f"{said} {opens} to {closes}".strip()
    if (start, end) == (0, DAY):
        return f"{said} all day and night"
    after = " the next day" if end <= start else ""
    return f"{said} {clock_words(start)} to {clock_words(end)}{after}"
