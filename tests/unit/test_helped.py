"""What coordinators see of "Did it help?": by need, and nobody recognisable."""

from __future__ import annotations

import pytest

from channels.desk.helped import as_csv, rows_of, totals
from channels.desk.words import Words
from channels.ledger.check_ins import Told

WORDS = Words.load()


def told(count: int, need: str = "rent_arrears", answer: str = "helped") -> Told:
    return Told(need=need, answer=answer, count=count)


def test_answers_stand_by_what_was_needed_in_words() -> None:
    rows = rows_of([told(7), told(5, answer="partly"), told(9, "food"), told(30, answer="no")], WORDS)
    assert rows == [
        {"need": "Food for today", "helped": "9", "partly": "0"},
        {"need": "Rent and mortgage worries", "helped": "7", "partly": "5"},
    ]


@pytest.mark.parametrize(("count", "said"), [(1, "fewer than 5"), (4, "fewer than 5"), (5, "5")])
def test_a_small_count_is_not_said(count: int, said: str) -> None:
    assert rows_of([told(count)], WORDS)[0]["helped"] == said


@pytest.mark.parametrize(
    ("counts", "said"),
    [((6, 7), "13"), ((6, 2), "fewer than 5"), ((6, 2, 1), "9"), ((), "0")],
    ids=["none small", "one small: it would follow", "two small", "none"],
)
def test_a_total_gives_no_small_part_away(counts: tuple[int, ...], said: str) -> None:
    assert totals([told(count, str(at)) for at, count in enumerate(counts)])["helped"] == said


def test_what_nobody_knows_is_said_so_and_no_cell_is_a_formula() -> None:
    assert rows_of([told(5, "")], WORDS)[0]["need"] == "not known what for"
    assert "'=SUM(A1)" in as_csv([{"need": "=SUM(A1)", "helped": "5", "partly": "0"}])


def test_that_a_service_said_no_is_told_in_closed_doors_alone() -> None:
    assert rows_of([told(30, answer="no")], WORDS) == []
