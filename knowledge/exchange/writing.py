"""A listing as a service of Open Referral UK 3.0, as it would be published.

What came with an import and was not changed here goes out in the words it came in; what an editor changed, and what
was never imported, is written from our fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from knowledge.catalogue import Area, Location, Need, Organisation, Phone, Service
from knowledge.exchange.completing import complete_thing
from knowledge.exchange.extension import KEY, write_extension
from knowledge.exchange.identity import NEEDS_TAXONOMY, as_uuid, need_uuid, taxonomy_uuid
from knowledge.exchange.languages import name_of
from knowledge.exchange.listings import Item, Reader
from knowledge.exchange.openings import write_schedules
from knowledge.exchange.problems import Findings
from knowledge.exchange.shapes import ORGANISATION, SERVICE, check_thing
from knowledge.exchange.values import is_email, is_link

IMPORTED_TERMS = "Imported terms"
AREA_NAMES = {Area.TOWN: "Local", Area.COUNTY: "County-wide", Area.NATIONAL: "National"}
DERIVED = {
    "organization": ("organisation",),
    "schedules": ("schedules", "locations"),
    "service_at_locations": ("locations", "schedules", "phones"),
    "phones": ("phones",),
    "contacts": ("phones",),
    "languages": ("languages",),
    "attributes": ("needs", "terms"),
    "service_areas": ("area", "drawn"),
    "cost_options": ("cost",),
}
"""Parts of the standard and the fields of ours that they became: unchanged fields let the part go out as it came."""
PLAIN = {
    "name": "name",
    "description": "description",
    "url": "website",
    "email": "email",
    "fees": "cost",
    "minimum_age": "minimum_age",
    "maximum_age": "maximum_age",
    "alert": "alert",
    "eligibility_description": "eligibility",
    "application_process": "how_to",
}
READ_ELSEWHERE = {
    "fees_description",
    "organization_id",
    "assured_date",
    "assurer_email",
    "last_modified",
    "status",
    "id",
}


@dataclass(frozen=True, kw_only=True)
class Writer:
    """`needs` are for their names; `reader` reads what was kept, to see what has changed since."""

    needs: Mapping[str, Need]
    reader: Reader

    def write(self, service: Service, *, kept: Mapping[str, Any] | None, modified: datetime | None) -> dict[str, Any]:
        """The service in full, valid against the official schema."""
        body = self._from_fields(service)
        if kept:
            body = self._with_kept(service, body, kept)
        if modified:
            body["last_modified"] = f"{modified.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{modified.microsecond // 1000:03}Z"
        body[KEY] = write_extension(service)
        return complete_thing(body, SERVICE, service.id)

    def _from_fields(self, service: Service) -> dict[str, Any]:
        body: dict[str, Any] = {"id": as_uuid(service.id), "status": service.status.value}
        body.update({theirs: getattr(service, ours) for theirs, ours in PLAIN.items()})
        if is_link(service.website):
            del body["url"]
        if is_email(service.email):
            del body["email"]
        if service.assured_date:
            body["assured_date"] = service.assured_date.isoformat()
        if not is_email(service.assured_by):
            body["assurer_email"] = service.assured_by
        body["organization"] = _organisation(service.organisation)
        body["organization_id"] = body["organization"]["id"]
        body["schedules"] = write_schedules(service.schedules)
        body["service_areas"] = [{"name": AREA_NAMES[service.area], "extent_type": "text"}]
        body["service_at_locations"] = [{"location": _location(place)} for place in service.locations]
        body["languages"] = [{"name": name_of(code), "code": code} for code in service.languages]
        body["phones"] = [_phone(phone) for phone in service.phones]
        body["attributes"] = [*map(self._need, service.needs), *map(_term, service.terms)]
        return body

    def _need(self, need: str) -> dict[str, Any]:
        known = self.needs.get(need)
        label, description = (known.label, known.description) if known else (need, "")
        return {"link_entity": "service", "taxonomy_term": need_term(need, label, description)}

    def _with_kept(self, service: Service, body: dict[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
        clean = check_thing(kept, SERVICE, Findings(""))
        then = self.reader.read(Item(where="", body=kept)).service
        for part, fields in DERIVED.items():
            if part == "attributes" and then and then.terms == service.terms:
                body[part] = [*map(self._need, service.needs), *_foreign(clean.get(part, ()))]
            elif then and all(getattr(then, name) == getattr(service, name) for name in fields):
                body[part] = clean.get(part, [] if part in SERVICE.lists else body.get(part))
        unknown = set(clean) - set(DERIVED) - set(PLAIN) - READ_ELSEWHERE - {KEY}
        return {**{name: clean[name] for name in clean if name in unknown}, **body}


def need_term(need: str, label: str, description: str) -> dict[str, Any]:
    """A need as a term of our taxonomy."""
    return {
        "id": need_uuid(need),
        "name": label,
        "description": description or label,
        "taxonomy": NEEDS_TAXONOMY,
        "taxonomy_id": taxonomy_uuid(NEEDS_TAXONOMY),
        "code": need,
    }


def write_organisation(owner: Organisation) -> dict[str, Any]:
    """An organisation by itself, valid against the official schema."""
    return complete_thing(_organisation(owner), ORGANISATION, owner.id)


def _organisation(owner: Organisation) -> dict[str, Any]:
    body = {"id": as_uuid(owner.id), "name": owner.name, "description": owner.description}
    return body if is_link(owner.website) else {**body, "website": owner.website}


def _location(place: Location) -> dict[str, Any]:
    address = {"address_1": place.address, "postal_code": place.postcode, "country": "GB", "address_type": "physical"}
    body: dict[str, Any] = {"location_type": "physical", "name": place.name}
    if place.address or place.postcode:
        body["addresses"] = [address]
    if place.latitude is not None and place.longitude is not None:
        body.update(latitude=place.latitude, longitude=place.longitude)
    if place.accessibility:
        body["accessibility"] = [{"description": place.accessibility}]
    return body


def _phone(phone: Phone) -> dict[str, Any]:
    body = {"number": phone.number, "description": phone.description, "extension": phone.extension}
    return {**body, "type": "sms" if phone.sms else "voice"}


def _term(name: str) -> dict[str, Any]:
    identity = as_uuid(f"term:{name}")
    taxonomy = {"taxonomy": IMPORTED_TERMS, "taxonomy_id": taxonomy_uuid(IMPORTED_TERMS)}
    return {"taxonomy_term": {"id": identity, "name": name, "description": name, **taxonomy}}


def _foreign(attributes: Any) -> list[dict[str, Any]]:
    """The attributes that are not needs of ours."""
    return [each for each in attributes if each.get("taxonomy_term", {}).get("taxonomy") != NEEDS_TAXONOMY]
