"""The nouns survive being written down."""

from __future__ import annotations

import json
from datetime import date

import pytest

from knowledge.catalogue import (
    Area,
    Kind,
    Location,
    Organisation,
    Phone,
    Schedule,
    Service,
    Status,
    service_from_dict,
    service_to_dict,
)  # fmt: skip
from tests.unit.knowledge.builders import service

FULL = Service(
    id="svc-full",
    organisation=Organisation(id="org-full", name="Full", description="d", website="https://full.example"),
    name="Full",
    summary="s",
    description="d",
    needs=("rent", "debt"),
    kind=Kind.COMMUNITY,
    phones=(Phone(number="01632 960001", description="office", extension="2", sms=True),),
    email="a@full.example",
    website="https://full.example",
    how_to="Ring.",
    eligibility="For men.",
    minimum_age=18,
    maximum_age=99,
    cost="Free",
    area=Area.COUNTY,
    locations=(Location(name="n", address="a", postcode="WZ1 2AB", latitude=54.0, longitude=-1.0, accessibility="x"),),
    schedules=(Schedule(days=("MO", "TU"), opens="09:00", closes="17:00"),),
    languages=("en", "pl"),
    companion=True,
    alert="Moved",
    status=Status.TEMPORARILY_CLOSED,
    crisis=True,
    assured_date=date(2026, 11, 1),
    assured_by="Team",
    terms=("Food",),
)


@pytest.mark.parametrize("listed", [FULL, service("Small")], ids=["every field", "few fields"])
def test_a_service_is_the_same_after_a_trip_through_json(listed: Service) -> None:
    assert service_from_dict(json.loads(json.dumps(service_to_dict(listed)))) == listed


def test_a_field_that_is_not_known_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        service_from_dict({**service_to_dict(FULL), "colour": "red"})


@pytest.mark.parametrize(
    ("fields", "restricted"),
    [({}, False), ({"minimum_age": 18}, False), ({"minimum_age": 55}, True), ({"maximum_age": 25}, True),
     ({"eligibility": "For men."}, True)],
    ids=["everyone", "adults", "older people", "young people", "in words"],
)  # fmt: skip
def test_what_is_for_some_people_only(fields: dict[str, object], restricted: bool) -> None:
    assert service("A", **fields).restricted is restricted
