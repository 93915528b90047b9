"""Which listings a page of the catalogue shows, and how many there are: asked of the database, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from knowledge.asked import Asked
from knowledge.catalogue import Organisation, Status
from knowledge.editing.drafts import OPEN, Drafts, State
from knowledge.editing.forms import blank_form
from knowledge.editing.overview import Wanted, names_of, read_page, shows
from knowledge.editing.reports import Reports
from knowledge.editing.tables import make_tables
from knowledge.store import Store
from tests.unit.knowledge.builders import SERVICES

TODAY, STALE_DAYS = date(2026, 11, 23), 365
NAMES = sorted(service.name for service in SERVICES)
CAFE = Organisation(id="org-cafe", name="CAFÉ ÉCLAIR")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The small catalogue; two listings are not published, one is closed, two were not checked for long."""
    made = Store.open(f"sqlite:///{tmp_path / 'catalogue.db'}")
    by_name = {service.name: service for service in SERVICES}
    by_name["Pantry"] = replace(by_name["Pantry"], assured_date=date(2025, 11, 22))
    by_name["Food Share"] = replace(by_name["Food Share"], assured_date=None)
    by_name["Roof Advice"] = replace(by_name["Roof Advice"], assured_date=date(2025, 11, 23), organisation=CAFE)
    by_name["Clear Desk"] = replace(by_name["Clear Desk"], status=Status.DEFUNCT)
    for service in by_name.values():
        made.save(service, by="ada", published=service.name not in {"Kettle Club", "Shout"})
    yield made
    made.close()


@pytest.fixture
def asked(store: Store) -> Asked:
    """Four listings were suggested, one of them long ago."""
    make_tables(store.engine)
    clock = [datetime(2026, 5, 1, tzinfo=UTC)]
    counts = Asked(store.engine, clock=lambda: clock[0])
    counts.add({}, {"food-share": 1})
    clock[0] = datetime(2026, 11, 23, tzinfo=UTC)
    counts.add({}, dict.fromkeys(["clear-desk", "kettle-club", "pantry"], 2))
    return counts


def names(store: Store, wanted: Wanted, asked: Asked, page: int = 1, size: int = 50) -> list[str]:
    shown = read_page(store, wanted, shows(asked, TODAY, STALE_DAYS).get(wanted.show), page, size)
    return [listing.service.name for listing in shown.listings]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(Wanted(), NAMES, id="everything, by name"),
        pytest.param(Wanted(show="published"), [name for name in NAMES if name not in {"Kettle Club", "Shout"}],
                     id="published"),
        pytest.param(Wanted(show="overdue"), ["Food Share", "Pantry"], id="a year and a day, or never; a year is not"),
        pytest.param(Wanted(show="closed"), ["Clear Desk", "Kettle Club"], id="suggested and closed"),
        pytest.param(Wanted(show="no such thing"), NAMES, id="unknown shows everything"),
        pytest.param(Wanted(need="food"), ["Food Share", "Pantry"], id="a need"),
        pytest.param(Wanted(need="foo"), [], id="half a need"),
        pytest.param(Wanted(need="low%mood"), [], id="a need is no pattern"),
        pytest.param(Wanted(text="HELP with"), ["Clear Desk", "Rent Rescue"], id="any case, every word"),
        pytest.param(Wanted(text="rent trust"), ["Rent Rescue"], id="words of different fields"),
        pytest.param(Wanted(text="café"), ["Roof Advice"], id="letters with accents, in any case"),
        pytest.param(Wanted(text="100%"), [], id="words are no patterns"),
        pytest.param(Wanted(need="debt", text="food", show="published"), ["Pantry"], id="all together"),
        pytest.param(Wanted(text="food " * 900), ["Food Share", "Pantry"], id="very long"),
        pytest.param(Wanted(text=" ".join(f"w{at}" for at in range(600))), [], id="very many words"),
    ],
)  # fmt: skip
def test_what_is_shown(store: Store, asked: Asked, wanted: Wanted, expected: list[str]) -> None:
    assert names(store, wanted, asked) == expected


def test_never_suggested_is_in_the_last_three_months(store: Store, asked: Asked) -> None:
    shown = names(store, Wanted(show="never"), asked)
    assert "Food Share" in shown
    assert not {"Pantry", "Clear Desk", "Kettle Club", "Shout"} & set(shown)


def test_drafts_and_problems(store: Store, asked: Asked) -> None:
    drafts, reports = Drafts(store), Reports(store.engine, ["phone"])
    for service_id, based_on in (("pantry", "r1"), ("shout", "r1"), ("new-one", "r0")):
        drafts.save(service_id, blank_form() | {"name": "Draft"}, based_on=based_on, by="ada")
    shout = drafts.open("shout")
    assert shout is not None
    drafts.move(shout, State.REVIEW, by="ada")
    reports.add("pantry", "phone", "person")
    assert names(store, Wanted(show="drafts"), asked) == ["Pantry", "Shout"]
    assert names(store, Wanted(show="review"), asked) == ["Shout"]
    assert names(store, Wanted(show="problems"), asked) == ["Pantry"]
    assert set(drafts.open_of(["pantry", "food-share"])) == {"pantry"}
    assert [draft.service_id for draft in drafts.open_new(OPEN)] == ["new-one"]
    assert drafts.open_new([State.REVIEW]) == ()
    reports.settle(1, "ada")
    assert names(store, Wanted(show="problems"), asked) == []


def test_pages_follow_each_other_and_are_counted(store: Store, asked: Asked) -> None:
    pages = [names(store, Wanted(), asked, page, 5) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [5, 5, 2, 0]
    assert [name for page in pages for name in page] == NAMES
    shown = read_page(store, Wanted(need="food"), None, 1, 1)
    assert (len(shown.listings), shown.found, shown.count) == (1, 2, len(SERVICES))


def test_names_of_what_is_there(store: Store) -> None:
    assert names_of(store, ["pantry", "pantry", "nothing"]) == {"pantry": "Pantry"}
