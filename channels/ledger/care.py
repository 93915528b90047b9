"""Peer workers are people: what the queue must know of how they are doing, and one asking another to look.

Nothing anybody says about how they feel is written here: only that a rest was wanted, and until when.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from channels.ledger import audit, talk_tables
from channels.ledger.database import Database, Work, new_id
from channels.ledger.records import PeerRecord
from channels.ledger.talk_records import CareRecord, PingRecord

TABLE: Final = talk_tables.peer_care.c
IN_A_ROW: Final = timedelta(hours=3)
"""Hard conversations that end closer together than this follow each other."""
MOST_PINGS: Final = 20


class Care:
    """One method, one transaction. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, peer_id: str) -> CareRecord:
        return record_of(await self._database.read(lambda work: found(work, peer_id)))

    async def note_ended(self, peer_id: str, *, hard: bool) -> CareRecord:
        """A conversation has ended: a hard one counts and asks for a debrief, any other one begins anew."""
        async with self._database.writing() as work:
            before = record_of(await found(work, peer_id))
            follows = before.hard_at is not None and work.now - before.hard_at < IN_A_ROW
            count = (before.hard_in_a_row if follows else 0) + 1 if hard else 0
            change: dict[str, Any] = {"hard_in_a_row": count, "debrief_due": hard or before.debrief_due}
            await keep(work, peer_id, **change, hard_at=work.now if hard else before.hard_at)
            return record_of(await found(work, peer_id))

    async def rest(self, peer_id: str, until: datetime | None) -> None:
        """A pause that the queue respects; None ends it. Having rested, nothing counts as in a row."""
        async with self._database.writing() as work:
            fresh = {"hard_in_a_row": 0} if until else {}
            await keep(work, peer_id, resting_until=until, **fresh)
            await audit.append(work, peer_id, "rest_began" if until else "rest_ended", peer_id)

    async def debriefed(self, peer_id: str) -> None:
        async with self._database.writing() as work:
            await keep(work, peer_id, debrief_due=False)

    async def use_single_keys(self, peer_id: str, on: bool) -> None:
        async with self._database.writing() as work:
            await keep(work, peer_id, single_keys=on)

    # -- asking each other to look

    async def ping(self, sender: PeerRecord, to_id: str, kind: str, conversation_id: str | None = None) -> None:
        async with self._database.writing() as work:
            row = {"id": new_id(), "to_id": to_id, "from_id": sender.id, "from_name": sender.name, "kind": kind}
            await work.run(insert(talk_tables.pings).values(**row, conversation_id=conversation_id, at=work.now))
            await audit.append(work, sender.id, f"pinged_{kind}", conversation_id or to_id)

    async def pings(self, peer_id: str) -> list[PingRecord]:
        """Not seen yet, oldest first."""
        table = talk_tables.pings.c
        wanted = (
            select(talk_tables.pings)
            .where(table.to_id == peer_id, table.seen_at.is_(None))
            .order_by(table.at)
            .limit(MOST_PINGS)
        )
        async with self._database.reading() as work:
            return [
                PingRecord(
                    id=row.id, from_name=row.from_name, kind=row.kind, conversation_id=row.conversation_id, at=row.at
                )
                for row in await work.run(wanted)
            ]

    async def pinged(self, peer_id: str, conversation_id: str) -> bool:
        """Whether a colleague asked them to look at it in the last day: it may be read then."""
        table = talk_tables.pings.c
        async with self._database.reading() as work:
            wanted = select(table.id).where(
                table.to_id == peer_id,
                table.conversation_id == conversation_id,
                table.at > work.now - timedelta(days=1),
                table.kind != "buddy",
            )
            return (await work.run(wanted.limit(1))).first() is not None

    async def seen(self, ping_id: str, peer_id: str) -> None:
        table = talk_tables.pings.c
        async with self._database.writing() as work:
            await work.run(
                update(talk_tables.pings)
                .where(table.id == ping_id, table.to_id == peer_id, table.seen_at.is_(None))
                .values(seen_at=work.now)
            )


async def tell(work: Work, peer_id: str, kind: str) -> None:
    """The desk itself tells them something, at the top of their list; it leads to no conversation."""
    row = {"id": new_id(), "to_id": peer_id, "from_id": peer_id, "from_name": "", "kind": kind}
    await work.run(insert(talk_tables.pings).values(**row, at=work.now))


async def found(work: Work, peer_id: str) -> Row[Any] | None:
    return (await work.run(select(talk_tables.peer_care).where(TABLE.peer_id == peer_id))).first()


async def keep(work: Work, peer_id: str, **change: object) -> None:
    fresh = {"hard_in_a_row": 0, "debrief_due": False, "single_keys": True}
    await work.insert_new(talk_tables.peer_care, peer_id=peer_id, **fresh)
    await work.run(update(talk_tables.peer_care).where(TABLE.peer_id == peer_id).values(**change))


def record_of(row: Row[Any] | None) -> CareRecord:
    if row is None:
        return CareRecord()
    return CareRecord(
        hard_in_a_row=row.hard_in_a_row,
        hard_at=row.hard_at,
        debrief_due=row.debrief_due,
        resting_until=row.resting_until,
        single_keys=row.single_keys,
    )
