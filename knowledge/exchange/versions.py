"""Names of HSDS 1.1, 1.2, 2.0 and 3.x tables and columns, as one set of names: those of 3.x."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge.catalogue import DAYS
from knowledge.exchange import values
from knowledge.exchange.openings import read_clock
from knowledge.exchange.shapes import (
    ACCESSIBILITY,
    ADDRESS,
    AREA,
    ATTRIBUTE,
    CONTACT,
    COST,
    FUNDING,
    IDENTIFIER,
    LANGUAGE,
    LOCATION,
    ORGANISATION,
    PHONE,
    SCHEDULE,
    SERVICE,
    TERM,
    Shape,
)

SHAPES: Mapping[str, Shape] = {
    "services": SERVICE,
    "organizations": ORGANISATION,
    "locations": LOCATION,
    "service_at_locations": Shape(values={}),
    "addresses": ADDRESS,
    "phones": PHONE,
    "schedules": SCHEDULE,
    "languages": LANGUAGE,
    "accessibility": ACCESSIBILITY,
    "contacts": CONTACT,
    "cost_options": COST,
    "funding": FUNDING,
    "service_areas": AREA,
    "attributes": ATTRIBUTE,
    "taxonomy_terms": TERM,
    "organization_identifiers": IDENTIFIER,
    "eligibility": Shape(values={}),
    "required_documents": Shape(values={}),
}
TABLES = {
    "service": "services",
    "organization": "organizations",
    "location": "locations",
    "service_at_location": "service_at_locations",
    "services_at_location": "service_at_locations",
    "address": "addresses",
    "physical_address": "addresses",
    "physical_addresses": "addresses",
    "postal_address": "postal_addresses",
    "phone": "phones",
    "schedule": "schedules",
    "regular_schedule": "schedules",
    "regular_schedules": "schedules",
    "language": "languages",
    "accessibilities": "accessibility",
    "accessibility_for_disability": "accessibility",
    "accessibility_for_disabilities": "accessibility",
    "contact": "contacts",
    "cost_option": "cost_options",
    "fundings": "funding",
    "service_area": "service_areas",
    "attribute": "attributes",
    "service_taxonomy": "attributes",
    "service_taxonomies": "attributes",
    "service_attribute": "attributes",
    "service_attributes": "attributes",
    "link_taxonomy": "attributes",
    "link_taxonomies": "attributes",
    "taxonomy": "taxonomies",
    "taxonomy_term": "taxonomy_terms",
    "organization_identifier": "organization_identifiers",
    "eligibilities": "eligibility",
    "required_document": "required_documents",
}
PARENTS = ("contact_id", "service_at_location_id", "location_id", "link_id", "service_id", "organization_id")
"""Where a row belongs: the first of these that it names."""


def table_of(name: str, columns: list[str]) -> str | None:
    """The table a file is, or None when nothing of it is read.

    `taxonomy` held the terms themselves until 2.0; from then on it names the vocabularies.
    """
    stem = name.lower().rsplit("/", 1)[-1].removesuffix(".csv").strip()
    table = TABLES.get(stem, stem)
    if table == "taxonomies" and "parent_id" in columns:
        table = "taxonomy_terms"
    return table if table in SHAPES else None


def modern_row(table: str, row: Mapping[str, str]) -> dict[str, Any]:
    """A row with the names and types of 3.x. What cannot be converted stays text and is found by the checks."""
    body: dict[str, Any] = {name: _typed(name, value, SHAPES[table]) for name, value in row.items()}
    if table == "schedules" and "weekday" in body:
        body["byday"] = _weekday(str(body.pop("weekday")))
    elif table == "languages" and "language" in body:
        body.setdefault("name", body.pop("language"))
    elif table == "attributes":
        body.setdefault("taxonomy_term_id", body.pop("taxonomy_id", None) or body.pop("taxonomy_detail", None))
    elif table == "taxonomy_terms":
        body.setdefault("taxonomy", body.pop("vocabulary", None))
    return {name: value for name, value in body.items() if value is not None}


def _typed(name: str, value: str, shape: Shape) -> Any:
    check = shape.values.get(name)
    if check is values.is_number:
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() else number
    if check is values.is_time:
        return value if not values.is_time(value) else read_clock(value) or value
    if name == "status":
        return value.lower()
    return value


def _weekday(text: str) -> str:
    """1.x counts from Monday, or names the day."""
    if text.isdecimal() and 1 <= int(text) <= len(DAYS):
        return DAYS[int(text) - 1]
    return text[:2].upper()
