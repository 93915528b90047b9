"""Listings of ours in the standard's words, and back."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from knowledge.catalogue import Area, Organisation, Phone, Schedule, Service
from knowledge.exchange.listings import Item, Reader
from knowledge.exchange.writing import Writer, write_organisation
from knowledge.publish import read_content
from knowledge.settings import read_settings
from tests.unit.knowledge.exchange.standard import READER, TODAY, WRITER, example, read, wrong_by_schema

NOW = datetime(2026, 11, 23, 9, 30, 0, 123_456, tzinfo=UTC)


def test_the_whole_demo_catalogue_goes_out_valid_and_comes_back_the_same() -> None:
    needs, content = read_content(read_settings(demo=True, country="GB"))
    reader = Reader(needs=[need.id for need in needs], today=TODAY)
    writer = Writer(needs={need.id: need for need in needs}, reader=reader)
    assert len(content.services) > 190
    for service in content.services:
        body = writer.write(service, kept=None, modified=NOW)
        assert wrong_by_schema(body) == []
        back = reader.read(Item(where="", body=body))
        assert back.problems == ()
        assert back.service == service


@pytest.mark.parametrize("name", ["service_full.json", "service_full_WARN.json", "service_full_FAIL.json"])
def test_what_was_imported_goes_out_as_it_came(name: str) -> None:
    kept = example(name)
    service = read(kept).service
    assert service
    body = WRITER.write(service, kept=kept, modified=None)
    assert wrong_by_schema(body) == []
    for part in ("schedules", "service_at_locations", "funding", "cost_options", "contacts", "accreditations"):
        assert body[part] == kept[part]
    assert body["organization"] == kept["organization"]
    assert body["attributes"] == kept["attributes"]


def test_what_an_editor_changed_goes_out_changed_and_the_rest_as_it_came() -> None:
    kept = example("service_full.json")
    service = read(kept).service
    assert service
    edited = replace(
        service,
        phones=(Phone(number="01632 960001"),),
        needs=("food",),
        schedules=(Schedule(days=("MO",), opens="09:00", closes="24:00"),),
    )
    body = WRITER.write(edited, kept=kept, modified=NOW)
    assert wrong_by_schema(body) == []
    assert body["phones"][0]["number"] == "01632 960001"
    assert body["schedules"][0]["closes_at"] == "23:59"
    assert [each["taxonomy_term"]["name"] for each in body["attributes"]] == ["Food", "name"]
    assert body["funding"] == kept["funding"]
    assert body["last_modified"] == "2026-11-23T09:30:00.123Z"


def test_what_is_no_link_and_no_email_is_left_out() -> None:
    owner = Organisation(id="org-x", name="X", website="x")
    service = Service(id="x", organisation=owner, name="X", website="x", email="x", needs=("gone",), area=Area.NATIONAL)
    body = WRITER.write(service, kept=None, modified=None)
    assert wrong_by_schema(body) == []
    assert not {"url", "email"} & set(body)
    assert "website" not in body["organization"]
    assert wrong_by_schema(write_organisation(owner), "schema_organization.json") == []


def test_a_drawn_area_goes_out_as_it_came_until_an_editor_chooses_another() -> None:
    ring = [[-0.9 + 0.1 * math.cos(turn / 400), 54.1 + 0.1 * math.sin(turn / 400)] for turn in range(2_513)]
    drawn = json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    kept = {
        **example("service_full.json"),
        "service_areas": [{"name": "Here", "extent": drawn, "extent_type": "geojson"}],
    }
    service = read(kept).service
    assert service
    assert len(service.drawn) < len(drawn) / 10
    assert WRITER.write(service, kept=kept, modified=None)["service_areas"][0]["extent"] == drawn
    edited = replace(service, area=Area.NATIONAL, drawn="")
    assert "extent" not in WRITER.write(edited, kept=kept, modified=None)["service_areas"][0]


def test_every_field_of_a_listing_is_in_the_export() -> None:
    """A field added to the catalogue must find its way out."""
    assert {each.name for each in fields(Service)} == {
        "id", "organisation", "name", "summary", "description", "needs", "kind", "phones", "email", "website", "how_to",
        "eligibility", "minimum_age", "maximum_age", "cost", "area", "locations", "schedules", "languages", "companion",
        "alert", "status", "crisis", "assured_date", "assured_by", "terms", "drawn",
    }  # fmt: skip
    assert READER.needs
