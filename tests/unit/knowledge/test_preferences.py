"""What a listing says about being free, open, reachable without a call."""

from __future__ import annotations

import pytest

from knowledge.catalogue import Area, Kind, Location, Organisation, Phone, Schedule, Service
from knowledge.hours import Opening
from knowledge.preferences import Preference, met

OPEN, SHUT, UNKNOWN = (Opening(is_open=state, words="") for state in (True, False, None))
PLACE = Location(address="12 Bell Street")


def make(**values: object) -> Service:
    organisation = Organisation(id="org", name="Org")
    return Service(**{"id": "svc", "organisation": organisation, "name": "Somewhere", **values})  # type: ignore[arg-type]


def meets(wanted: Preference, opening: Opening = UNKNOWN, **values: object) -> bool:
    return wanted in met(make(**values), opening, [wanted])


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("Free", True),
        ("Free to join", True),
        ("Pay what you like", True),
        ("4 pounds, or free if that is hard", True),
        ("From 5 pounds, free if money is short", True),
        ("Free first time, then 4 pounds", False),
        ("Free first meeting, then pay by income", False),
        ("Small loan, no interest", False),
        ("2 pounds", False),
        ("", False),
    ],
)
def test_free(cost: str, expected: bool) -> None:
    assert meets(Preference.FREE, cost=cost) is expected


@pytest.mark.parametrize(("opening", "expected"), [(OPEN, True), (SHUT, False), (UNKNOWN, False)])
def test_open_now_is_only_what_is_known_to_be_open(opening: Opening, expected: bool) -> None:
    assert meets(Preference.OPEN_NOW, opening) is expected


@pytest.mark.parametrize(
    ("wanted", "values", "expected"),
    [
        pytest.param(Preference.REMOTE, {"kind": Kind.LINE, "locations": (PLACE,)}, True, id="a line is remote"),
        pytest.param(Preference.REMOTE, {"locations": (PLACE,)}, False, id="a drop-in is not"),
        pytest.param(Preference.REMOTE, {"locations": (PLACE,), "summary": "By video"}, True, id="unless by video"),
        pytest.param(Preference.ONLINE, {"email": "a@b.example"}, True, id="email counts as online"),
        pytest.param(Preference.ONLINE, {"website": "https://b.example"}, False, id="a local web page does not"),
        pytest.param(
            Preference.ONLINE, {"website": "https://b.example", "area": Area.NATIONAL}, True, id="a national one does"
        ),
        pytest.param(Preference.WRITTEN, {"phones": (Phone(number="1", sms=True),)}, True, id="a text line"),
        pytest.param(Preference.WRITTEN, {"phones": (Phone(number="1"),)}, False, id="a phone alone"),
        pytest.param(Preference.WRITTEN, {"how_to": "Just turn up."}, True, id="turning up needs no call"),
        pytest.param(Preference.IN_PERSON, {"locations": (PLACE,)}, True, id="has a place"),
        pytest.param(Preference.IN_PERSON, {}, False, id="has none"),
        pytest.param(Preference.WOMEN, {"eligibility": "Run by women for women."}, True, id="for women"),
        pytest.param(Preference.WOMEN, {"summary": "A group for men."}, False, id="for men"),
        pytest.param(Preference.CHILDREN, {"how_to": "Just turn up with the children."}, True, id="with children"),
        pytest.param(Preference.CHILDREN, {"summary": "Chess for adults"}, False, id="without"),
        pytest.param(Preference.ALONE, {"summary": "Talk to somebody by yourself."}, True, id="by oneself"),
        pytest.param(Preference.ALONE, {"name": "Tuesday walking group"}, False, id="a group"),
        pytest.param(Preference.ALONE, {"kind": Kind.COMMUNITY}, False, id="nobody calls it a service"),
        pytest.param(Preference.NEAR, {}, True, id="nearness is an order"),
    ],
)
def test_what_the_listing_says(wanted: Preference, values: dict[str, object], expected: bool) -> None:
    assert meets(wanted, **values) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("schedule", "evening", "weekend"),
    [
        (Schedule(days=("MO",), opens="09:00", closes="17:00"), False, False),
        (Schedule(days=("TH",), opens="16:30", closes="19:00"), True, False),
        (Schedule(days=("MO",), opens="16:00", closes="18:15"), False, False),
        (Schedule(days=("SA",), opens="10:00", closes="12:30"), False, True),
        (Schedule(days=("SU",), opens="20:00", closes="02:00"), True, True),
        (Schedule(days=("MO", "SA"), opens="00:00", closes="24:00"), True, True),
    ],
)
def test_evenings_and_weekends(schedule: Schedule, evening: bool, weekend: bool) -> None:
    assert meets(Preference.EVENINGS, schedules=(schedule,)) is evening
    assert meets(Preference.WEEKENDS, schedules=(schedule,)) is weekend


def test_several_are_told_apart() -> None:
    wanted = [Preference.FREE, Preference.OPEN_NOW, Preference.WOMEN]
    assert met(make(cost="Free"), SHUT, wanted) == {Preference.FREE}
