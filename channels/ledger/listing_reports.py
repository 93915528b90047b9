"""What is wrong with a listing, as somebody told us, until the editors have it.

Nothing in it leads back to whoever said it: a service, what is wrong, and whether a person or a peer worker noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, Index, Integer, Table, insert, select, update

from channels.ledger.database import Database, Work, new_id
from channels.ledger.tables import Plain, UtcTime, metadata

LEASE: Final = timedelta(minutes=2)
"""How long a report that is being told is left alone by the other workers."""

table = Table(
    "listing_reports",
    metadata,
    Column("id", Plain(32), primary_key=True),
    Column("service_id", Plain(64), nullable=False),
    Column("wrong", Plain(32), nullable=False),
    Column("source", Plain(16), nullable=False),
    Column("noticed_at", UtcTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", UtcTime),
    Column("outcome", Plain(16), nullable=False),
)
Index("ix_listing_reports_due_at", table.c.due_at)


@dataclass(frozen=True, kw_only=True)
class ListingReport:
    """One report on its way."""

    id: str
    service_id: str
    wrong: str
    source: str
    noticed_at: datetime
    tries: int


class ListingReports:
    """One method, one transaction. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, service_id: str, wrong: str, source: str) -> None:
        async with self._database.writing() as work:
            await put(work, service_id, wrong, source)

    async def take(self, limit: int = 50) -> list[ListingReport]:
        """Those that are due, oldest first; nobody else gets them for a while."""
        async with self._database.writing() as work:
            wanted = select(table).where(table.c.due_at <= work.now).order_by(table.c.due_at).limit(limit)
            found = list(await work.run(wanted.with_for_update(skip_locked=True)))
            ids = [row.id for row in found]
            await work.run(
                update(table).where(table.c.id.in_(ids)).values(due_at=work.now + LEASE, tries=table.c.tries + 1)
            )
            return [
                ListingReport(
                    id=row.id,
                    service_id=row.service_id,
                    wrong=row.wrong,
                    source=row.source,
                    noticed_at=row.noticed_at,
                    tries=row.tries + 1,
                )
                for row in found
            ]

    async def settle(self, report_id: str, outcome: str) -> None:
        """told, refused or given_up: it is not tried again."""
        async with self._database.writing() as work:
            await work.run(update(table).where(table.c.id == report_id).values(due_at=None, outcome=outcome))

    async def put_off(self, report_id: str, until: datetime) -> None:
        async with self._database.writing() as work:
            await work.run(update(table).where(table.c.id == report_id).values(due_at=until, outcome="put_off"))


async def put(work: Work, service_id: str, wrong: str, source: str) -> None:
    """As part of a transaction that is under way."""
    row = {"id": new_id(), "service_id": service_id, "wrong": wrong, "source": source, "noticed_at": work.now}
    await work.run(insert(table).values(**row, tries=0, due_at=work.now, outcome=""))
