"""What came from where: beside every imported listing the source's own words, so that a later import can tell what the
source changed from what was changed here, and an export can give back what we have no field for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from knowledge.exchange.listings import PageMark
from knowledge.store import Store

RESUME_WITHIN = timedelta(hours=24)
"""Older pages of an interrupted import are asked for again."""

tables = sa.MetaData()
sources = sa.Table(
    "import_sources",
    tables,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
)
pages = sa.Table(
    "import_pages",
    tables,
    sa.Column("source", sa.String(200), primary_key=True),
    sa.Column("address", sa.String(1000), primary_key=True),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("modified", sa.Text, nullable=False),
    sa.Column("last", sa.Boolean, nullable=False),
    sa.Column("ids", sa.JSON, nullable=False),
)
entries = sa.Table(
    "import_entries",
    tables,
    sa.Column("service_id", sa.String(64), primary_key=True),
    sa.Column("source", sa.String(200), nullable=False, index=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("base", sa.JSON, nullable=False),
    sa.Column("kept", sa.Text, nullable=False),
    sa.Column("suggested", sa.JSON, nullable=False),
    sa.Column("reasons", sa.JSON, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("was_published", sa.Boolean, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One imported listing. `base` is the listing exactly as the source last gave it."""

    service_id: str
    source: str
    fingerprint: str
    base: Mapping[str, Any]
    kept: Mapping[str, Any]
    suggested: tuple[str, ...] = ()
    """Needs that the recogniser put there and nobody looked at yet."""
    reasons: tuple[str, ...] = ()
    """Why it is a draft, in words for the editor."""
    gone: bool = False
    """The source does not list it any more. It is kept, and not offered."""
    was_published: bool = field(default=False)


class Register:
    """The tables of imports, in the catalogue's own database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction() as connection:
            tables.create_all(connection)

    def begin(self, source: str) -> int:
        """The number of this run. One that was interrupted within RESUME_WITHIN is taken up again, with its number."""
        with self._store.transaction() as connection:
            row = connection.execute(sa.select(sources).where(sources.c.name == source)).first()
            run = _next(row)
            connection.execute(sa.delete(sources).where(sources.c.name == source))
            values = {"name": source, "run": run, "finished": False, "touched_at": datetime.now(UTC)}
            connection.execute(sa.insert(sources), values)
        return run

    def finish(self, connection: Connection, source: str) -> None:
        connection.execute(sa.update(sources).where(sources.c.name == source).values(finished=True))

    def next_run(self, source: str) -> int:
        """The number `begin` would give, without beginning."""
        with self._store.transaction() as connection:
            row = connection.execute(sa.select(sources).where(sources.c.name == source)).first()
        return _next(row)

    def touch(self, connection: Connection, source: str) -> None:
        """The first write of a transaction: from here on nobody else writes, so what is read now stays true."""
        connection.execute(sa.update(sources).where(sources.c.name == source).values(touched_at=datetime.now(UTC)))

    def page(self, source: str, address: str, run: int) -> PageMark | None:
        """What is remembered of a page. `carried` when this very run, interrupted before, had already done it."""
        query = sa.select(pages).where(pages.c.source == source, pages.c.address == address)
        with self._store.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return PageMark(
            address=address,
            etag=row.etag,
            modified=row.modified,
            ids=tuple(row.ids),
            last=row.last,
            carried=row.run == run,
        )

    def mark_page(self, connection: Connection, source: str, run: int, mark: PageMark) -> None:
        values = {"etag": mark.etag, "modified": mark.modified, "ids": list(mark.ids), "last": mark.last, "run": run}
        connection.execute(sa.delete(pages).where(pages.c.source == source, pages.c.address == mark.address))
        connection.execute(sa.insert(pages), {"source": source, "address": mark.address, **values})

    def fingerprints(self, ids: Sequence[str]) -> dict[str, tuple[str, str, bool]]:
        """(source, fingerprint, gone) of those that were imported before."""
        columns = (entries.c.service_id, entries.c.source, entries.c.fingerprint, entries.c.gone)
        with self._store.transaction() as connection:
            rows = connection.execute(sa.select(*columns).where(entries.c.service_id.in_(ids))).all()
        return {row.service_id: (row.source, row.fingerprint, row.gone) for row in rows}

    def find(self, connection: Connection, ids: Sequence[str]) -> dict[str, Entry]:
        rows = connection.execute(sa.select(entries).where(entries.c.service_id.in_(ids)))
        return {row.service_id: _entry(row) for row in rows}

    def entry(self, service_id: str) -> Entry | None:
        with self._store.transaction() as connection:
            return self.find(connection, [service_id]).get(service_id)

    def put(self, connection: Connection, written: Sequence[Entry]) -> None:
        if not written:
            return
        ids = [entry.service_id for entry in written]
        connection.execute(sa.delete(entries).where(entries.c.service_id.in_(ids)))
        connection.execute(sa.insert(entries), [_row(entry) for entry in written])

    def present(self, source: str, together: int = 2_000) -> Iterator[str]:
        """Ids that the source gave and that are not gone, a few at a time in memory."""
        last = ""
        while True:
            query = (
                sa.select(entries.c.service_id)
                .where(entries.c.source == source, entries.c.gone.is_(False), entries.c.service_id > last)
                .order_by(entries.c.service_id)
                .limit(together)
            )
            with self._store.transaction() as connection:
                ids = [row.service_id for row in connection.execute(query)]
            yield from ids
            if len(ids) < together:
                return
            last = ids[-1]


def _next(row: Any) -> int:
    if row is None:
        return 1
    touched = row.touched_at if row.touched_at.tzinfo else row.touched_at.replace(tzinfo=UTC)
    goes_on = not row.finished and datetime.now(UTC) - touched < RESUME_WITHIN
    return int(row.run) + (0 if goes_on else 1)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "service_id": entry.service_id,
        "source": entry.source,
        "fingerprint": entry.fingerprint,
        "base": dict(entry.base),
        "kept": json.dumps(entry.kept, separators=(",", ":")),
        "suggested": list(entry.suggested),
        "reasons": list(entry.reasons),
        "gone": entry.gone,
        "was_published": entry.was_published,
    }


def _entry(row: Any) -> Entry:
    return Entry(
        service_id=row.service_id,
        source=row.source,
        fingerprint=row.fingerprint,
        base=row.base,
        kept=json.loads(row.kept),
        suggested=tuple(row.suggested),
        reasons=tuple(row.reasons),
        gone=row.gone,
        was_published=row.was_published,
    )
