"""The index that is there before it is loaded, and follows what is published."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

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


def test_no_answer_looks_for_a_newer_index() -> None:
    real = CountingSearch()
    search = LiveSearch(lambda: real)
    search.open()
    search.find("rent")
    search.service("svc-rent-help")
    assert real.refreshed == 0
    search.refresh()
    assert real.refreshed == 1


def test_before_there_is_an_index_there_is_none_to_move_on_from() -> None:
    LiveSearch(CountingSearch).refresh()


def test_an_index_that_cannot_be_read_leaves_the_old_one_in_use_and_is_said_once() -> None:
    real = CountingSearch(broken=True)
    search = LiveSearch(lambda: real)
    search.open()
    with capture_logs() as said:
        search.refresh()
        search.refresh()
    assert search.find("rent").matches
    assert search.service("svc-rent-help") == RENT_RESCUE
    assert real.refreshed == 2
    assert [each["event"] for each in said] == ["index_not_reloaded"]
