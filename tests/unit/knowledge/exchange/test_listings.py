"""A service of the standard to a listing of ours, and everything that can be wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from knowledge.catalogue import Area, Kind, Location, Phone, Schedule, Service, Status
from knowledge.exchange.listings import Item
from knowledge.exchange.problems import Findings
from tests.unit.knowledge.exchange.standard import READER, example, minimal, problems, read


def service_of(**fields: Any) -> Service:
    service = read(minimal(**fields)).service
    assert service
    return service


def test_the_official_example_becomes_a_listing() -> None:
    incoming = read(example("service_full.json"))
    service = incoming.service
    assert service
    assert (service.id, service.name) == ("ac148810-d857-441c-9679-408f346de14b", "Community Counselling")
    assert service.organisation.name == "Example Organization Inc."
    assert service.website == "http://example.com/counselling"
    assert (service.minimum_age, service.maximum_age) == (12, 100)
    assert service.cost == "fees_description"
    assert service.locations[0].address == "1-30 Main Street, MyCity"
    assert "induction loops" in service.locations[0].accessibility
    assert service.terms == ("name",)
    assert service.alert.startswith("Following COVID-19")
    assert service.schedules == ()
    assert not [problem for problem in incoming.problems if problem.error]
    assert [problem.pointer for problem in incoming.problems] == [
        "services[3].service_at_locations[0].location.latitude",
        "services[3].schedules[0]",
    ]


def test_the_official_failures_are_named_and_the_rest_is_read() -> None:
    incoming = read(example("service_full_FAIL.json"))
    assert incoming.service
    assert incoming.service.name == "Community Counselling"
    assert (incoming.service.website, incoming.service.email) == ("", "")
    assert [str(problem) for problem in incoming.problems if problem.error] == [
        "error: feed.json:1: services[3].url: 'example/counselling' is not a web address. Begin with https://",
        "error: feed.json:1: services[3].email: 'email-example_com' is not an email address. Write name@place.example.",
    ]


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        pytest.param({"name": " "}, "name", "is missing", id="a name of spaces"),
        pytest.param({"id": None}, "id", "is missing", id="no id"),
        pytest.param({"id": ["x"]}, "id", "is not an id", id="an id that is a list"),
        pytest.param({"id": "17"}, "id", "not a UUID", id="an id of an older version"),
        pytest.param({"status": "open"}, "status", "Use one of: active", id="a status of their own"),
        pytest.param({"minimum_age": "12"}, "minimum_age", "not a number", id="an age in quotation marks"),
        pytest.param({"minimum_age": 250}, "minimum_age", "not an age", id="an age nobody has"),
        pytest.param({"assured_date": "23/11/2026"}, "assured_date", "2026-11-01", id="a date the British way"),
        pytest.param({"last_modified": "2026-11-01"}, "last_modified", "has no time", id="a moment without a time"),
        pytest.param({"description": "x" * 10_001}, "description", "10001 characters", id="a text that is too long"),
        pytest.param({"phones": {}}, "phones", "is not a list", id="phones that are not a list"),
        pytest.param({"phones": ["1"]}, "phones[0]", "is not an object", id="a phone that is only text"),
        pytest.param({"phones": [{"number": "ask"}]}, "phones[0].number", "not a phone number", id="a phone in words"),
        pytest.param({"phones": [{"number": "01610 1"}] * 501}, "phones", "501 entries", id="too many entries"),
        pytest.param({"organization": "x"}, "organization", "is not an object", id="an organisation as text"),
        pytest.param(
            {"schedules": [{"opens_at": "25:00"}]}, "schedules[0].opens_at", "is not a time", id="an hour that is none"
        ),
        pytest.param({"schedules": [{"byday": "XX"}]}, "schedules[0].byday", "are not days", id="days that are none"),
        pytest.param(
            {"schedules": [{"freq": "DAILY"}]}, "schedules[0].freq", "WEEKLY, MONTHLY", id="a frequency of their own"
        ),
        pytest.param({"url": "www.place.example"}, "url", "was read as", id="a link without its beginning"),
        pytest.param({"languages": [{"name": "Klingonish"}]}, "languages[0]", "not a language", id="a language"),
        pytest.param({"no_wrong_door": {"kind": "x"}}, "no_wrong_door.kind", "Leave it out", id="an unknown kind"),
        pytest.param({"no_wrong_door": 3}, "no_wrong_door", "Leave it out", id="our own part broken"),
    ],
)
def test_what_is_wrong_is_said_with_its_field(fields: dict[str, Any], pointer: str, words: str) -> None:
    said = problems(minimal(**fields))
    assert any(f"feed.json:1: services[3].{pointer}: " in line and words in line for line in said), said


def test_only_a_missing_name_or_id_keeps_a_listing_out() -> None:
    assert read(minimal(name="")).service is None
    assert read(minimal(id="")).service is None
    assert read({"id": "x", "name": "Bare"}).service


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(
            {"freq": "WEEKLY", "byday": "TH,FR", "opens_at": "10:00:00", "closes_at": "18:00:00"},
            Schedule(days=("TH", "FR"), opens="10:00", closes="18:00"),
            id="as the standard writes it",
        ),
        pytest.param(
            {"byday": "SU", "opens_at": "00:00Z", "closes_at": "23:59"},
            Schedule(days=("SU",), opens="00:00", closes="24:00"),
            id="until midnight",
        ),
        pytest.param({"byday": "MO", "opens_at": "09:00", "closes_at": "17:00", "interval": 2}, None, id="fortnightly"),
        pytest.param({"byday": "1MO", "opens_at": "09:00", "closes_at": "17:00"}, None, id="first Monday of the month"),
        pytest.param(
            {"byday": "MO", "opens_at": "09:00", "closes_at": "17:00", "valid_to": "2020-01-01"}, None, id="over"
        ),
        pytest.param(
            {"byday": "MO", "opens_at": "09:00", "closes_at": "17:00", "valid_from": "2030-01-01"}, None, id="to come"
        ),
        pytest.param({"byday": "MO", "opens_at": "09:00"}, None, id="no end"),
        pytest.param({"opens_at": "09:00", "closes_at": "17:00"}, None, id="no days"),
    ],
)
def test_hours_are_read_only_when_they_are_every_week(entry: dict[str, Any], expected: Schedule | None) -> None:
    incoming = read(minimal(schedules=[entry]))
    assert incoming.service
    assert incoming.service.schedules == ((expected,) if expected else ())
    assert bool(incoming.problems) is (expected is None)


def test_phones_come_from_the_nearest_that_has_one() -> None:
    owner = {**minimal()["organization"], "phones": [{"number": "01632 960009"}]}
    assert service_of(organization=owner).phones == (Phone(number="01632 960009"),)
    nearer = service_of(
        organization=owner,
        phones=[{"number": "01632 960001", "type": "fax"}],
        contacts=[{"phones": [{"number": "07700 900123", "type": "SMS", "description": "Text"}]}],
        service_at_locations=[{"location": {"phones": [{"number": "01632960002", "extension": 7}]}}],
    )
    assert nearer.phones == (
        Phone(number="07700 900123", description="Text", sms=True),
        Phone(number="01632960002", extension="7"),
    )


def test_places_that_are_only_online_are_no_places() -> None:
    virtual = {"location": {"location_type": "virtual", "name": "Video call"}}
    real = {"location": {"location_type": "physical", "latitude": 53.4, "longitude": -2.2}}
    lost = {"location": {"name": "Hall", "latitude": 0, "longitude": 0}}
    assert service_of(service_at_locations=[virtual, real, lost]).locations == (
        Location(latitude=53.4, longitude=-2.2),
        Location(name="Hall"),
    )


@pytest.mark.parametrize(
    ("areas", "expected"),
    [
        ("All of England", Area.NATIONAL),
        ("Greater Manchester", Area.COUNTY),
        ("Millgate", Area.TOWN),
        ("", Area.COUNTY),
    ],
)
def test_the_area_is_read_from_words(areas: str, expected: Area) -> None:
    assert service_of(service_areas=[{"name": areas}] if areas else []).area is expected


SQUARE = {"type": "Polygon", "coordinates": [[[-1.0, 54.0], [-0.8, 54.0], [-0.8, 54.2], [-1.0, 54.2], [-1.0, 54.0]]]}


def test_an_area_that_was_drawn_stays_with_the_listing() -> None:
    area = {"name": "Here", "extent": json.dumps(SQUARE), "extent_type": "geojson"}
    found = read(minimal(service_areas=[area]))
    assert found.service
    assert found.service.drawn == "-1,54 -0.8,54 -0.8,54.2 -1,54.2 -1,54"
    assert found.problems == ()


def test_words_are_plain_and_the_summary_fits_a_text() -> None:
    service = service_of(
        description="<p>Come &amp; eat.</p><script>x()</script><p>Every night\x00, all winter.</p>" * 4
    )
    assert service.description.startswith("Come & eat.\n\nEvery night, all winter.")
    assert service.summary.startswith("Come & eat. Every night, all winter.")
    assert len(service.summary) <= 110
    assert len(service_of(description="word " * 60).summary) <= 110


def test_languages_costs_and_status() -> None:
    service = service_of(
        languages=[{"name": "Polish"}, {"code": "ur"}, {"id": "2989d3ed-c547-48f8-8f9d-432d81c7892e"}],
        cost_options=[{"amount": 0, "option": "Carers"}, {"amount": 3.5, "amount_description": "a visit"}],
        status="temporarily closed",
    )
    assert service.languages == ("pl", "ur")
    assert service.cost == "Free (Carers); 3.5 pounds a visit"
    assert service.status is Status.TEMPORARILY_CLOSED


def test_a_foreign_feed_cannot_make_itself_a_crisis_line() -> None:
    incoming = read(minimal(no_wrong_door={"crisis": True, "kind": "line"}))
    assert incoming.claims == ("it says that it is for a crisis",)
    assert incoming.service and incoming.service.kind is Kind.LINE


def test_an_item_that_is_only_a_problem_stays_one() -> None:
    findings = Findings("feed.json:9")
    findings.error("", "cannot be read.")
    incoming = READER.read(Item(where="feed.json:9", problems=tuple(findings.problems)))
    assert incoming.service is None
    assert str(incoming.problems[0]) == "error: feed.json:9: cannot be read."
    assert incoming.problems[0].to_dict()["severity"] == "error"


def test_problems_of_a_table_name_its_columns() -> None:
    item = Item(where="t.csv:2", body=minimal(url="x"), columns={"url": "Web site", "u": "other"})
    assert [problem.pointer for problem in READER.read(item).problems] == ["Web site"]
