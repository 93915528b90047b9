"""How a message is read before anything is searched."""

from __future__ import annotations

import pytest

from knowledge.reading import LONGEST_TEXT, age_in, clean


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("im 15 and need someone", 15), ("I am only 17", 17), ("i'm 84", 84), ("my son is 14", 14),
        ("a 22 year old", 22), ("19yo lad", 19), ("im 20 pounds short", None), ("im 12 weeks pregnant", None),
        ("i have 2 kids", None), ("im 5 months gone", None), ("2 months behind", None), ("my rent is 650", None),
        ("", None),
    ],
)  # fmt: skip
def test_ages(text: str, age: int | None) -> None:
    assert age_in(text) == age


def test_nothing_that_breaks_a_model_gets_through() -> None:
    assert clean("a\ud800b\0c ") == "a?b c"
    assert len(clean("x" * 50_000)) == LONGEST_TEXT
