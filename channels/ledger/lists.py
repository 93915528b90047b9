"""A person's own list of services, and how often copies of it were sent.

A list belongs to its conversation: what is in it is encrypted like words, ends with them, and goes with FORGET ME.
Where a copy went is nowhere kept; a keyed hash of it is, for a day, so that nobody can be flooded with copies.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Delete, delete, func, insert, or_, select, update

from channels.conversation import ServiceCard
from channels.errors import NotFound
from channels.ledger import reading, tables
from channels.ledger.database import Database, Work, new_id
from channels.ledger.records import SavedService
from channels.ledger.rows import known

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class CopyLimits:
    """Copies in 24 hours: of one conversation's list, to one number or mailbox, and from everybody together."""

    from_one: int = 3
    to_one: int = 2
    together: int = 200


class Lists:
    """One method, one transaction. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, conversation_id: str, kept: SavedService) -> None:
        """Put a service into the list, or what is newer about it in the place of what was older. Raises NotFound."""
        async with self._database.writing() as work:
            conversation = await reading.lock_conversation(work, conversation_id)
            if conversation.forgotten_at is not None:
                raise NotFound
            await work.run(_one(work, conversation_id, kept.card.service_id))
            body = work.cipher.of(conversation_id).encrypt(json.dumps(asdict(replace(kept.card, why=""))))
            await work.run(
                insert(tables.saved_services).values(
                    id=new_id(),
                    conversation_id=conversation_id,
                    service_key=_service_key(work, conversation_id, kept.card.service_id),
                    body=body,
                    seq=kept.seq,
                    place=kept.place,
                    saved_at=work.now,
                )
            )

    async def remove(self, conversation_id: str, service_id: str) -> None:
        async with self._database.writing() as work:
            await work.run(_one(work, conversation_id, service_id))

    async def saved(self, conversation_id: str) -> list[SavedService]:
        """In the order in which they were offered, so that one that is put back stands where it stood."""
        table = tables.saved_services
        wanted = select(table).where(table.c.conversation_id == conversation_id).order_by(table.c.seq, table.c.place)
        async with self._database.reading() as work:
            return [
                SavedService(
                    card=ServiceCard(**known(ServiceCard, json.loads(words))),
                    seq=row.seq,
                    place=row.place,
                )
                for row in await work.run(wanted)
                if (words := work.cipher.decrypt(row.body))
            ]

    async def count_copy(self, conversation_id: str, destination: str, limits: CopyLimits) -> str | None:
        """Count a copy before it is sent, and give the id of the count; None when it would be one too many."""
        async with self._database.writing() as work:
            await work.hold(work.cipher.keyed_hash("list_copies"))
            table = tables.list_copies
            await work.run(delete(table).where(table.c.asked_at <= work.now - DAY))
            key = work.cipher.keyed_hash("list_copy", destination)
            counts = select(
                func.count(),
                func.count().filter(table.c.conversation_id == conversation_id),
                func.count().filter(table.c.destination_key == key),
            ).select_from(table)
            together, from_one, to_one = (await work.run(counts)).one()
            if together >= limits.together or from_one >= limits.from_one or to_one >= limits.to_one:
                return None
            copy_id = new_id()
            row = {"id": copy_id, "conversation_id": conversation_id, "destination_key": key, "asked_at": work.now}
            await work.run(insert(table).values(**row))
            return copy_id

    async def uncount_copy(self, copy_id: str) -> None:
        """It is certain that nothing was sent: the person may try again."""
        async with self._database.writing() as work:
            await work.run(delete(tables.list_copies).where(tables.list_copies.c.id == copy_id))


async def count(work: Work, conversation_id: str) -> int:
    table = tables.saved_services
    wanted = select(func.count()).select_from(table).where(table.c.conversation_id == conversation_id)
    return int((await work.run(wanted)).scalar_one())


async def move(work: Work, here: str, there: str, shift: int) -> None:
    """The person carries on elsewhere, where messages from here stand `shift` later: their list comes along."""
    table, cipher = tables.saved_services, work.cipher.of(there)
    for row in (await work.run(select(table).where(table.c.conversation_id == here))).all():
        words = work.cipher.decrypt(row.body)
        key = _service_key(work, there, json.loads(words)["service_id"]) if words else ""
        kept = select(table.c.id).where(table.c.conversation_id == there, table.c.service_key == key)
        if not words or (await work.run(kept)).first() is not None:
            await work.run(delete(table).where(table.c.id == row.id))
            continue
        values = {"service_key": key, "body": cipher.encrypt(words), "seq": row.seq + shift}
        await work.run(update(table).where(table.c.id == row.id).values(conversation_id=there, **values))
    copies = tables.list_copies
    await work.run(update(copies).where(copies.c.conversation_id == here).values(conversation_id=there))


async def drop(work: Work, conversation_id: str) -> None:
    """The list goes; that a number was written to today stays, without a tie to anybody."""
    saved, copies = tables.saved_services, tables.list_copies
    await work.run(delete(saved).where(saved.c.conversation_id == conversation_id))
    await work.run(update(copies).where(copies.c.conversation_id == conversation_id).values(conversation_id=None))


async def expire(work: Work, before: datetime) -> int:
    """Says how many rows went."""
    saved, copies = tables.saved_services, tables.list_copies
    old = or_(copies.c.asked_at < before, copies.c.asked_at <= work.now - DAY)
    return await work.changed(delete(saved).where(saved.c.saved_at < before)) + await work.changed(
        delete(copies).where(old)
    )


def _one(work: Work, conversation_id: str, service_id: str) -> Delete:
    table = tables.saved_services
    key = _service_key(work, conversation_id, service_id)
    return delete(table).where(table.c.conversation_id == conversation_id, table.c.service_key == key)


def _service_key(work: Work, conversation_id: str, service_id: str) -> str:
    return work.cipher.keyed_hash("saved_service", conversation_id, service_id)
