"""What coordinators see of closed doors: by service and need, and nobody recognisable."""

from __future__ import annotations

import pytest

from channels.desk.closed_doors import as_csv, rows_of, total
from channels.desk.words import Words
from channels.ledger.check_ins import ClosedDoor

WORDS = Words.load()


def door(count: int, name: str = "Rent Rescue", need: str = "rent_arrears") -> ClosedDoor:
    return ClosedDoor(service_id=name.lower(), service_name=name, need=need, count=count)


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "fewer than 5"), (4, "fewer than 5"), (5, "5"), (12, "12")],
    ids=["one", "four", "five", "many"],
)
def test_a_small_count_is_not_said(count: int, said: str) -> None:
    assert rows_of([door(count)], WORDS)[0]["said_no"] == said


def test_the_order_says_nothing_of_small_counts() -> None:
    doors = [door(4, "B"), door(1, "A"), door(9, "D"), door(30, "C")]
    assert [row["service"] for row in rows_of(doors, WORDS)] == ["C", "D", "A", "B"]


@pytest.mark.parametrize(
    ("counts", "said"),
    [((6, 7), "13"), ((6, 2), "fewer than 5"), ((6, 2, 1), "9"), ((), "0")],
    ids=["none small", "one small: it would follow", "two small", "none"],
)
def test_a_total_gives_no_small_part_away(counts: tuple[int, ...], said: str) -> None:
    assert total([door(count, str(at)) for at, count in enumerate(counts)]) == said


def test_what_nobody_knows_is_said_so() -> None:
    row = rows_of([door(5, "", "")], WORDS)[0]
    assert (row["service"], row["need"]) == ("not known which", "not known what for")


def test_what_they_needed_is_said_in_words_on_the_page_and_in_the_file() -> None:
    rows = rows_of([door(5, need="energy_heating")], WORDS)
    assert rows[0]["need"] == "Heating, gas and electric"
    assert '"Heating, gas and electric"' in as_csv(rows)


def test_a_name_is_no_formula() -> None:
    assert "'=SUM(A1)" in as_csv(rows_of([door(5, "=SUM(A1)")], WORDS))
