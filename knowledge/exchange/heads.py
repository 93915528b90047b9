"""What the public interface filters by, in memory: a few hundred bytes for each published service.

Read again when the catalogue changed; looked for at most every RECHECK seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from knowledge.catalogue import Area, Location, Organisation, Schedule, Service
from knowledge.exchange.identity import as_uuid, need_uuid
from knowledge.store import Listing, Store
from knowledge.territory import Ring, read_territory

RECHECK = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The part of a listing that questions are asked of."""

    id: str
    uuid: str
    organisation: str
    terms: frozenset[str]
    has_needs: bool
    text: str
    minimum_age: int
    maximum_age: float
    schedules: tuple[Schedule, ...]
    points: tuple[tuple[float, float], ...]
    area: Area
    modified: datetime
    shapes: tuple[Ring, ...] = ()
    """Of the areas it serves, as its source drew them."""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All heads, in the order of ids, at one moment."""

    heads: tuple[Head, ...]
    by_uuid: Mapping[str, Head]
    organisations: Mapping[str, Organisation]
    state: str


class Heads:
    """`current` is safe to call from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._checked = 0.0

    def current(self) -> Catalogue:
        with self._lock:
            now = time.monotonic()
            if self._catalogue is None or now - self._checked > RECHECK:
                state = self._store.state()
                if self._catalogue is None or state != self._catalogue.state:
                    self._catalogue = self._read(state)
                self._checked = now
            return self._catalogue

    def _read(self, state: str) -> Catalogue:
        owners: dict[str, Organisation] = {}
        heads = tuple(self._heads(owners))
        by_uuid = {head.uuid: head for head in heads}
        return Catalogue(heads=heads, by_uuid=by_uuid, organisations=dict(sorted(owners.items())), state=state)

    def _heads(self, owners: dict[str, Organisation]) -> Iterator[Head]:
        for listing in self._store.stream():
            owner = listing.service.organisation
            owners.setdefault(as_uuid(owner.id), owner)
            yield _head(listing)


def _head(listing: Listing) -> Head:
    service = listing.service
    return Head(
        id=service.id,
        uuid=as_uuid(service.id),
        organisation=as_uuid(service.organisation.id),
        terms=frozenset(
            [*service.needs, *map(need_uuid, service.needs), *(as_uuid(f"term:{each}") for each in service.terms)]
        ),
        has_needs=bool(service.needs),
        text=_text(service),
        minimum_age=service.minimum_age or 0,
        maximum_age=service.maximum_age if service.maximum_age is not None else float("inf"),
        schedules=service.schedules,
        points=tuple(point for place in service.locations if (point := _point(place))),
        area=service.area,
        modified=listing.updated_at,
        shapes=read_territory(service.drawn),
    )


def _text(service: Service) -> str:
    words = (service.name, service.organisation.name, service.summary, " ".join(service.needs).replace("_", " "))
    return " ".join(words).lower()


def _point(place: Location) -> tuple[float, float] | None:
    if place.latitude is None or place.longitude is None:
        return None
    return place.latitude, place.longitude
