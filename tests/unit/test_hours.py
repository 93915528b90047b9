"""When peer workers are there, in settings and in words."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from channels.errors import SettingsError
from channels.hours import StaffedHours, clock
from channels.wording import Wording

WORDING = Wording.load()
WEEK = "Mo-Fr 09:00-21:00; Sa,Su 10:30-16:00"


def hours(text: str = WEEK, zone: str = "Europe/London") -> StaffedHours:
    return StaffedHours.parse(text, zone)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "there"),
    [
        ("2026-11-23T09:00", True),
        ("2026-11-23T08:59", False),
        ("2026-11-23T20:59", True),
        ("2026-11-23T21:00", False),
        ("2026-11-22T10:30", True),
        ("2026-11-22T10:29", False),
        ("2026-07-20T08:00", True),
        ("2026-07-20T20:00", False),
    ],
    ids=[
        "Monday 9am",
        "early",
        "a minute before the end",
        "the end",
        "Sunday",
        "Sunday early",
        "summer",
        "summer, 9pm",
    ],
)
def test_who_is_there(when: str, there: bool) -> None:
    assert hours().open_at(moment(when)) is there


@pytest.mark.parametrize(
    ("when", "there"),
    [("2026-11-27T23:30", True), ("2026-11-28T01:59", True), ("2026-11-28T02:00", False), ("2026-11-27T01:00", False)],
    ids=["Friday night", "after midnight", "closed", "Thursday night"],
)
def test_past_midnight(when: str, there: bool) -> None:
    assert hours("Fr 20:00-02:00").open_at(moment(when)) is there


def test_nothing_set_means_always() -> None:
    assert hours("").open_at(moment("2026-12-25T03:00"))
    assert hours("").in_words(WORDING) == "at all hours"
    assert hours("").next_opening(moment("2026-12-25T03:00"), WORDING) == "at all hours"


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("2026-11-23T03:00", "9am today"),
        ("2026-11-23T22:00", "9am tomorrow"),
        ("2026-11-27T21:30", "10:30am tomorrow"),
        ("2026-11-21T17:00", "10:30am tomorrow"),
        ("2026-11-22T17:00", "9am tomorrow"),
    ],
)
def test_the_next_time(when: str, words: str) -> None:
    assert hours().next_opening(moment(when), WORDING) == words


def test_the_next_time_may_be_days_away() -> None:
    assert hours("We 18:00-20:00").next_opening(moment("2026-11-25T19:00"), WORDING) == "6pm on Wednesday"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WEEK, "Monday to Friday 9am to 9pm, Saturday and Sunday 10:30am to 4pm"),
        ("Fr-Mo 18:00-24:00", "Monday, Friday, Saturday and Sunday 6pm to midnight"),
        ("tu 9:00-12:00", "Tuesday 9am to 12pm"),
    ],
)
def test_in_words(text: str, words: str) -> None:
    assert hours(text).in_words(WORDING) == words


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("2026-11-21T20:00", "10:30am yfory"),
        ("2026-11-27T22:00", "10:30am yfory"),
        ("2026-11-22T18:00", "9am yfory"),
    ],
)
def test_in_welsh(when: str, words: str) -> None:
    welsh = WORDING.within("cy")
    assert hours().next_opening(moment(when), welsh) == words
    assert hours().in_words(welsh) == "dydd Llun i dydd Gwener 9am i 9pm, dydd Sadwrn a dydd Sul 10:30am i 4pm"
    assert hours("We 18:00-20:00").next_opening(moment("2026-11-22T18:00"), welsh) == "6pm, dydd Mercher"
    assert hours().day(moment("2026-10-14T12:00"), welsh) == "14 Hydref 2026"


@pytest.mark.parametrize(
    ("text", "zone", "name"),
    [
        ("sometimes", "Europe/London", "NWD_STAFFED_HOURS"),
        ("Mo-Xx 09:00-17:00", "Europe/London", "NWD_STAFFED_HOURS"),
        ("Mo 09:00-25:00", "Europe/London", "NWD_STAFFED_HOURS"),
        ("Mo 09:00-17:00", "Europe/Wrenbridge", "NWD_TIMEZONE"),
    ],
)
def test_a_mistake_is_named(text: str, zone: str, name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        hours(text, zone)


@pytest.mark.parametrize(
    ("at", "words"),
    [(time(0, 0), "midnight"), (time(12, 0), "12pm"), (time(0, 30), "12:30am"), (time(13, 5), "1:05pm")],
)
def test_the_clock_has_12_hours(at: time, words: str) -> None:
    assert clock(at) == words


def test_a_date_is_the_one_it_is_there() -> None:
    assert hours().day(moment("2026-07-14T23:30"), WORDING) == "15 July 2026"
