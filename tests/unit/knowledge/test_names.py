"""Services that somebody names."""

from __future__ import annotations

import pytest

from knowledge.names import EXACT, Names

NAMES = Names.of(
    [("Shout", 0), ("The Lantern", 1), ("Men's Advice Line", 2), ("Rent Rescue drop-in", 3), ("Cruse", 4), ("", 5),
     ("Advice Shop", 6), ("Advice Shop", 7), ("Advice Shop", 7)]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("shout", {0}, id="the whole message"),
        pytest.param("what is the number for shout?", {0}, id="a name and filler"),
        pytest.param("they shout at me all night", set(), id="a one-word name said for another reason"),
        pytest.param("lantern", {1}, id="without its article"),
        pytest.param("is the mens advice line open today", {2}, id="inside a sentence, without the apostrophe"),
        pytest.param("Rent rescue drop in", {3}, id="hyphen and capitals"),
        pytest.param("rent rescu drop in", {3}, id="a typing error"),
        pytest.param("crused", {4}, id="one letter too many"),
        pytest.param("advice shop", {6, 7}, id="one name, two services"),
        pytest.param("rent rescue", {3}, id="the beginning of one name"),
        pytest.param("rent", set(), id="one word of a name is a need, not a name"),
        pytest.param("", set(), id="nothing"),
        pytest.param("the", set(), id="filler only"),
    ],
)
def test_names_in_messages(text: str, rows: set[int]) -> None:
    assert set(NAMES.find(text)) == rows


def test_an_exact_name_is_likelier_than_a_near_one() -> None:
    assert NAMES.find("shout")[0] == EXACT
    assert NAMES.find("rent rescu drop in")[3] < EXACT
