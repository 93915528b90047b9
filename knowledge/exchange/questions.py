"""The parameters of Open Referral UK's `/services`: read strictly, applied to heads. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from knowledge.catalogue import DAYS, Area, Place
from knowledge.exchange import values
from knowledge.exchange.heads import Head
from knowledge.exchange.identity import NEEDS_TAXONOMY, taxonomy_uuid
from knowledge.hours import DAY_NAMES
from knowledge.places import miles_between
from knowledge.territory import is_inside

METRES = 1609.344
NEAR_METRES, COUNTY_METRES = 8_000.0, 60_000.0
"""How far a town's or a county's service is looked for round a postcode when no proximity is given."""
FARTHEST_METRES = 500_000.0
MOST_PER_PAGE = 100
PER_PAGE = 50
LONGEST_SEARCH = 200
LONGEST_POSTCODE = 20
MOST_PAGE = 1_000_000
KNOWN = {
    "search", "text", "page", "per_page", "taxonomy_term_id", "taxonomy_id", "organization_id", "minimum_age",
    "maximum_age", "day", "start_time", "end_time", "postcode", "proximity", "modified_after", "full", "minimal",
    "format",
}  # fmt: skip

FindPlace = Callable[[str], Place | None]
Test = Callable[[Head], bool]


class Misunderstood(Exception):
    """A parameter is wrong. Carries its name and what to write."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field
        self.text = text


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked: which heads fit, which page of them, and how much of each."""

    tests: tuple[Test, ...]
    page: int
    per_page: int
    full: bool = False
    minimal: bool = False

    def fits(self, head: Head) -> bool:
        return all(test(head) for test in self.tests)


def read_question(given: Mapping[str, str], find_place: FindPlace) -> Question:
    """Raises Misunderstood naming the first parameter that is wrong. Parameters we do not know are refused too:
    a filter that is ignored gives a wrong answer."""
    for name in given:
        if name not in KNOWN:
            raise Misunderstood(name, f"is not a parameter here. Use some of: {', '.join(sorted(KNOWN))}.")
    check_format(given)
    return Question(
        tests=tuple(_tests(given, find_place)),
        page=_whole(given, "page", 1, MOST_PAGE),
        per_page=_whole(given, "per_page", PER_PAGE, MOST_PER_PAGE),
        full=_flag(given, "full"),
        minimal=_flag(given, "minimal"),
    )


def check_format(given: Mapping[str, str]) -> None:
    """Raises Misunderstood for any but the one we have."""
    if given.get("format", "json").lower() != "json":
        raise Misunderstood("format", "must be json: nothing else is given out here.")


def read_words(given: Mapping[str, str]) -> list[str]:
    """What `search` and `text` look for, all of it, in small letters. Raises Misunderstood."""
    words = []
    for name in ("search", "text"):
        if len(given.get(name, "")) > LONGEST_SEARCH:
            raise Misunderstood(name, f"has more than {LONGEST_SEARCH} characters. Look for fewer words.")
        words += given.get(name, "").lower().split()
    return words


def _tests(given: Mapping[str, str], find_place: FindPlace) -> Iterable[Test]:
    if words := read_words(given):
        yield lambda head: all(word in head.text for word in words)
    if term := given.get("taxonomy_term_id"):
        yield lambda head: term in head.terms
    if taxonomy := given.get("taxonomy_id"):
        known = taxonomy == taxonomy_uuid(NEEDS_TAXONOMY)
        yield lambda head: known and head.has_needs
    if owner := given.get("organization_id"):
        yield lambda head: head.organisation == owner
    yield from _measured_tests(given)
    if {"day", "start_time", "end_time"} & set(given):
        yield _hours_test(given)
    if {"postcode", "proximity"} & set(given):
        yield _place_test(given, find_place)


def _measured_tests(given: Mapping[str, str]) -> Iterable[Test]:
    if "minimum_age" in given:
        least = _number(given, "minimum_age", 0, 150)
        yield lambda head: head.minimum_age >= least
    if "maximum_age" in given:
        most = _number(given, "maximum_age", 0, 150)
        yield lambda head: head.maximum_age <= most
    if "modified_after" in given:
        moment = _moment(given["modified_after"])
        yield lambda head: head.modified >= moment


def _hours_test(given: Mapping[str, str]) -> Test:
    day = given.get("day", "")
    code = day[:2].upper() if day.upper() in {*DAYS, *(name.upper() for name in DAY_NAMES)} else ""
    if day and not code:
        raise Misunderstood("day", "is not a day. Write it like MO or Monday.")
    for name in ("start_time", "end_time"):
        if name in given and values.is_time(given[name]):
            raise Misunderstood(name, "is not a time. Write it like 09:30.")
    start, end = given.get("start_time", "")[:5], given.get("end_time", "")[:5]

    def test(head: Head) -> bool:
        return any(
            (not code or code in each.days) and (not start or each.opens >= start) and (not end or each.closes <= end)
            for each in head.schedules
        )

    return test


def _place_test(given: Mapping[str, str], find_place: FindPlace) -> Test:
    if "postcode" not in given:
        raise Misunderstood("postcode", "is missing beside proximity. Add the postcode to measure from.")
    place = find_place(given["postcode"]) if len(given["postcode"]) <= LONGEST_POSTCODE else None
    if place is None:
        raise Misunderstood("postcode", "is not a postcode we know. Write it like M1 1AA.")
    if "proximity" in given:
        most = _number(given, "proximity", 0, FARTHEST_METRES)
        return lambda head: _metres(head, place) <= most

    def reaches(head: Head) -> bool:
        """Whoever serves the whole county or country is never hidden by a postcode; a drawn area is taken as drawn."""
        if head.shapes:
            return is_inside(head.shapes, place.latitude, place.longitude)
        if head.area is Area.NATIONAL:
            return True
        far = COUNTY_METRES if head.area is Area.COUNTY else NEAR_METRES
        return (head.area is Area.COUNTY and not head.points) or _metres(head, place) <= far

    return reaches


def _metres(head: Head, place: Place) -> float:
    return min((miles_between(place, *point) * METRES for point in head.points), default=float("inf"))


def _whole(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most):
        raise Misunderstood(name, f"is not a whole number from 1 to {most}.")
    return int(text)


def _number(given: Mapping[str, str], name: str, least: float, most: float) -> float:
    try:
        number = float(given[name])
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise Misunderstood(name, f"is not a number from {least:g} to {most:g}.")
    return number


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise Misunderstood("modified_after", "is not a date and time. Write it like 2026-11-01T09:30:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false").lower()
    if text not in {"true", "false"}:
        raise Misunderstood(name, "must be true or false.")
    return text == "true"
