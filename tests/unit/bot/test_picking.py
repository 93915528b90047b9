"""The ways people point at something in a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions.picking import pick_offered

NAMES = ["Rent Rescue drop-in", "Wrenbridge Debt Advice", "Stage 2 Choir"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", 1),
        ("no 2 pls", 1),
        ("number two", 1),
        ("tell me more about the second one", 1),
        ("the 1st", 0),
        ("first one please", 0),
        ("one", 0),
        ("the last one", 2),
        ("option 3", 2),
        ("whats the rent rescue one", 0),
        ("rent resque", 0),
        ("wrenbridge debt advise hours", 1),
        ("the choir", 2),
        ("more about stage 2 choir", 2),
        ("the middle one", 1),
    ],
)
def test_points_at(text: str, expected: int) -> None:
    assert pick_offered(text, NAMES) == expected


@pytest.mark.parametrize("text", ["", "tell me more", "hmm", "4", "99", "???", "which is best", "what else"])
def test_points_at_nothing(text: str) -> None:
    assert pick_offered(text, NAMES) is None


def test_a_third_of_two_is_nothing() -> None:
    assert pick_offered("the third", NAMES[:2]) is None


def test_the_last_of_two_is_the_second() -> None:
    assert pick_offered("last", NAMES[:2]) == 1


def test_two_names_equally_near_are_no_answer() -> None:
    assert pick_offered("the advice place", ["Foxley Advice", "Millgate Advice"]) is None


def test_a_service_that_has_gone_keeps_its_number() -> None:
    assert pick_offered("number 2", ["Rent Rescue drop-in", ""]) == 1


@given(st.text(), st.lists(st.text(max_size=30), max_size=3))
def test_any_text_picks_from_the_list_or_not_at_all(text: str, names: list[str]) -> None:
    picked = pick_offered(text, names)
    assert picked is None or 0 <= picked < len(names)
