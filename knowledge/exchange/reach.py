"""How and where a service is reached: phone numbers, places, and the area it serves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import phonenumbers

from knowledge.catalogue import Area, Location, Phone
from knowledge.exchange.problems import Findings, shown
from knowledge.exchange.prose import one_line, plain_text

TEXTED = {"sms", "text", "text message", "mobile text", "textmessage"}
NOT_ANSWERED = {"fax", "pager"}
MOST_PHONES = 10
NATIONAL = re.compile(
    r"\b(?:national|nationwide|uk|united kingdom|great britain|england|wales|scotland|northern ireland|ireland|"
    r"everywhere)\b",
    re.IGNORECASE,
)
COUNTY = re.compile(r"\b(?:county|countywide|combined authority|region|regional|greater \w+|\w+shire)\b", re.IGNORECASE)
Entry = tuple[str, Mapping[str, Any]]


def read_phones(clean: Mapping[str, Any], findings: Findings, country: str) -> tuple[Phone, ...]:
    """The service's own numbers, then its contacts', its places', and only if there are none the organisation's."""
    phones = [phone for here, entry in _phone_entries(clean) if (phone := _phone(entry, here, findings, country))]
    if not phones:
        owner = clean.get("organization", {})
        entries = _numbered(owner, "organization.", "phones")
        phones = [phone for here, entry in entries if (phone := _phone(entry, here, findings, country))]
    return tuple({phone.number.replace(" ", ""): phone for phone in reversed(phones)}.values())[::-1][:MOST_PHONES]


def _phone_entries(clean: Mapping[str, Any]) -> Iterator[Entry]:
    yield from _numbered(clean, "", "phones")
    for here, contact in _numbered(clean, "", "contacts"):
        yield from _numbered(contact, f"{here}.", "phones")
    for here, place in _numbered(clean, "", "service_at_locations"):
        yield from _numbered(place, f"{here}.", "phones")
        yield from _numbered(place.get("location", {}), f"{here}.location.", "phones")


def _numbered(thing: Mapping[str, Any], before: str, name: str) -> Iterator[Entry]:
    for number, entry in enumerate(thing.get(name, ())):
        yield f"{before}{name}[{number}]", entry


def _phone(entry: Mapping[str, Any], here: str, findings: Findings, country: str) -> Phone | None:
    kind, number = str(entry.get("type", "")).lower().strip(), one_line(entry.get("number"))
    if kind in NOT_ANSWERED or not number:
        return None
    if not re.search(r"\d{3}", re.sub(r"[\s()-]", "", number)):
        findings.error(f"{here}.number", f"{shown(number)} is not a phone number. Write digits and spaces.")
        return None
    if not _possible(number, country):
        findings.warn(f"{here}.number", f"{shown(number)} does not look like a number that rings. Check it.")
    return Phone(
        number=number,
        description=one_line(entry.get("description")),
        extension=one_line(entry.get("extension")),
        sms=kind in TEXTED,
    )


def _possible(number: str, country: str) -> bool:
    """Short codes (116 123, 85258) and numbers of the right length."""
    if 3 <= len(re.sub(r"\D", "", number)) <= 6:
        return True
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, country))
    except phonenumbers.NumberParseException:
        return False


def read_locations(clean: Mapping[str, Any], findings: Findings) -> tuple[Location, ...]:
    """Where it happens. What is only online or only gets post is no place to go to."""
    found = []
    for number, place in enumerate(clean.get("service_at_locations", ())):
        location = place.get("location")
        if not location or location.get("location_type") in {"virtual", "postal"}:
            continue
        read = _location(location, f"service_at_locations[{number}].location", findings)
        if read != Location():
            found.append(read)
    return tuple(dict.fromkeys(found))


def _location(location: Mapping[str, Any], here: str, findings: Findings) -> Location:
    addresses = location.get("addresses", ())
    address = next((each for each in addresses if each.get("address_type") == "physical"), None)
    address = address or (addresses[0] if addresses else {})
    parts = (one_line(address.get(name)) for name in ("address_1", "address_2", "city"))
    latitude, longitude = location.get("latitude"), location.get("longitude")
    if latitude is not None and longitude is not None and not _on_earth(latitude, longitude):
        text = f"{latitude}, {longitude} is nowhere on the map, so it is not used. Write degrees, latitude first."
        findings.warn(f"{here}.latitude", text)
        latitude = longitude = None
    whole = latitude is not None and longitude is not None
    return Location(
        name=one_line(location.get("name")),
        address=", ".join(part for part in parts if part),
        postcode=one_line(address.get("postal_code")).upper(),
        latitude=latitude if whole else None,
        longitude=longitude if whole else None,
        accessibility=_accessibility(location),
    )


def _on_earth(latitude: float, longitude: float) -> bool:
    """0, 0 is in the sea: it is what programs write when they do not know."""
    return abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)


def _accessibility(location: Mapping[str, Any]) -> str:
    said = []
    for entry in location.get("accessibility", ()):
        words = (plain_text(entry.get(name)) for name in ("description", "accessibility", "details"))
        said += [word for word in words if word]
    return " ".join(dict.fromkeys(said))


def read_area(clean: Mapping[str, Any], locations: tuple[Location, ...]) -> Area:
    """How far it reaches, from the words of its service areas. Without a place or an area: not only one town."""
    areas = clean.get("service_areas", ())
    words = " ".join(str(area.get(name, "")) for area in areas for name in ("name", "service_area", "extent_type"))
    if NATIONAL.search(words):
        return Area.NATIONAL
    if COUNTY.search(words) or not (locations or words.strip()):
        return Area.COUNTY
    return Area.TOWN
