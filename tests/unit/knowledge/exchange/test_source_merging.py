"""What a source says now, what it said before, and what is here."""

from __future__ import annotations

from dataclasses import replace

from knowledge.exchange.merging import base_of, merge
from tests.unit.knowledge.builders import service

THEN = service("Pantry", "food", cost="Free")


def test_a_field_that_was_not_kept_before_follows_the_source() -> None:
    base = {name: value for name, value in base_of(THEN).items() if name != "drawn"}
    drawn = replace(THEN, drawn="-1,54 -0.8,54 -0.8,54.2 -1,54")
    assert merge(base, drawn, THEN).service == drawn


def test_an_area_that_was_chosen_here_stays_when_the_source_draws_it_again() -> None:
    theirs = replace(THEN, drawn="-1,54 -0.8,54 -0.8,54.2 -1,54")
    again = replace(THEN, drawn="-1,54 -0.7,54 -0.7,54.2 -1,54")
    assert merge(base_of(theirs), again, THEN).service == THEN
    assert merge(base_of(theirs), again, THEN).kept == ("drawn",)
