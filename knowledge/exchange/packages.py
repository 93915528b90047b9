"""HSDS tabular data packages: a folder of CSV files joined into whole services, in bounded memory.

Every row goes into a scratch database on disk; then the services come out one by one with what belongs to them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge.exchange.listings import Item
from knowledge.exchange.problems import Problem
from knowledge.exchange.tables import read_header, read_rows
from knowledge.exchange.versions import PARENTS, modern_row, table_of

THINGS = {"services", "organizations", "locations", "taxonomy_terms"}
"""Tables whose rows stand alone; all others belong to a row of one of these."""
OF_SERVICE = ("schedules", "phones", "languages", "contacts", "cost_options", "funding", "service_areas")
OF_LOCATION = ("addresses", "accessibility", "phones", "languages", "schedules", "contacts")
TOGETHER = 5_000
Rows = list[dict[str, Any]]


def read_package(tables: Mapping[str, Path], scratch: Path) -> Iterator[Item]:
    """The services of the files (name to path). `scratch` is where the database is made and can be thrown away."""
    with closing(sqlite3.connect(scratch / "package.sqlite")) as database:
        database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-32000;"
            "CREATE TABLE things (kind TEXT, id TEXT, place TEXT, body TEXT);"
            "CREATE TABLE belongings (owner TEXT, kind TEXT, place TEXT, body TEXT);"
        )
        yield from _load(database, tables)
        database.executescript(
            "CREATE INDEX things_id ON things (kind, id); CREATE INDEX belongings_owner ON belongings (owner, kind);"
        )
        yield from _Join(database).services()


def _load(database: sqlite3.Connection, tables: Mapping[str, Path]) -> Iterator[Item]:
    """Fill the database; what cannot be read comes out as problems."""
    kinds = {}
    for name, path in tables.items():
        if table := table_of(name, read_header(path)):
            kinds[name] = table
    if "services" not in kinds.values():
        text = "has no table of services (services.csv). Is it an HSDS data package?"
        yield Item(where="datapackage", problems=(Problem(where="datapackage", pointer="", text=text),))
    for name, table in kinds.items():
        waiting: list[tuple[str, tuple[str, ...]]] = []
        for row in read_rows(tables[name], name):
            if row.problems:
                yield Item(where=row.where, problems=row.problems)
            if row.values:
                waiting.append(_insertion(table, row.where, modern_row(table, row.values)))
            if len(waiting) >= TOGETHER:
                _insert(database, waiting)
                waiting = []
        _insert(database, waiting)


def _insertion(table: str, where: str, body: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    if table in THINGS:
        return "things", (table, str(body.get("id", "")), where, json.dumps(body))
    parents = PARENTS if table != "service_at_locations" else ("service_id",)
    owner = next((str(body[parent]) for parent in parents if body.get(parent)), "")
    return "belongings", (owner, table, where, json.dumps(body))


def _insert(database: sqlite3.Connection, waiting: list[tuple[str, tuple[str, ...]]]) -> None:
    for target in ("things", "belongings"):
        rows = [row for table, row in waiting if table == target]
        database.executemany(f"INSERT INTO {target} VALUES (?, ?, ?, ?)", rows)  # noqa: S608  # one of two names
    database.commit()


class _Join:
    """Rows to services."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._organisation = lru_cache(maxsize=2_000)(self._read_organisation)
        self._term = lru_cache(maxsize=20_000)(self._read_term)
        self._columns: dict[str, str] = {}

    def services(self) -> Iterator[Item]:
        for place, body in self._database.execute(
            "SELECT place, body FROM things WHERE kind = 'services' ORDER BY rowid"
        ):
            self._columns = {}
            yield Item(where=place, body=self._service(json.loads(body)), columns=self._columns)

    def _service(self, body: dict[str, Any]) -> dict[str, Any]:
        identity = str(body.get("id", ""))
        if owner := self._organisation(str(body.get("organization_id", ""))):
            body["organization"] = owner
        for kind in OF_SERVICE:
            self._attach(body, kind, identity, kind)
        for contact, number in zip(body.get("contacts", ()), range(len(body.get("contacts", ()))), strict=True):
            self._attach(contact, "phones", str(contact.get("id", "")), f"contacts[{number}].phones")
        self._attach(body, "required_documents", identity, "required_documents")
        if attributes := self._attributes(identity):
            body["attributes"] = attributes
        body["service_at_locations"] = self._places(identity)
        rules = [str(row["eligibility"]) for row in self._rows(identity, "eligibility") if row.get("eligibility")]
        if rules or body.get("eligibility"):
            body.setdefault("eligibility_description", "; ".join(rules) or body.get("eligibility"))
        return body

    def _places(self, identity: str) -> Rows:
        places = self._rows(identity, "service_at_locations")
        for number, place in enumerate(places):
            here = f"service_at_locations[{number}]"
            for kind in ("schedules", "phones", "contacts"):
                self._attach(place, kind, str(place.get("id", "")), f"{here}.{kind}")
            location = self._thing("locations", str(place.get("location_id", "")))
            if location:
                for kind in OF_LOCATION:
                    self._attach(location, kind, str(location.get("id", "")), f"{here}.location.{kind}")
                if location.get("schedules") and not place.get("schedules"):
                    place["schedules"] = location["schedules"]
                place["location"] = location
        return places

    def _attributes(self, identity: str) -> Rows:
        found = []
        for row in self._rows(identity, "attributes"):
            term = self._term(str(row.get("taxonomy_term_id", "")))
            found.append({**row, "taxonomy_term": term} if term else row)
        return found

    def _attach(self, thing: dict[str, Any], kind: str, owner: str, pointer: str) -> None:
        rows = self._rows(owner, kind, pointer)
        if rows:
            thing[kind] = rows

    def _rows(self, owner: str, kind: str, pointer: str = "") -> Rows:
        if not owner:
            return []
        query = "SELECT place, body FROM belongings WHERE owner = ? AND kind = ? ORDER BY rowid LIMIT 501"
        rows = []
        for number, (place, body) in enumerate(self._database.execute(query, (owner, kind))):
            rows.append(json.loads(body))
            if pointer:
                self._columns[f"{pointer}[{number}]"] = place
        return rows

    def _thing(self, kind: str, identity: str) -> dict[str, Any]:
        query = "SELECT body FROM things WHERE kind = ? AND id = ? LIMIT 1"
        row = self._database.execute(query, (kind, identity)).fetchone() if identity else None
        return dict(json.loads(row[0])) if row else {}

    def _read_organisation(self, identity: str) -> dict[str, Any]:
        owner = self._thing("organizations", identity)
        for kind in ("phones", "organization_identifiers"):
            if owner and (rows := self._rows(identity, kind)):
                owner[kind] = rows
        return owner

    def _read_term(self, identity: str) -> dict[str, Any]:
        return self._thing("taxonomy_terms", identity)
