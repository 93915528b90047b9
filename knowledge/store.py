"""The catalogue in SQL: SQLite in the data folder by default, Postgres by address.

A service is one row: the columns that are asked for, the rest as JSON, a revision number, and every
earlier revision in a second table, so that nothing an editor did is lost.
Synchronous on purpose: it is read when publishing and on catalogue pages, never while a person waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from knowledge.catalogue import Organisation, Service, service_from_dict, service_to_dict
from knowledge.errors import StoreError

SCHEMA_VERSION = "1"
SEED = "seed"
"""Who wrote a row that came from a file. Anything else is an editor's name."""
EDITED_HERE = "edited_here"
"""The fact that says so before anything is published: a draft, or a new organisation."""

tables = sa.MetaData()
facts = sa.Table(
    "catalogue_facts", tables, sa.Column("name", sa.String(64), primary_key=True), sa.Column("value", sa.Text)
)
organisations = sa.Table(
    "organisations",
    tables,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("body", sa.JSON, nullable=False),
)
services = sa.Table(
    "services",
    tables,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("organisation_id", sa.ForeignKey("organisations.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("area", sa.String(16), nullable=False),
    sa.Column("assured_date", sa.Date),
    sa.Column("published", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated_by", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
revisions = sa.Table(
    "service_revisions",
    tables,
    sa.Column("service_id", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("published", sa.Boolean, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated_by", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A service as it is kept: what people see, and who wrote it when."""

    service: Service
    published: bool
    revision: int
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A service to be written, and whether people may be offered it."""

    service: Service
    published: bool


class Store:
    """Open with `Store.open`; close when done."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Connect and make the tables when they are not there.

        Raises StoreError when the database cannot be reached or a newer version made it.
        """
        try:
            engine = _engine(url)
            store = cls(engine)
            with store._begin() as connection:
                tables.create_all(connection)
                version = _fact(connection, "schema_version")
                if version is None:
                    _set_fact(connection, "schema_version", SCHEMA_VERSION)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            cause = type(error).__name__
            raise StoreError(
                f"The catalogue cannot be opened ({cause}). Check NWD_CATALOGUE_URL and NWD_DATA_DIR."
            ) from None
        if version not in {None, SCHEMA_VERSION}:
            raise StoreError(
                f"The catalogue was made by another version (schema {version}). Use that version, or move it."
            )
        return store

    def close(self) -> None:
        self._engine.dispose()

    def seed(self, owners: Sequence[Organisation], listed: Sequence[Service], stamp: str) -> bool:
        """Fill the catalogue from files. False, and nothing done, when it holds edits: they are never overwritten."""
        with self._begin() as connection:
            if _edited(connection):
                return False
            connection.execute(sa.delete(services))
            connection.execute(sa.delete(revisions))
            connection.execute(sa.delete(organisations))
            if owners:
                connection.execute(sa.insert(organisations), [_organisation_row(owner) for owner in owners])
            now = datetime.now(UTC)
            for service in listed:
                _write(connection, service, revision=1, published=True, by=SEED, now=now)
            _set_fact(connection, "seed_stamp", stamp)
        return True

    def seed_stamp(self) -> str | None:
        """The stamp of the files the catalogue was last filled from; None when it never was."""
        with self._begin() as connection:
            return _fact(connection, "seed_stamp")

    def edited(self) -> bool:
        """Whether anybody but the files wrote a service."""
        with self._begin() as connection:
            return _edited(connection)

    def save(self, service: Service, *, by: str, published: bool = True) -> int:
        """Write an editor's version as the next revision and return its number."""
        with self._begin() as connection:
            return self.save_in(connection, service, by=by, published=published)

    def save_in(
        self, connection: Connection, service: Service, *, by: str, published: bool = True, after: int | None = None
    ) -> int:
        """`save`, as part of something larger.

        Raises StoreError, and writes nothing, when `after` is given and is not the revision before this one (0: none).
        """
        found = connection.execute(
            sa.select(services.c.revision).where(services.c.id == service.id).with_for_update()
        ).scalar_one_or_none()
        if after is not None and (found or 0) != after:
            raise StoreError("Somebody changed this listing meanwhile. Look at it again.")
        revision = (found or 0) + 1
        kept = sa.select(organisations.c.id).where(organisations.c.id == service.organisation.id)
        row = _organisation_row(service.organisation)
        if connection.execute(kept).first():
            connection.execute(sa.update(organisations).where(organisations.c.id == row["id"]).values(body=row["body"]))
        else:
            connection.execute(sa.insert(organisations), row)
        connection.execute(sa.delete(services).where(services.c.id == service.id))
        _write(connection, service, revision=revision, published=published, by=by, now=datetime.now(UTC))
        return revision

    def listings(self) -> tuple[Listing, ...]:
        """Every service, published or not, by name."""
        query = _select_listings().order_by(services.c.name, services.c.id)
        with self._begin() as connection:
            return tuple(_listing(row) for row in connection.execute(query))

    def listing(self, service_id: str) -> Listing | None:
        with self._begin() as connection:
            row = connection.execute(_select_listings().where(services.c.id == service_id)).first()
        return _listing(row) if row else None

    def published(self) -> tuple[Service, ...]:
        """What may be offered to people, in the order of ids."""
        query = _select_listings().where(services.c.published).order_by(services.c.id)
        with self._begin() as connection:
            return tuple(_listing(row).service for row in connection.execute(query))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """For many writes that belong together: all of them are there afterwards, or none."""
        with self._begin() as connection:
            yield connection

    def find_many(self, connection: Connection, ids: Sequence[str], *, hold: bool = True) -> dict[str, Listing]:
        """The listings with these ids; nobody else changes them until the transaction ends (where `hold` can)."""
        query = _select_listings().where(services.c.id.in_(ids))
        query = query.with_for_update(of=services) if hold else query
        return {row.id: _listing(row) for row in connection.execute(query)}

    def put_many(self, connection: Connection, written: Sequence[Draft], *, by: str) -> None:
        """Write each as the next revision of its listing, as `save` does."""
        if not written:
            return
        now = datetime.now(UTC)
        _put_organisations(connection, [draft.service.organisation for draft in written])
        ids = [draft.service.id for draft in written]
        found = connection.execute(sa.select(services.c.id, services.c.revision).where(services.c.id.in_(ids)))
        revision = {row.id: row.revision for row in found}
        connection.execute(sa.delete(services).where(services.c.id.in_(ids)))
        for draft in written:
            number = revision.get(draft.service.id, 0) + 1
            _write(connection, draft.service, revision=number, published=draft.published, by=by, now=now)

    def state(self) -> str:
        """Changes whenever a listing does."""
        query = sa.select(sa.func.count(), sa.func.sum(services.c.revision), sa.func.max(services.c.updated_at))
        with self._begin() as connection:
            return " ".join(map(str, connection.execute(query).one()))

    def stream(self, *, published: bool = True, together: int = 500) -> Iterator[Listing]:
        """Listings in the order of ids, a few at a time in memory; `published` leaves drafts out."""
        last = ""
        while True:
            query = _select_listings().where(services.c.id > last).order_by(services.c.id).limit(together)
            with self._begin() as connection:
                rows = connection.execute(query.where(services.c.published) if published else query).all()
            yield from map(_listing, rows)
            if len(rows) < together:
                return
            last = rows[-1].id

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    @property
    def engine(self) -> Engine:
        """The database itself, for what is kept beside the listings: accounts, drafts, reports."""
        return self._engine

    def revisions(self, service_id: str) -> tuple[Listing, ...]:
        """Everything a service ever was, newest first, with the organisation as it is now."""
        query = (
            sa.select(revisions, services.c.organisation_id, organisations.c.body.label("owner"))
            .join(services, services.c.id == revisions.c.service_id)
            .join(organisations, organisations.c.id == services.c.organisation_id)
            .where(revisions.c.service_id == service_id)
            .order_by(revisions.c.revision.desc())
        )
        with self._begin() as connection:
            return tuple(_listing(row) for row in connection.execute(query))

    def owners(self) -> tuple[Organisation, ...]:
        """Every organisation, by name."""
        with self._begin() as connection:
            rows = connection.execute(sa.select(organisations)).all()
        return tuple(sorted((Organisation(id=row.id, **row.body) for row in rows), key=lambda owner: owner.name))

    def mark_edited(self, connection: Connection) -> None:
        """From now on the content files leave this catalogue alone: somebody has begun to work on it."""
        _set_fact(connection, EDITED_HERE, "yes")

    def add_owner(self, owner: Organisation) -> None:
        """Raises StoreError when there is one with this id."""
        try:
            with self._begin() as connection:
                connection.execute(sa.insert(organisations), _organisation_row(owner))
                self.mark_edited(connection)
        except sa.exc.IntegrityError:
            raise StoreError(f"There is an organisation with the id {owner.id} already. Choose that one.") from None


def _engine(url: str) -> Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed)

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA busy_timeout=10000")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _write(connection: Connection, service: Service, *, revision: int, published: bool, by: str, now: datetime) -> None:
    body = service_to_dict(service)
    del body["organisation"]
    written = {"published": published, "updated_at": now, "updated_by": by, "body": body, "revision": revision}
    connection.execute(
        sa.insert(services),
        {
            "id": service.id,
            "organisation_id": service.organisation.id,
            "name": service.name,
            "status": service.status.value,
            "area": service.area.value,
            "assured_date": service.assured_date,
            **written,
        },
    )
    connection.execute(sa.insert(revisions), {"service_id": service.id, **written})


def _organisation_row(owner: Organisation) -> dict[str, Any]:
    body = {"name": owner.name, "description": owner.description, "website": owner.website}
    return {"id": owner.id, "body": body}


def _select_listings() -> sa.Select[Any]:
    return sa.select(services, organisations.c.body.label("owner")).join(organisations)


def _listing(row: Any) -> Listing:
    owner = {"id": row.organisation_id, **row.owner}
    moment = row.updated_at if row.updated_at.tzinfo else row.updated_at.replace(tzinfo=UTC)
    return Listing(
        service=service_from_dict({**row.body, "organisation": owner}),
        published=row.published,
        revision=row.revision,
        updated_at=moment,
        updated_by=row.updated_by,
    )


def _fact(connection: Connection, name: str) -> str | None:
    return connection.execute(sa.select(facts.c.value).where(facts.c.name == name)).scalar_one_or_none()


def _set_fact(connection: Connection, name: str, value: str) -> None:
    connection.execute(sa.delete(facts).where(facts.c.name == name))
    connection.execute(sa.insert(facts), {"name": name, "value": value})


def _edited(connection: Connection) -> bool:
    return _fact(connection, EDITED_HERE) is not None or (
        connection.execute(sa.select(revisions.c.service_id).where(revisions.c.updated_by != SEED)).first() is not None
    )


def _put_organisations(connection: Connection, owners: Sequence[Organisation]) -> None:
    """Add those that are new, and change those that changed."""
    rows = {owner.id: _organisation_row(owner) for owner in owners}
    query = sa.select(organisations.c.id, organisations.c.body).where(organisations.c.id.in_(rows))
    known = {row.id: row.body for row in connection.execute(query)}
    fresh = [row for key, row in rows.items() if key not in known]
    if fresh:
        connection.execute(sa.insert(organisations), fresh)
    for key, row in rows.items():
        if key in known and known[key] != row["body"]:
            connection.execute(sa.update(organisations).where(organisations.c.id == key).values(body=row["body"]))
