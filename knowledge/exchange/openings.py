"""Opening hours from the standard's schedules (RFC 5545 rules) or from words in a table, and back.

Our hours are the same every week. What is not (once a month, every second week, over, not begun) is said as a
problem and left out: nobody is told "open now" on a guess. The words stay with the listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from knowledge.catalogue import DAYS, Schedule
from knowledge.exchange.problems import Findings, shown
from knowledge.hours import DAY_NAMES

END_OF_DAY = "24:00"
LAST_MINUTE = "23:59"
"""How the standard's times say midnight at the end of a day."""

_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_CLOCK = r"\d{1,2}(?:[:.]\d{2})?\s*(?:am|pm)?|midday|noon|midnight"
_SPAN = re.compile(
    rf"(?P<first>{_DAY})\s*(?:(?P<to>-|–|to|until)\s*(?P<last>{_DAY}))?[\s:,]*"
    rf"(?P<opens>{_CLOCK})\s*(?:-|–|to|until)\s*(?P<closes>{_CLOCK})",
    re.IGNORECASE,
)


def read_schedules(
    entries: Sequence[Mapping[str, Any]], findings: Findings, pointer: str, today: date
) -> list[Schedule]:
    """Weekly hours out of checked schedule entries."""
    found = []
    for number, entry in enumerate(entries):
        schedule = _read_schedule(entry, findings, f"{pointer}[{number}]", today)
        if schedule:
            found.append(schedule)
    return found


def _read_schedule(entry: Mapping[str, Any], findings: Findings, here: str, today: date) -> Schedule | None:
    reason = _why_not_weekly(entry, today)
    if reason:
        findings.warn(here, f"{reason} It is not shown as opening hours; check them with the service.")
        return None
    opens, closes = _clock(entry.get("opens_at")), _clock(entry.get("closes_at"))
    days = tuple(day for day in re.split(r"[,; ]+", str(entry.get("byday", "")).upper()) if day in DAYS)
    if not days:
        if opens or closes:
            findings.warn(f"{here}.byday", "has no days, so nobody can say when it is open. Write them like MO,TU.")
        return None
    if not (opens and closes):
        name = "closes_at" if opens else "opens_at"
        findings.warn(f"{here}.{name}", "has no time, so the hours are not shown. Write it like 09:30.")
        return None
    return Schedule(days=days, opens=opens, closes=END_OF_DAY if closes == LAST_MINUTE else closes)


def _why_not_weekly(entry: Mapping[str, Any], today: date) -> str | None:
    if (ends := entry.get("valid_to")) and date.fromisoformat(str(ends)[:10]) < today:
        return f"These hours ended on {ends}."
    if (begins := entry.get("valid_from")) and date.fromisoformat(str(begins)[:10]) > today:
        return f"These hours begin on {begins}."
    if entry.get("freq", "WEEKLY") != "WEEKLY" or re.search(r"\d", str(entry.get("byday", ""))):
        return "These hours are not every week."
    if float(entry.get("interval") or 1) != 1:
        return f"These hours are every {entry['interval']} weeks."
    return None


def _clock(value: object) -> str:
    return str(value)[:5] if value else ""


def write_schedules(schedules: Iterable[Schedule]) -> list[dict[str, Any]]:
    """Schedule entries of the standard; ids are added later."""
    return [
        {
            "freq": "WEEKLY",
            "interval": 1,
            "byday": ",".join(schedule.days),
            "opens_at": schedule.opens,
            "closes_at": LAST_MINUTE if schedule.closes == END_OF_DAY else schedule.closes,
        }
        for schedule in schedules
    ]


def read_words(text: str) -> tuple[list[Schedule], str]:
    """Hours as people write them in a table, and what could not be read.

    "Monday 09:00-17:00; Sat 10am to 1pm" and "Mon-Fri 9am-5pm" are understood.
    """
    found: dict[tuple[str, str], list[str]] = {}
    rest = text
    for match in _SPAN.finditer(text):
        opens, closes = read_clock(match["opens"]), read_clock(match["closes"])
        if opens and closes:
            days = found.setdefault((opens, END_OF_DAY if closes in {LAST_MINUTE, "00:00"} else closes), [])
            days += _days(match["first"], match["last"])
            rest = rest.replace(match.group(), "", 1)
    rest = re.sub(r"[\s;,.]+", " ", rest).strip()
    schedules = [
        Schedule(days=tuple(day for day in DAYS if day in days), opens=opens, closes=closes)
        for (opens, closes), days in found.items()
    ]
    return schedules, rest


def write_words(schedules: Iterable[Schedule]) -> str:
    """The inverse of `read_words`."""
    names = dict(zip(DAYS, DAY_NAMES, strict=True))
    return "; ".join(
        f"{names[day]} {schedule.opens}-{schedule.closes}" for schedule in schedules for day in schedule.days
    )


def _days(first: str, last: str | None) -> list[str]:
    start = DAYS.index(first[:2].upper())
    if not last:
        return [DAYS[start]]
    end = DAYS.index(last[:2].upper())
    return [DAYS[(start + step) % 7] for step in range((end - start) % 7 + 1)]


def read_clock(text: str) -> str:
    """ "9", "9am", "9.30 pm", "midday" to "09:00"...; empty when it is none."""
    plain = text.lower().replace(" ", "").replace(".", ":")
    plain = {"midday": "12:00", "noon": "12:00", "midnight": "00:00"}.get(plain, plain)
    match = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?(am|pm)?", plain)
    if not match:
        return ""
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half and not 1 <= hour <= 12:
        return ""
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    if (hour, minute) == (24, 0):
        return END_OF_DAY
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else ""


def problem_with_words(rest: str) -> str:
    return f"{shown(rest)} could not be read as opening hours. Write them like 'Mon-Fri 09:00-17:00; Sat 10:00-13:00'."
