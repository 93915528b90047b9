"""Reports: right sums, nobody recognisable, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from channels.conversation import Channel, EscalationState
from channels.desk import counts
from channels.ledger.counting import Asked, Counted

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def asked(wait: float | None = 1.0, *, at: datetime = NOON, lapsed: bool = False) -> Asked:
    """Somebody who waited so many minutes; None for whoever nobody came to."""
    answered = at + timedelta(minutes=wait) if wait is not None else None
    state = EscalationState.CLOSED if answered else EscalationState.LAPSED if lapsed else EscalationState.WAITING
    return Asked(at, Channel.SMS, state, answered, at if lapsed else None)


def only_row(*people: Asked) -> dict[str, str]:
    (line,) = counts.tallies(Counted(people, (), ()), LONDON)
    return counts.row_of(line)


def test_rates_and_waits_of_a_day() -> None:
    row = only_row(*(asked(minutes) for minutes in range(1, 11)), *(asked(None, lapsed=True) for _ in range(5)))
    assert row == {
        "day": "2026-11-20", "channel": "sms", "contacts": "0", "asked": "15", "answered": "10", "answer_rate": "67",
        "wait_p50": "5.0", "wait_p90": "9.0", "abandoned": "5", "connected": "10", "failures": "0",
    }  # fmt: skip


def test_a_day_is_the_day_it_is_there() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    (line,) = counts.tallies(Counted((asked(at=late),), (), ()), LONDON)
    assert line.day == date(2026, 7, 1)


def test_what_was_counted_stands_beside_who_asked() -> None:
    day = (NOON.date(), Channel.SMS)
    (line,) = counts.tallies(Counted((asked(),), ((*day, 9),), ((*day, 2),)), LONDON)
    assert (line.contacts, line.failures, line.number("asked")) == (9, 2, 1)


@pytest.mark.parametrize("number", [1, 4])
def test_a_count_that_could_be_a_person_is_not_shown(number: int) -> None:
    row = only_row(*(asked() for _ in range(number)))
    assert row["asked"] == row["answered"] == counts.SMALL
    assert row["answer_rate"] == row["wait_p50"] == ""


def test_a_rate_from_which_a_small_count_follows_is_not_shown() -> None:
    assert only_row(*(asked() for _ in range(9)), asked(None))["answer_rate"] == ""


def test_a_total_does_not_give_away_its_one_small_part() -> None:
    days = [asked(at=NOON + timedelta(days=day)) for day, many in enumerate((7, 3)) for _ in range(many)]
    lines = counts.tallies(Counted(tuple(days), (), ()), LONDON)
    assert counts.totals(lines)["asked"] == counts.SMALL
    more = [*days, *(asked(at=NOON + timedelta(days=2)) for _ in range(2))]
    assert counts.totals(counts.tallies(Counted(tuple(more), (), ()), LONDON))["asked"] == "12"


def test_a_small_day_is_drawn_as_nothing() -> None:
    lines = counts.tallies(Counted((asked(),), (), ()), LONDON)
    assert counts.bars(lines, "asked") == [("2026-11-20", 0)]


@pytest.mark.parametrize("start", counts.FORMULA)
def test_no_cell_begins_a_formula(start: str) -> None:
    row = dict.fromkeys(counts.COLUMNS, f"{start}cmd|' /C calc'!A0")
    (_, line) = csv.reader(io.StringIO(counts.as_csv([row])))
    assert all(cell.startswith("'") for cell in line)


def test_how_many_were_answered_in_time() -> None:
    people = [asked(minutes) for minutes in (0.5, 0.9, 4, 10, 60)]
    assert counts.within(people) == {1: "40 %", 5: "60 %", 15: "80 %"}
    assert set(counts.within(people[:4]).values()) == {""}
