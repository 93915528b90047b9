"""Which column of a table means what: guessed from the header once, kept as a file that people can put right.

A mapping is YAML: our field on the left, the column on the right. It is stored in the data folder and used again
for the same source; a column that appears or disappears is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from rapidfuzz import fuzz, process

from knowledge.errors import ImportRefused

NEARLY = 88
FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "identifier", "service id", "service_id", "ref", "reference"),
    "organisation": ("organisation", "organization", "org", "provider", "charity", "run by", "organisation name"),
    "name": ("name", "service", "service name", "title", "project"),
    "summary": ("summary", "short description", "in short"),
    "description": ("description", "about", "details", "what we do", "information"),
    "phone": ("phone", "telephone", "tel", "phone number", "contact number", "telephone number", "number"),
    "text_phone": ("text number", "sms", "text phone", "text"),
    "email": ("email", "e-mail", "email address", "contact email"),
    "website": ("website", "url", "web", "link", "web address", "web site"),
    "how_to": ("how to", "how_to", "how to access", "referral", "how to refer", "application process"),
    "eligibility": ("eligibility", "who for", "who it is for", "tags", "audience", "for whom", "criteria"),
    "minimum_age": ("minimum_age", "minimum age", "min age", "age from"),
    "maximum_age": ("maximum_age", "maximum age", "max age", "age to"),
    "cost": ("cost", "fees", "price", "charge", "charges"),
    "area": ("area", "area served", "coverage", "service area"),
    "location": ("location", "venue", "place", "building"),
    "address": ("address", "street", "address 1", "address line 1", "street address"),
    "city": ("city", "town", "town or city", "address 2"),
    "postcode": ("postcode", "post code", "postal_code", "postal code", "zip"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "long", "lng", "lon"),
    "accessibility": ("accessibility", "access", "disabled access"),
    "opening": ("opening", "opening hours", "opening times", "hours", "times", "open", "when"),
    "languages": ("languages", "language", "languages spoken"),
    "needs": ("needs",),
    "terms": ("terms", "categories", "category", "type", "keywords", "topics"),
    "status": ("status",),
    "alert": ("alert", "notice"),
    "assured_date": ("assured_date", "checked", "last checked", "assured date", "date checked", "last updated"),
    "assured_by": ("assured_by", "assured by", "checked by"),
    "kind": ("kind",),
    "companion": ("companion",),
    "crisis": ("crisis",),
}
"""Our fields of a table, and how other tables call them."""


def suggest_mapping(header: Sequence[str]) -> dict[str, str]:
    """Field to column: names we know first, then names nearly like them. No column is used twice."""
    found: dict[str, str] = {}
    free = {_plain(column): column for column in reversed(header) if column}
    for exact in (True, False):
        for name, called in FIELDS.items():
            if name in found or not free:
                continue
            column = _fitting([_plain(each) for each in called], free, exact=exact)
            if column:
                found[name] = free.pop(column)
    return {name: found[name] for name in FIELDS if name in found}


def _fitting(called: Sequence[str], free: Mapping[str, str], *, exact: bool) -> str | None:
    if exact:
        return next((each for each in called if each in free), None)
    best = [process.extractOne(each, list(free), scorer=fuzz.ratio, score_cutoff=NEARLY) for each in called]
    return max((each for each in best if each), key=lambda each: each[1], default=(None,))[0]


def read_mapping(path: Path) -> dict[str, str]:
    """Raises ImportRefused naming what is wrong with the file."""
    try:
        body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ImportRefused(f"{path.name}: the mapping cannot be read. {' '.join(str(error).split())}") from None
    columns = body.get("columns") if isinstance(body, dict) else None
    if not isinstance(columns, dict) or not all(isinstance(each, str) for pair in columns.items() for each in pair):
        raise ImportRefused(f"{path.name}: must have 'columns:' with lines like 'phone: Telephone'.")
    unknown = sorted(set(columns) - set(FIELDS))
    if unknown:
        raise ImportRefused(f"{path.name}: {', '.join(unknown)}: not a field. Use some of: {', '.join(FIELDS)}.")
    return dict(columns)


def write_mapping(path: Path, mapping: Mapping[str, str], header: Sequence[str]) -> None:
    unused = [column for column in header if column and column not in mapping.values()]
    lines = ["# Our field on the left, the column of the table on the right. Correct it and import again.", ""]
    if unused:
        lines.insert(1, f"# Columns that are not used: {', '.join(unused)}".replace("\n", " "))
    body = yaml.safe_dump({"columns": dict(mapping)}, allow_unicode=True, sort_keys=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + body, encoding="utf-8")


def _plain(column: str) -> str:
    return " ".join(re.sub(r"[^\w]+|_", " ", column.lower()).split())
