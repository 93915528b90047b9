"""Pushes on a score: each in the right direction, none large enough to hide anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from knowledge.boosts import Circumstances, boost, is_served, is_too_far, miles_to, suits_age
from knowledge.catalogue import Area, Location, Service
from knowledge.hours import Opening
from tests.unit.knowledge.builders import FAR_AWAY, MILLGATE, MONDAY_NOON, at, line, service

NOW = Circumstances(now=MONDAY_NOON, zone="Europe/London", stale_days=365)
OPEN = Opening(is_open=True, words="open now until 5pm")
CLOSED = Opening(is_open=False, words="opens tomorrow 9am")
UNKNOWN = Opening(is_open=None, words="ask for hours")
PLAIN = service("Plain", assured_date=None)


def pushed(listed: Service = PLAIN, state: Opening = UNKNOWN, miles: float | None = None, **known: Any) -> float:
    return boost(listed, state, miles, replace(NOW, **known))


def test_nothing_known_nothing_pushed() -> None:
    assert pushed() == 0.0


def test_open_now_counts_and_more_when_it_is_urgent() -> None:
    assert pushed(state=OPEN, urgent=True) > pushed(state=OPEN) > pushed(state=CLOSED) == pushed(state=UNKNOWN)


def test_near_counts_and_less_with_every_mile() -> None:
    assert pushed(miles=0.1) > pushed(miles=2.0) > pushed(miles=8.0) > pushed() == 0.0


@pytest.mark.parametrize(
    ("area", "loses"),
    [
        pytest.param(Area.TOWN, True, id="help for a town is no use far away"),
        pytest.param(Area.COUNTY, True, id="help for a county neither"),
        pytest.param(Area.NATIONAL, False, id="national help is never far"),
    ],
)
def test_too_far_away(area: Area, loses: bool) -> None:
    assert (pushed(service("A", area=area, assured_date=None), miles=300.0) < -1.0) is loses


ROUND_MILLGATE = "-1,54 -0.8,54 -0.8,54.3 -1,54.3 -1,54"


@pytest.mark.parametrize("area", list(Area), ids=str)
def test_who_is_inside_what_was_drawn_is_served_however_far_its_office_is(area: Area) -> None:
    listed = service("A", area=area, drawn=ROUND_MILLGATE, assured_date=None)
    assert is_served(listed, MILLGATE) is True
    assert not is_too_far(listed, 200.0, served=True)
    assert pushed(listed, miles=200.0, place=MILLGATE) == pushed(listed, place=MILLGATE) > 0.0


@pytest.mark.parametrize(
    ("area", "served", "loses"),
    [
        pytest.param(Area.TOWN, False, True, id="help for a town is for others"),
        pytest.param(Area.COUNTY, False, False, id="help for a county is said to be for others, and loses no place"),
        pytest.param(Area.NATIONAL, None, False, id="national help is for everyone, whatever was drawn"),
    ],
)
def test_who_is_outside_of_what_was_drawn(area: Area, served: bool | None, loses: bool) -> None:
    listed = service("A", area=area, drawn=ROUND_MILLGATE, assured_date=None)
    assert is_served(listed, FAR_AWAY) is served
    assert is_too_far(listed, 0.1, served) is (served is False)
    assert (pushed(listed, miles=0.1, place=FAR_AWAY) < 0) is loses


def test_nothing_drawn_or_no_place_says_nothing() -> None:
    assert is_served(PLAIN, MILLGATE) is None
    assert is_served(service("A", drawn=ROUND_MILLGATE), None) is None


def test_a_listing_loses_a_little_as_it_ages_and_more_once_it_is_stale() -> None:
    fresh, older, stale = (service("A", assured_date=date(year, 11, 20)) for year in (2026, 2025, 2024))
    older = service("A", assured_date=date(2026, 1, 1))
    assert 0.0 >= pushed(fresh) > pushed(older) > pushed(stale)


def test_a_date_in_the_future_is_no_advantage() -> None:
    assert pushed(service("A", assured_date=date(2027, 1, 1))) == 0.0


@pytest.mark.parametrize(
    ("limits", "age", "suits"),
    [
        pytest.param({}, 15, None, id="no limits"),
        pytest.param({"minimum_age": 18}, None, None, id="no age given"),
        pytest.param({"minimum_age": 18}, 18, True, id="old enough"),
        pytest.param({"minimum_age": 18}, 17, False, id="too young"),
        pytest.param({"maximum_age": 25}, 25, True, id="young enough"),
        pytest.param({"minimum_age": 11, "maximum_age": 25}, 26, False, id="too old"),
    ],
)
def test_whether_an_age_suits(limits: dict[str, int], age: int | None, suits: bool | None) -> None:
    listed = service("A", assured_date=None, **limits)
    assert suits_age(listed, age) is suits
    if suits is not None:
        assert (pushed(listed, age=age) > 0) is suits


def test_for_some_people_only_counts_less_while_nobody_said_to_be_one_of_them() -> None:
    assert pushed(service("A", assured_date=None, eligibility="For men.")) < 0


def test_a_service_that_is_mainly_for_something_nobody_spoke_of_counts_less() -> None:
    gambling = service("A", "gambling", "low_mood", assured_date=None)
    heard = {"low_mood": 0.9, "gambling": 0.0}
    assert pushed(gambling, said=heard) < pushed(gambling, said=heard, close=frozenset({"gambling"})) < 0.0
    assert pushed(gambling, said={"gambling": 0.3}) == 0.0
    assert pushed(PLAIN, said=heard) == 0.0


def test_the_nearest_of_several_locations_counts() -> None:
    listed = service("A", locations=(*at(FAR_AWAY), *at(MILLGATE), Location(name="nowhere")))
    assert miles_to(listed, MILLGATE) == pytest.approx(0.0, abs=0.01)
    assert miles_to(listed, None) is None
    assert miles_to(line("B"), MILLGATE) is None
