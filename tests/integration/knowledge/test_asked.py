"""What nothing answers: counts that nobody can be found in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.actions.find_support import find_support
from bot.actions.heard import Heard
from knowledge.asked import FEWEST, Asked, Tally
from knowledge.editing.live import Live
from knowledge.errors import IndexMissing
from knowledge.store import Store
from tests.unit.bot.fakes import make_tools


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    yield opened
    opened.close()


def test_small_counts_are_not_shown(store: Store) -> None:
    asked = Asked(store.engine)
    asked.add({("rent", "Millgate", False): FEWEST - 1, ("food", "", False): FEWEST, ("food", "", True): 3}, {})
    shown, hidden = asked.unanswered()
    assert [(each.need, each.place, each.times, each.asked) for each in shown] == [("food", "", FEWEST, FEWEST + 3)]
    assert hidden == 1
    asked.add({("rent", "Millgate", False): 1}, {})
    assert {each.need for each in asked.unanswered()[0]} == {"rent", "food"}


def test_what_is_answered_well_is_not_listed(store: Store) -> None:
    asked = Asked(store.engine)
    asked.add({("rent", "", True): 100}, {"svc-a": 3})
    asked.add({}, {"svc-a": 1})
    assert asked.unanswered() == ((), 0)
    assert asked.suggested() == {"svc-a": 4}


def test_old_months_are_left_out(store: Store) -> None:
    now = [datetime(2026, 1, 31, tzinfo=UTC)]
    asked = Asked(store.engine, lambda: now[0])
    asked.add({("rent", "", False): 9}, {"svc-a": 1})
    now[0] = datetime(2026, 4, 1, tzinfo=UTC)
    assert asked.unanswered()[0]
    now[0] = datetime(2026, 5, 1, tzinfo=UTC)
    assert asked.unanswered() == ((), 0)
    assert asked.suggested() == {}


def test_counts_are_written_later_and_kept_when_they_cannot_be(store: Store) -> None:
    failures: list[str] = []
    is_away = [True]

    def open_asked() -> Asked:
        if is_away[0]:
            raise OSError("no disk")
        return Asked(store.engine)

    tally = Tally(open_asked, failures.append, pause=3600)
    tally.note(["rent", "food"], "Millgate", False, ["svc-a"])
    tally.note([], None, False, [])
    tally.write()
    assert failures == ["OSError"]
    is_away[0] = False
    tally.write()
    tally.write()
    asked = Asked(store.engine)
    assert asked.suggested() == {"svc-a": 1}
    assert asked.unanswered() == ((), 3)


def test_counts_are_written_by_themselves(store: Store) -> None:
    written = threading.Event()

    class Noted(Asked):
        def add(self, *counts: object) -> None:
            super().add(*counts)  # type: ignore[arg-type]  # handed on as they came
            written.set()

    tally = Tally(lambda: Noted(store.engine), lambda error: None, pause=0.01)
    tally.note(["rent"], None, True, ["svc-a"])
    assert written.wait(10)
    assert Asked(store.engine).suggested() == {"svc-a": 1}


def test_a_build_that_fails_leaves_the_thread_ready_for_the_next_one() -> None:
    built: list[int] = []

    def go_live() -> None:
        built.append(1)
        if len(built) == 1:
            raise IndexMissing("no")
        if len(built) == 2:
            raise RuntimeError("worse")

    live = Live(go_live)
    for _ in range(3):
        live.soon()
        assert live.wait(10)
    assert len(built) == 3
    live.close()


def test_going_on_with_a_list_counts_its_services_only(store: Store) -> None:
    tally = Tally(lambda: Asked(store.engine), lambda error: None, pause=3600)
    tally.note(None, None, False, ["svc-a"])
    tally.write()
    assert Asked(store.engine).unanswered() == ((), 0)
    assert Asked(store.engine).suggested() == {"svc-a": 1}


def test_an_answer_is_counted_without_its_words() -> None:
    noted: list[tuple[object, ...]] = []

    class Counts:
        def note(self, *facts: object) -> None:
            noted.append(facts)

    tools = replace(make_tools(), counts=Counts())
    find_support(Heard(text="cant pay my rent", channel="sms"), tools)
    ((needs, _place, well, services),) = noted
    assert isinstance(needs, list)
    assert isinstance(well, bool)
    assert services
    assert "cant pay" not in repr(noted)
