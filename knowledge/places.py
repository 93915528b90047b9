"""Where somebody is: a postcode, a town or a neighbourhood, out of a few words.

Only what the person wrote is looked at, and only in tables on this machine. A place makes near help
come first; it never hides help that reaches further.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, process

from knowledge.catalogue import Place
from knowledge.errors import CatalogueFileError

EARTH_MILES = 3958.8
NEAR_HOME_MILES = 40.0
"""Of several towns with one name, one this near to the catalogue's own services is meant."""
LOCAL_MILES, DISTRICT_MILES = 3.0, 25.0
"""How far a point may be from what it is called after."""
LONGEST_NAME = 4
FUZZY_NEAR = 83
FUZZY_TEXT = 90
FUZZY_LETTERS = 7
WHOLE_MESSAGE_WORDS = 3

_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][0-9A-Z]?)\s*([0-9][ABD-HJLNP-UW-Z]{2})\b", re.IGNORECASE)
_OUTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][0-9A-Z]?)\b", re.IGNORECASE)
_LEADS = re.compile(
    r"\b(?:in|near|nearby|around|round|at|from|by|to|close to|postcode|based in|over in|live|area)\b[\s,:]+(?:the\s+)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w'’-]+")


def miles_between(one: Place, latitude: float, longitude: float) -> float:
    """Great-circle distance in miles."""
    lat1, lat2 = math.radians(one.latitude), math.radians(latitude)
    across = math.radians(longitude - one.longitude)
    chord = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(across / 2) ** 2
    return 2 * EARTH_MILES * math.asin(min(1.0, math.sqrt(chord)))


@dataclass(frozen=True)
class Places:
    """Tables of places. `local` names are few and known to be meant; `towns` need a word like "in" before them."""

    outcodes: Mapping[str, Place]
    towns: Mapping[str, tuple[Place, ...]]
    local: Mapping[str, Place]
    ordinary: frozenset[str] = frozenset()
    home: Place | None = None

    def find(self, text: str) -> Place | None:
        """The place a message speaks of, if any."""
        return self._postcode(text) or self._local(text) or self._outcode(text) or self._town(text)

    def resolve(self, near: str) -> Place | None:
        """The place somebody gave as an answer to "where are you?": the whole text is about a place, so typing
        errors are forgiven and no "in" is needed."""
        found = self.find(near)
        if found:
            return found
        asked = _plain(near)
        for part in (asked, *(_plain(part) for part in near.split(","))):
            found = self.local.get(part) or self._nearest(part)
            if found:
                return found
        names = [*self.local, *self.towns]
        best = process.extractOne(asked, names, scorer=fuzz.ratio, score_cutoff=FUZZY_NEAR) if len(asked) > 3 else None
        return (self.local.get(best[0]) or self._nearest(best[0])) if best else None

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The part of town, or else the postcode district, that a point lies in or beside; None out at sea."""
        for named, within in ((self.local, LOCAL_MILES), (self.outcodes, DISTRICT_MILES)):
            known = min(named.values(), key=lambda place: miles_between(place, latitude, longitude), default=None)
            if known is not None and miles_between(known, latitude, longitude) <= within:
                return known
        return None

    def _postcode(self, text: str) -> Place | None:
        for match in _POSTCODE.finditer(text):
            if place := self.outcodes.get(match.group(1).upper()):
                return place
        return None

    def _outcode(self, text: str) -> Place | None:
        """A district alone: as typed in capitals, after a word like "in", or as (nearly) the whole message."""
        short = len(text.split()) <= WHOLE_MESSAGE_WORDS
        for match in _OUTCODE.finditer(text):
            place = self.outcodes.get(match.group(1).upper())
            led = any(lead.end() == match.start() for lead in _LEADS.finditer(text[: match.start()]))
            if place and (short or led or match.group(1).isupper()):
                return place
        return None

    def _local(self, text: str) -> Place | None:
        """The longest local name; the town as a whole only when no part of it is named."""
        said = f" {_plain(text)} "
        found = [name for name in self.local if f" {name} " in said]
        found.sort(key=lambda name: (self.local[name].name == self._town_name(), -len(name)))
        return self.local[found[0]] if found else None

    def _town_name(self) -> str:
        return next(iter(self.local.values())).name if self.local else ""

    def _town(self, text: str) -> Place | None:
        for lead in _LEADS.finditer(text):
            words = [match.group() for match in _WORD.finditer(text[lead.end() : lead.end() + 60])][:LONGEST_NAME]
            for size in range(len(words), 0, -1):
                name = _plain(" ".join(words[:size]))
                if name in self.ordinary and not words[0][0].isupper():
                    continue
                if found := self._nearest(name) or self._misspelt(name):
                    return found
        whole = _plain(text)
        return self._nearest(whole) if whole not in self.ordinary else None

    def _misspelt(self, name: str) -> Place | None:
        if len(name) < FUZZY_LETTERS:
            return None
        best = process.extractOne(name, list(self.towns), scorer=fuzz.ratio, score_cutoff=FUZZY_TEXT)
        return self._nearest(best[0]) if best else None

    def _nearest(self, name: str) -> Place | None:
        """Of several places with this name the one near home, else the largest (they are kept in that order)."""
        named = self.towns.get(name, ())
        if self.home:
            for place in named:
                if miles_between(self.home, place.latitude, place.longitude) <= NEAR_HOME_MILES:
                    return place
        return named[0] if named else None


def load_places(folder: Path, *, demo: bool, home: Place | None = None) -> Places:
    """Read the tables; the fictional town only in demo mode. Raises CatalogueFileError."""
    try:
        outcodes = {row["outcode"]: _place(row["outcode"], row) for row in _rows(folder / "uk_outcodes.csv")}
        towns: dict[str, tuple[Place, ...]] = {}
        for row in _rows(folder / "towns.csv"):
            place = _place(row["name"], row)
            for name in _names(row):
                towns[name] = (*towns.get(name, ()), place)
        local = {}
        for row in _rows(folder / "demo_places.csv") if demo else ():
            place = _place(row["name"], row)
            local.update(dict.fromkeys(_names(row), place))
            if row["outcode"]:
                outcodes[row["outcode"]] = place
        ordinary = frozenset((folder / "ordinary_words.txt").read_text(encoding="utf-8").split("\n"))
    except (OSError, KeyError, ValueError) as error:
        raise CatalogueFileError([f"{folder}: the tables of places cannot be read. {error}"]) from None
    return Places(outcodes, towns, local, ordinary, home)


def middle_of(points: Iterable[tuple[float, float]]) -> Place | None:
    """Where the services are, roughly: the median of their locations."""
    found = sorted(points)
    if not found:
        return None
    latitudes, longitudes = sorted(point[0] for point in found), sorted(point[1] for point in found)
    return Place(name="", latitude=latitudes[len(found) // 2], longitude=longitudes[len(found) // 2])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _place(name: str, row: dict[str, str]) -> Place:
    return Place(name=name, latitude=float(row["latitude"]), longitude=float(row["longitude"]))


def _names(row: dict[str, str]) -> list[str]:
    return [_plain(name) for name in (row["name"], *row["also_called"].split("|")) if name]


def _plain(text: str) -> str:
    """Lower case, no punctuation, single spaces: "King's Lynn," is "kings lynn"."""
    return " ".join(re.sub(r"[^\w\s]", " ", re.sub(r"['’]", "", text.lower())).split())
