"""Single values of the standard: what each kind allows, and the fix when it is something else.

A check returns None when the value is right, else the sentence for the editor. Nothing is guessed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit
from uuid import UUID

from knowledge.exchange.problems import shown

LONGEST_TEXT = 10_000
"""Characters of one value. A longer one is a mistake or an attack: it is not used."""
LONGEST_EXTENT = 2_000_000
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?|24:00(?::00)?")
DAYS = re.compile(r"\s*[+-]?\d{0,2}(?:MO|TU|WE|TH|FR|SA|SU)(?:[,; ]+[+-]?\d{0,2}(?:MO|TU|WE|TH|FR|SA|SU))*\s*", re.I)

LONGEST_WHOLE_NUMBER = 40
"""Digits. No field of the standard needs more, and no sum with a longer one ends well."""

Check = Callable[[object], str | None]


class NoNumber(str):
    """What stands where a number should and is none (NaN, Infinity, 1e999), as it was written.

    Neither a number nor a text to any check, so its field says so and its neighbours are read. In a field that no table
    has it is kept as a text, which JSON can hold.
    """


def _fraction(text: str) -> float | NoNumber:
    return number if math.isfinite(number := float(text)) else NoNumber(text)


def _whole(text: str) -> int | NoNumber:
    return int(text) if len(text) <= LONGEST_WHOLE_NUMBER else NoNumber(text)


def json_decoder() -> json.JSONDecoder:
    """For JSON from elsewhere: a number that is none costs its field, not the text."""
    return json.JSONDecoder(parse_constant=NoNumber, parse_float=_fraction, parse_int=_whole)


def is_text(value: object) -> str | None:
    if not isinstance(value, str) or isinstance(value, NoNumber):
        return f"{shown(value)} is not text. Put it in quotation marks."
    if len(value) > LONGEST_TEXT:
        return f"has {len(value)} characters, at most {LONGEST_TEXT} are read. Shorten it."
    return None


def is_extent(value: object) -> str | None:
    """A drawn area is long: a county has tens of thousands of characters."""
    return None if isinstance(value, str) and len(value) <= LONGEST_EXTENT else is_text(value)


def is_link(value: object) -> str | None:
    if wrong := is_text(value):
        return wrong
    try:
        parts = urlsplit(str(value))
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and not re.search(r"\s", str(value))
    except ValueError:
        whole = False
    return None if whole else f"{shown(value)} is not a web address. Begin with https://"


def is_address(value: object) -> str | None:
    """A URI of any scheme ("urn:..." too)."""
    if wrong := is_text(value):
        return wrong
    whole = re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+", str(value))
    return None if whole else f"{shown(value)} is not a URI. Begin with https://"


def is_email(value: object) -> str | None:
    if wrong := is_text(value):
        return wrong
    return None if EMAIL.fullmatch(str(value)) else f"{shown(value)} is not an email address. Write name@place.example."


def is_number(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{shown(value)} is not a number. Write it in digits, without quotation marks."
    return None


def is_date(value: object) -> str | None:
    try:
        date.fromisoformat(str(value)[:10])
    except ValueError:
        return f"{shown(value)} is not a date. Write it like 2026-11-01."
    return None


def is_moment(value: object) -> str | None:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return f"{shown(value)} is not a date and time. Write it like 2026-11-01T09:30:00.000Z."
    return None if "T" in str(value) else f"{shown(value)} has no time. Write it like 2026-11-01T09:30:00.000Z."


def is_time(value: object) -> str | None:
    return None if TIME.fullmatch(str(value)) else f"{shown(value)} is not a time. Write it like 09:30."


def is_days(value: object) -> str | None:
    return None if DAYS.fullmatch(str(value)) else f"{shown(value)} are not days. Write them like MO,TU,FR."


def is_uuid(value: object) -> str | None:
    try:
        UUID(str(value))
    except ValueError:
        return f"{shown(value)} is not a UUID, which the standard asks for. It is kept as it is."
    return None


def one_of(*words: str) -> Check:
    def check(value: object) -> str | None:
        return None if value in words else f"{shown(value)} is not known. Use one of: {', '.join(words)}."

    return check
