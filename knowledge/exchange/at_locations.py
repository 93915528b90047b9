"""Services at their places, for the public interface: which there are, by the ids that `/services/{id}` shows for them.

What came with an import and was not changed here keeps the ids it came with; the others' are made. Read the first time
that somebody asks after the catalogue changed: about 200 bytes for each place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from knowledge.catalogue import Service, service_to_dict
from knowledge.exchange.heads import Catalogue, Head
from knowledge.exchange.identity import as_uuid
from knowledge.exchange.register import Entry, Register
from knowledge.store import Store

TOGETHER = 500
PART = "service_at_locations"
READ_INTO = ("locations", "schedules", "phones")
"""Fields of ours that this part of the standard became."""


@dataclass(frozen=True, kw_only=True)
class AtLocation:
    """One service at one place. `head` has only this place's point, so that questions about places are about it."""

    uuid: str
    head: Head


@dataclass(frozen=True, kw_only=True)
class Places:
    """All of them, in the order of services."""

    entries: tuple[AtLocation, ...]
    by_uuid: Mapping[str, AtLocation]
    state: str


class AtLocations:
    """`of` is safe to call from several threads."""

    def __init__(self, store: Store, register: Register) -> None:
        self._store = store
        self._register = register
        self._lock = threading.Lock()
        self._places: Places | None = None

    def of(self, catalogue: Catalogue) -> Places:
        with self._lock:
            if self._places is None or self._places.state != catalogue.state:
                entries = tuple(self._read(catalogue))
                by_uuid = {entry.uuid: entry for entry in entries}
                self._places = Places(entries=entries, by_uuid=by_uuid, state=catalogue.state)
            return self._places

    def _read(self, catalogue: Catalogue) -> Iterator[AtLocation]:
        for heads in _batches(catalogue.heads):
            ids = [head.id for head in heads]
            with self._store.transaction() as connection:
                listings = self._store.find_many(connection, ids, hold=False)
                kept = self._register.find(connection, ids)
            for head in heads:
                if head.id in listings:
                    yield from _places_of(head, listings[head.id].service, kept.get(head.id))


def _places_of(head: Head, service: Service, entry: Entry | None) -> Iterator[AtLocation]:
    own = entry.kept.get(PART) if entry and _unchanged(service, entry) else None
    if isinstance(own, list):
        for number, place in enumerate(each for each in own if isinstance(each, dict)):
            location = place.get("location")
            yield _at(head, number, place.get("id"), _point(location if isinstance(location, dict) else {}))
        return
    for number, location in enumerate(service.locations):
        yield _at(head, number, None, _point(vars(location)))


def _at(head: Head, number: int, identity: object, point: tuple[tuple[float, float], ...]) -> AtLocation:
    uuid = as_uuid(str(identity or f"{head.id}/{PART}/{number}"))
    return AtLocation(uuid=uuid, head=replace(head, points=point))


def _unchanged(service: Service, entry: Entry) -> bool:
    body = service_to_dict(service)
    return all(_plain(body[name]) == _plain(entry.base.get(name)) for name in READ_INTO)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def _point(location: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    latitude, longitude = location.get("latitude"), location.get("longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return ((float(latitude), float(longitude)),)
    return ()


def write_places(bodies: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every service at its place, whole, by id; out of whole services."""
    found = {}
    for body in bodies:
        service = {name: value for name, value in body.items() if name != PART}
        for place in body.get(PART, ()):
            found[str(place["id"])] = {**place, "service": service}
    return found


def place_head(body: Mapping[str, Any]) -> dict[str, Any]:
    """Only with what there is one of, as lists have it."""
    shown = {name: value for name, value in body.items() if not isinstance(value, list)}
    for name in ("service", "location"):
        if isinstance(shown.get(name), dict):
            shown[name] = {key: value for key, value in shown[name].items() if not isinstance(value, list)}
    return shown


def _batches(heads: Sequence[Head]) -> Iterator[list[Head]]:
    iterator = iter(heads)
    while batch := list(islice(iterator, TOGETHER)):
        yield batch
