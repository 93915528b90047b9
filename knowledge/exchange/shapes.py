"""The standard as tables: which fields a thing has, of which kind, and which it must have.

Open Referral UK 3.0 (https://openreferraluk.org) and, where it says nothing, HSDS 3.1 (https://docs.openreferral.org).
Fields that are in no table are allowed by both and are kept as they came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from knowledge.exchange import values
from knowledge.exchange.problems import Findings, shown
from knowledge.exchange.values import Check, one_of

MOST_ENTRIES = 500
"""Entries of one list inside a listing."""
BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""What no database or text message takes: control characters and halves of characters."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One kind of thing. `required` maps a field to what stands for it when an export has nothing to say."""

    values: Mapping[str, Check]
    parts: Mapping[str, Shape] = field(default_factory=dict)
    lists: Mapping[str, Shape] = field(default_factory=dict)
    required: Mapping[str, str] = field(default_factory=dict)


def _texts(*names: str) -> dict[str, Check]:
    return dict.fromkeys(names, values.is_text)


_ID: dict[str, Check] = {"id": values.is_uuid}
TERM = Shape(
    values={
        **_ID,
        **_texts("name", "description", "taxonomy", "term", "code", "language"),
        "parent_id": values.is_uuid,
        "taxonomy_id": values.is_uuid,
        "term_uri": values.is_address,
    },
    required={"name": "", "description": ""},
)
ATTRIBUTE = Shape(
    values={**_ID, **_texts("link_type", "link_entity", "value", "label"), "taxonomy_term_id": values.is_uuid},
    parts={"taxonomy_term": TERM},
)
LANGUAGE = Shape(values={**_ID, **_texts("name", "code", "note", "language")})
PHONE = Shape(
    values={**_ID, **_texts("number", "type", "description"), "extension": lambda _value: None},
    lists={"languages": LANGUAGE, "attributes": ATTRIBUTE},
    required={"number": ""},
)
SCHEDULE = Shape(
    values={
        **_ID,
        **dict.fromkeys(("valid_from", "valid_to", "dtstart", "until"), values.is_date),
        "freq": one_of("WEEKLY", "MONTHLY"),
        "interval": values.is_number,
        "byday": values.is_days,
        **_texts("bymonthday", "byweekno", "byyearday", "description", "attending_type", "notes", "wkst"),
        "opens_at": values.is_time,
        "closes_at": values.is_time,
        "schedule_link": values.is_link,
    },
    lists={"attributes": ATTRIBUTE},
)
ADDRESS = Shape(
    values={
        **_ID,
        **_texts("attention", "address_1", "address_2", "city", "region", "state_province", "postal_code", "country"),
        "address_type": one_of("physical", "postal", "virtual"),
    },
    lists={"attributes": ATTRIBUTE},
    required={
        **dict.fromkeys(("address_1", "city", "state_province", "postal_code"), ""),
        "country": "GB",
        "address_type": "physical",
    },
)
ACCESSIBILITY = Shape(
    values={**_ID, **_texts("description", "details", "accessibility"), "url": values.is_link},
    lists={"attributes": ATTRIBUTE},
)
CONTACT = Shape(
    values={**_ID, **_texts("name", "title", "department"), "email": values.is_email},
    lists={"phones": PHONE, "attributes": ATTRIBUTE},
)
LOCATION = Shape(
    values={
        **_ID,
        "location_type": one_of("physical", "postal", "virtual"),
        **_texts("name", "alternate_name", "description", "transportation", "external_identifier_type"),
        "latitude": values.is_number,
        "longitude": values.is_number,
        "url": values.is_link,
    },
    lists={
        "addresses": ADDRESS,
        "accessibility": ACCESSIBILITY,
        "phones": PHONE,
        "languages": LANGUAGE,
        "contacts": CONTACT,
        "schedules": SCHEDULE,
        "attributes": ATTRIBUTE,
    },
    required={"location_type": "physical"},
)
AT_LOCATION = Shape(
    values={**_ID, **_texts("description")},
    parts={"location": LOCATION},
    lists={"schedules": SCHEDULE, "phones": PHONE, "contacts": CONTACT, "attributes": ATTRIBUTE},
)
IDENTIFIER = Shape(
    values={**_ID, **_texts("identifier_scheme", "identifier_type", "identifier")},
    lists={"attributes": ATTRIBUTE},
    required={"identifier_type": "", "identifier": ""},
)
ORGANISATION = Shape(
    values={
        **_ID,
        **_texts("name", "alternate_name", "description", "logo", "legal_status"),
        "email": values.is_email,
        "website": values.is_link,
        "uri": values.is_address,
        "parent_organization_id": values.is_uuid,
    },
    lists={"organization_identifiers": IDENTIFIER, "phones": PHONE, "contacts": CONTACT, "attributes": ATTRIBUTE},
    required={"name": "", "description": ""},
)
AREA = Shape(
    values={**_ID, **_texts("name", "description", "extent_type", "uri", "service_area"), "extent": values.is_extent},
    lists={"attributes": ATTRIBUTE},
)
COST = Shape(
    values={
        **_ID,
        "valid_from": values.is_date,
        "valid_to": values.is_date,
        **_texts("option", "amount_description", "currency"),
        "amount": values.is_number,
    },
    lists={"attributes": ATTRIBUTE},
)
FUNDING = Shape(values={**_ID, **_texts("source")})
SERVICE = Shape(
    values={
        **_ID,
        "organization_id": values.is_uuid,
        **_texts("name", "alternate_name", "description", "fees", "fees_description", "accreditations", "alert"),
        **_texts("eligibility_description", "application_process", "wait_time", "interpretation_services", "licenses"),
        "url": values.is_link,
        "email": values.is_email,
        "status": one_of("active", "inactive", "defunct", "temporarily closed"),
        "minimum_age": values.is_number,
        "maximum_age": values.is_number,
        "assured_date": values.is_date,
        "assurer_email": values.is_email,
        "last_modified": values.is_moment,
    },
    parts={"organization": ORGANISATION},
    lists={
        "schedules": SCHEDULE,
        "service_areas": AREA,
        "service_at_locations": AT_LOCATION,
        "languages": LANGUAGE,
        "phones": PHONE,
        "contacts": CONTACT,
        "funding": FUNDING,
        "cost_options": COST,
        "attributes": ATTRIBUTE,
    },
    required={"name": "", "status": "active"},
)


def check_thing(thing: Mapping[str, Any], shape: Shape, findings: Findings, pointer: str = "") -> dict[str, Any]:
    """A copy without the values that are wrong; each of those is in `findings`, with its place and the fix."""
    clean: dict[str, Any] = {}
    for name, value in thing.items():
        here = f"{pointer}.{name}" if pointer else name
        used = _check_field(name, value, shape, findings, here)
        if used is not None and used != "":
            clean[name] = used
    if pointer:
        for name in shape.required:
            if name not in thing or thing[name] is None:
                findings.warn(f"{pointer}.{name}", "is missing, which the standard asks for. Add it.")
    return clean


def _check_field(name: str, value: object, shape: Shape, findings: Findings, here: str) -> object:
    if value is None or value == "":
        return None
    if name in shape.lists:
        return _check_list(value, shape.lists[name], findings, here)
    if name not in shape.parts:
        return _check_value(name, _mended(value, findings, here), shape, findings, here)
    if isinstance(value, Mapping):
        return check_thing(value, shape.parts[name], findings, here)
    findings.error(here, f"{shown(value)} is not an object. Write its fields in braces.")
    return None


def _mended(value: object, findings: Findings, here: str) -> object:
    if isinstance(value, str) and BROKEN.search(value):
        findings.warn(here, "has characters that are no text (control characters). They were taken out.")
        return BROKEN.sub("", value)
    return value


def _check_list(value: object, shape: Shape, findings: Findings, here: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        findings.error(here, "is not a list. Write its entries in square brackets.")
        return []
    if len(value) > MOST_ENTRIES:
        findings.error(here, f"has {len(value)} entries, at most {MOST_ENTRIES} are read. The rest is left out.")
    clean = []
    for number, entry in enumerate(value[:MOST_ENTRIES]):
        if isinstance(entry, Mapping):
            clean.append(check_thing(entry, shape, findings, f"{here}[{number}]"))
        else:
            findings.error(f"{here}[{number}]", f"{shown(entry)} is not an object. Write its fields in braces.")
    return clean


def _check_value(name: str, value: object, shape: Shape, findings: Findings, here: str) -> object:
    """The value to use, or None. "www.place.example" is read as the address it means."""
    check = shape.values.get(name)
    wrong = check(value) if check else None
    if not wrong:
        return value
    if check is values.is_uuid:
        if isinstance(value, str | int):
            if findings.columns is None:  # tables of older versions number their rows: no news in every line
                findings.warn(here, wrong)
            return value
        wrong = f"{shown(value)} is not an id. Write text."
    if check is values.is_link and not values.is_link(mended := f"https://{value}") and str(value).startswith("www."):
        findings.warn(here, f"{shown(value)} was read as {shown(mended)}. Write it so.")
        return mended
    findings.error(here, wrong)
    return None
