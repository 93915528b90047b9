"""Exports: the published catalogue as Open Referral UK JSON, or as a table that a spreadsheet can open safely."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import TextIO

from knowledge.catalogue import Service
from knowledge.exchange.mappings import FIELDS
from knowledge.exchange.openings import write_words
from knowledge.exchange.register import Register
from knowledge.exchange.writing import Writer
from knowledge.store import Listing, Store

FORMATS = ("open-referral-uk", "csv")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins like this is a formula to a spreadsheet, and could run something; the last four are the first in
full width. After https://owasp.org/www-community/attacks/CSV_Injection"""


def write_json(store: Store, register: Register, writer: Writer, out: TextIO) -> int:
    """One page with every published service in full; the number of them. One service at a time in memory."""
    count = 0
    out.write('{"contents": [')
    for listing in store.stream():
        entry = register.entry(listing.service.id)
        body = writer.write(listing.service, kept=entry.kept if entry else None, modified=listing.updated_at)
        out.write(("," if count else "") + "\n" + json.dumps(body, ensure_ascii=False))
        count += 1
    page = {"total_items": count, "total_pages": 1, "page_number": 1, "size": count}
    page |= {"first_page": True, "last_page": True, "empty": count == 0}
    out.write("\n], " + json.dumps(page)[1:] + "\n")
    return count


def write_table(store: Store, out: TextIO) -> int:
    """A row for each published service, with the columns that an import knows by itself."""
    table = csv.writer(out)
    table.writerow(FIELDS)
    count = 0
    for row in _rows(store.stream()):
        table.writerow([_safe(row.get(name, "")) for name in FIELDS])
        count += 1
    return count


def _rows(listings: Iterable[Listing]) -> Iterator[dict[str, str]]:
    for listing in listings:
        yield _row(listing.service)


def _row(service: Service) -> dict[str, str]:
    place = service.locations[0] if service.locations else None
    spoken = [phone.number for phone in service.phones if not phone.sms]
    texted = [phone.number for phone in service.phones if phone.sms]
    row: dict[str, object] = {
        "id": service.id,
        "organisation": service.organisation.name,
        "phone": spoken[0] if spoken else "",
        "text_phone": texted[0] if texted else "",
        "location": place.name if place else "",
        "address": place.address if place else "",
        "postcode": place.postcode if place else "",
        "latitude": place.latitude if place else "",
        "longitude": place.longitude if place else "",
        "accessibility": place.accessibility if place else "",
        "opening": write_words(service.schedules),
        "languages": "; ".join(service.languages),
        "needs": "; ".join(service.needs),
        "terms": "; ".join(service.terms),
        "companion": "yes" if service.companion else "no",
        "crisis": "yes" if service.crisis else "no",
    }
    for name in FIELDS:
        if name not in row and hasattr(service, name):
            row[name] = getattr(service, name)
    return {name: "" if value is None else str(value) for name, value in row.items()}


def _safe(text: str) -> str:
    """Text that no spreadsheet runs: an apostrophe goes before what looks like a formula. Numbers stay numbers."""
    if not text.startswith(FORMULA):
        return text
    return text if _is_number(text) else f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text[0] == "-"
