"""A table of services, one in a row, to services of the standard, by a mapping of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from knowledge.exchange.extension import FLAGS, KEY
from knowledge.exchange.identity import NEEDS_TAXONOMY, as_uuid, need_uuid
from knowledge.exchange.listings import Item
from knowledge.exchange.openings import problem_with_words, read_words, write_schedules
from knowledge.exchange.problems import Problem, shown
from knowledge.exchange.tables import Row
from knowledge.exchange.tabular import Table

POINTERS = {
    "organisation": "organization",
    "phone": "phones[0]",
    "text_phone": "phones[1]",
    "website": "url",
    "how_to": "application_process",
    "eligibility": "eligibility_description",
    "cost": "fees",
    "area": "service_areas",
    "location": "service_at_locations[0].location.name",
    "address": "service_at_locations[0].location.addresses[0]",
    "postcode": "service_at_locations[0].location.addresses[0].postal_code",
    "latitude": "service_at_locations[0].location.latitude",
    "longitude": "service_at_locations[0].location.longitude",
    "opening": "schedules",
    "terms": "attributes",
    "assured_by": "assurer_email",
}
"""Where a field is in the standard, when it is not under its own name."""
PLAIN = ("name", "description", "email", "website", "how_to", "eligibility", "cost", "alert", "assured_date")
PHONES = ("phone", "text_phone")
SHORTEST_WHOLE, LONGEST_WHOLE = 9, 10
"""Digits of a British or Irish number without the 0 at its beginning."""
YES = {"yes", "y", "true", "1"}
GUARDED = re.compile("^'(?=[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")
"""The mark that our own export puts before what a spreadsheet would take for a formula."""


def read_spreadsheet(table: Table, mapping: Mapping[str, str], source: str) -> Iterator[Item]:
    """A service for each row. `source` goes into the ids of rows that have none."""
    called = {ours: table.shown.get(column, column) for ours, column in mapping.items()}
    columns = {POINTERS.get(ours, ours): column for ours, column in called.items()}
    for row in table.rows():
        if not row.values:
            yield Item(where=row.where, problems=row.problems)
            continue
        values = {ours: _unguarded(row.values[column]) for ours, column in mapping.items() if column in row.values}
        problems = list(row.problems)
        for ours in PHONES:
            if ours in values and mapping[ours] in row.bare_numbers:
                values[ours] = _with_beginning(values[ours], row.where, called[ours], problems)
        body = _service(values, source, problems, row, called)
        yield Item(where=row.where, body=body, columns=columns, problems=tuple(problems))


def _service(
    values: Mapping[str, str], source: str, problems: list[Problem], row: Row, called: Mapping[str, str]
) -> dict[str, Any]:
    owner = values.get("organisation") or values.get("name", "")
    identity = values.get("id") or as_uuid(f"{source}/{owner}/{values.get('name', '')}/{values.get('postcode', '')}")
    body: dict[str, Any] = {POINTERS.get(name, name): values[name] for name in PLAIN if name in values}
    body |= {name: _number(values[name]) for name in ("minimum_age", "maximum_age") if name in values}
    body |= {"id": identity, "status": values.get("status", "active").lower()}
    body["organization"] = {"id": as_uuid(f"{source}/organisation/{owner}"), "name": owner, "description": ""}
    body["phones"] = [
        {"number": values[name], "type": kind}
        for name, kind in (("phone", "voice"), ("text_phone", "sms"))
        if name in values
    ]
    if place := _location(values):
        body["service_at_locations"] = [{"location": place}]
    if "area" in values:
        body["service_areas"] = [{"name": values["area"]}]
    if "opening" in values:
        schedules, rest = read_words(values["opening"])
        body["schedules"] = write_schedules(schedules)
        if rest:
            body["schedules"].append({"description": rest})
            text = problem_with_words(rest)
            problems.append(Problem(where=row.where, pointer=called["opening"], text=text, error=False))
    body["languages"] = [{"name": each} for each in _several(values.get("languages", ""))]
    needs = [
        {"taxonomy_term": {"id": need_uuid(each), "name": each, "description": each, "taxonomy": NEEDS_TAXONOMY}}
        for each in _several(values.get("needs", ""))
    ]
    terms = [{"taxonomy_term": {"name": each, "description": each}} for each in _several(values.get("terms", ""))]
    body["attributes"] = needs + terms
    if extension := _extension(values):
        body[KEY] = extension
    return body


def _with_beginning(number: str, where: str, column: str, problems: list[Problem]) -> str:
    """A phone number that a spreadsheet took for a number and robbed of its 0 or +, which is said."""
    if not number.isdecimal() or len(number) < SHORTEST_WHOLE:
        return number
    whole = f"0{number}" if len(number) <= LONGEST_WHOLE else f"+{number}"
    text = f"{shown(number)} is kept as a number, which loses a 0 at its beginning, so {whole} is used. Format the"
    problems.append(Problem(where=where, pointer=column, text=f"{text} column as text and check it.", error=False))
    return whole


def _location(values: Mapping[str, str]) -> dict[str, Any]:
    place: dict[str, Any] = {name: _number(values[name]) for name in ("latitude", "longitude") if name in values}
    if "location" in values:
        place["name"] = values["location"]
    if {"address", "city", "postcode"} & set(values):
        names = {"address": "address_1", "city": "city", "postcode": "postal_code"}
        given = {theirs: values.get(ours, "") for ours, theirs in names.items()}
        place["addresses"] = [{**given, "state_province": "", "country": "GB", "address_type": "physical"}]
    if "accessibility" in values:
        place["accessibility"] = [{"description": values["accessibility"]}]
    return {"location_type": "physical", **place} if place else {}


def _extension(values: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {name: values[name] for name in ("summary", "kind", "assured_by") if name in values}
    told |= {name: values[name].lower() in YES for name in FLAGS if name in values}
    if values.get("area") in {"town", "county", "national"}:
        told["area"] = values["area"]
    return told


def _number(text: str) -> float | int | str:
    """As a number when it is one; else as it is, for the checks to say so."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not isfinite(number):
        return text
    return int(number) if number.is_integer() and "." not in text else number


def _several(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;|\n]", text) if part.strip()]


def _unguarded(text: str) -> str:
    return GUARDED.sub("", text)
