"""The index that is there before it is loaded, and follows what is published."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bot.actions.live_search import LiveSearch, NotReady
from tests.unit.bot.fakes import RENT_RESCUE, FakeSearch


@dataclass
class CountingSearch(FakeSearch):
    refreshed: int = 0
    broken: bool = False

    def refresh(self) -> bool:
        self.refreshed += 1
        if self.broken:
            raise OSError("a snapshot that cannot be read")
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_before_the_index_is_there() -> None:
    search = LiveSearch(CountingSearch)
    assert not search.ready
    with pytest.raises(NotReady):
        search.find("rent")


def test_opening_fails_quietly_and_can_be_tried_again() -> None:
    found = [OSError("no index yet"), CountingSearch()]

    def open_search() -> CountingSearch:
        each = found.pop(0)
        if isinstance(each, OSError):
            raise each
        return each

    search = LiveSearch(open_search)
    assert [search.open(), search.ready, search.open(), search.ready] == [False, False, True, True]


def test_the_first_person_does_not_wait_for_the_model() -> None:
    real = CountingSearch()
    LiveSearch(lambda: real).open()
    assert len(real.asked) == 1


def test_a_newer_index_is_looked_for_at_most_every_second() -> None:
    clock, real = Clock(), CountingSearch()
    search = LiveSearch(lambda: real, clock)
    search.open()
    for clock.now in (100.5, 101.1, 101.2, 101.9, 102.2):
        search.find("rent")
    assert real.refreshed == 2


def test_an_index_that_cannot_be_read_leaves_the_old_one_in_use() -> None:
    clock, real = Clock(), CountingSearch(broken=True)
    search = LiveSearch(lambda: real, clock)
    search.open()
    clock.now += 5
    assert search.find("rent").matches
    assert search.service("svc-rent-help") == RENT_RESCUE
    assert real.refreshed == 1
