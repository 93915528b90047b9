"""What people read about opening hours."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from knowledge.catalogue import Schedule, Service, Status
from knowledge.hours import clock_words, day_in_words, hours_in_words, is_stale, minutes_of, opening, week_in_words
from tests.unit.knowledge.builders import ALWAYS, EVERY_DAY, OFFICE, service

LONDON = ZoneInfo("Europe/London")
EVENING = (Schedule(days=("FR", "SA"), opens="20:00", closes="02:00"),)
MONDAYS = (Schedule(days=("MO",), opens="09:00", closes="11:30"),)
SPLIT = (
    Schedule(days=EVERY_DAY[:5], opens="09:00", closes="12:00"),
    Schedule(days=EVERY_DAY[:5], opens="14:00", closes="16:30"),
)
LONG_WEEKEND = (Schedule(days=("FR", "SA", "SU"), opens="00:00", closes="24:00"),)
TWO_PARTS = (
    Schedule(days=("TH",), opens="09:30", closes="16:30"),
    Schedule(days=("TH",), opens="16:30", closes="19:00"),
)
SAME_TIME_TWICE = (Schedule(days=("MO",), opens="08:00", closes="08:00"),)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("schedules", "now", "words"),
    [
        pytest.param((), "2026-11-23 12:00", "ask for hours", id="no schedule"),
        pytest.param(
            (Schedule(days=(), opens="09:00", closes="10:00"),), "2026-11-23 12:00", "ask for hours", id="no day"
        ),
        pytest.param(OFFICE, "2026-11-23 12:00", "open now until 5pm", id="open in the middle of the day"),
        pytest.param(OFFICE, "2026-11-23 09:00", "open now until 5pm", id="the minute it opens"),
        pytest.param(OFFICE, "2026-11-23 16:59", "open now until 5pm", id="the last minute"),
        pytest.param(OFFICE, "2026-11-23 17:00", "opens tomorrow 9am", id="the minute it closes"),
        pytest.param(OFFICE, "2026-11-23 06:15", "opens today 9am", id="early in the morning"),
        pytest.param(OFFICE, "2026-11-20 18:00", "opens Monday 9am", id="friday evening"),
        pytest.param(SPLIT, "2026-11-23 13:00", "opens today 2pm", id="lunch break"),
        pytest.param(SPLIT, "2026-11-23 15:00", "open now until 4:30pm", id="after lunch"),
        pytest.param(MONDAYS, "2026-11-23 12:00", "opens next Monday 9am", id="once a week, just missed"),
        pytest.param(EVENING, "2026-11-27 23:00", "open now until 2am", id="past midnight, before it"),
        pytest.param(EVENING, "2026-11-28 01:30", "open now until 2am", id="past midnight, after it"),
        pytest.param(EVENING, "2026-11-28 02:00", "opens today 8pm", id="past midnight, closed"),
        pytest.param(EVENING, "2026-11-29 01:00", "open now until 2am", id="saturday night is sunday morning"),
        pytest.param(ALWAYS, "2026-11-23 03:00", "open 24 hours", id="always open"),
        pytest.param(LONG_WEEKEND, "2026-11-28 10:00", "open now until Monday midnight", id="open for days"),
        pytest.param(LONG_WEEKEND, "2026-11-29 10:00", "open now until midnight", id="until the next midnight"),
        pytest.param(TWO_PARTS, "2026-11-26 12:00", "open now until 7pm", id="two parts without a gap are one"),
        pytest.param(SAME_TIME_TWICE, "2026-11-24 07:00", "open now until 8am", id="the same time twice is 24 hours"),
        pytest.param(OFFICE, "2026-03-30 08:30", "opens today 9am", id="the monday after the clocks go forward"),
        pytest.param(OFFICE, "2026-10-26 16:30", "open now until 5pm", id="the monday after the clocks go back"),
    ],
)
def test_hours_are_said_in_words(schedules: tuple[Schedule, ...], now: str, words: str) -> None:
    assert hours_in_words(service("Any", schedules=schedules), local(now)) == words


def test_hours_are_local_whatever_zone_the_clock_is_in() -> None:
    summer_utc = datetime(2026, 7, 6, 8, 30, tzinfo=UTC)
    assert hours_in_words(service("Any", schedules=OFFICE), summer_utc) == "open now until 5pm"
    assert hours_in_words(service("Any", schedules=OFFICE), summer_utc, zone="Atlantic/Azores") == "opens today 9am"


@pytest.mark.parametrize(
    ("listing", "is_open", "words"),
    [
        pytest.param(service("A", schedules=OFFICE), True, "open now until 5pm", id="checked lately"),
        pytest.param(
            service("A", schedules=OFFICE, assured_date=date(2025, 11, 1)), None, "ring to check hours", id="stale"
        ),
        pytest.param(
            service("A", schedules=OFFICE, assured_date=None), None, "ring to check hours", id="never checked"
        ),
        pytest.param(
            service("A", schedules=ALWAYS, status=Status.TEMPORARILY_CLOSED), False, "closed for now", id="paused"
        ),
        pytest.param(service("A", schedules=ALWAYS, status=Status.DEFUNCT), False, "closed for now", id="gone"),
    ],
)
def test_only_what_is_known_to_be_open_is_called_open(listing: Service, is_open: bool | None, words: str) -> None:
    state = opening(listing, local("2026-11-23 12:00"))
    assert (state.is_open, state.words) == (is_open, words)


def test_a_listing_is_stale_the_day_after_its_last_good_day() -> None:
    listing = service("A", assured_date=date(2026, 1, 1))
    assert not is_stale(listing, date(2026, 1, 31), stale_days=30)
    assert is_stale(listing, date(2026, 2, 1), stale_days=30)


@pytest.mark.parametrize(
    ("schedules", "words"),
    [
        pytest.param((), "", id="none"),
        pytest.param(OFFICE, "Monday to Friday 9am to 5pm", id="office hours"),
        pytest.param(SPLIT, "Monday to Friday 9am to midday and 2pm to 4:30pm", id="with a lunch break"),
        pytest.param(EVENING, "Friday and Saturday 8pm to 2am", id="two evenings"),
        pytest.param(MONDAYS, "Monday 9am to 11:30am", id="one day"),
        pytest.param(ALWAYS, "any time, day or night", id="always"),
        pytest.param(LONG_WEEKEND, "Friday to Sunday all day and night", id="whole days"),
        pytest.param(TWO_PARTS, "Thursday 9:30am to 7pm", id="two parts without a gap"),
        pytest.param(
            (Schedule(days=EVERY_DAY, opens="07:00", closes="22:00"),), "every day 7am to 10pm", id="every day"
        ),
        pytest.param(
            (*MONDAYS, *EVENING), "Monday 9am to 11:30am, Friday and Saturday 8pm to 2am", id="different days"
        ),
    ],
)
def test_a_week_is_said_in_words(schedules: tuple[Schedule, ...], words: str) -> None:
    assert week_in_words(schedules) == words


@pytest.mark.parametrize(
    ("minute", "words"),
    [(0, "midnight"), (1, "12:01am"), (540, "9am"), (570, "9:30am"), (720, "midday"), (721, "12:01pm"),
     (780, "1pm"), (1439, "11:59pm"), (1440, "midnight"), (1560, "2am")],
)  # fmt: skip
def test_clock_times_are_on_the_12_hour_clock(minute: int, words: str) -> None:
    assert clock_words(minute) == words


@pytest.mark.parametrize(("clock", "minutes"), [("00:00", 0), ("09:30", 570), ("24:00", 1440)])
def test_times_in_files_are_read(clock: str, minutes: int) -> None:
    assert minutes_of(clock) == minutes


@pytest.mark.parametrize("clock", ["9:30", "0930", "25:00", "24:01", "10:60", "ab:cd", "", "10:5", "-1:00"])
def test_other_times_are_refused(clock: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        minutes_of(clock)


def test_dates_are_said_as_people_say_them() -> None:
    assert day_in_words(date(2026, 10, 4)) == "4 October 2026"
