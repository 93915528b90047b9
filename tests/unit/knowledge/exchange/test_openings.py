"""Opening hours as people write them in tables."""

from __future__ import annotations

import pytest

from knowledge.catalogue import Schedule
from knowledge.exchange.openings import read_words, write_words

WEEK = ("MO", "TU", "WE", "TH", "FR")


@pytest.mark.parametrize(
    ("text", "expected", "rest"),
    [
        ("Monday 09:00-17:00", [(("MO",), "09:00", "17:00")], ""),
        ("Mon-Fri 9am-5pm; Sat 10am to 1.30pm", [(WEEK, "09:00", "17:00"), (("SA",), "10:00", "13:30")], ""),
        ("Monday 00:00-23:59; Tuesday 00:00-23:59", [(("MO", "TU"), "00:00", "24:00")], ""),
        ("Fri 6pm-midnight", [(("FR",), "18:00", "24:00")], ""),
        ("Sat to Mon noon - 2pm", [(("MO", "SA", "SU"), "12:00", "14:00")], ""),
        ("ring first", [], "ring first"),
        ("Mon 9am-5pm, not in August", [(("MO",), "09:00", "17:00")], "not in August"),
        ("Mon 13pm-99", [], "Mon 13pm-99"),
        ("", [], ""),
    ],
)  # fmt: skip
def test_words_to_hours(text: str, expected: list[tuple[tuple[str, ...], str, str]], rest: str) -> None:
    schedules, left = read_words(text)
    assert [(each.days, each.opens, each.closes) for each in schedules] == expected
    assert bool(left) is bool(rest)


def test_hours_to_words_and_back() -> None:
    hours = [Schedule(days=WEEK, opens="09:30", closes="16:30"), Schedule(days=("SA",), opens="20:00", closes="02:00")]
    assert write_words(hours).startswith("Monday 09:30-16:30; Tuesday")
    assert read_words(write_words(hours))[0] == hours
