"""Removing our own test messages: they are nobody's, so nothing of them stays, not even that they were."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, or_, select

from channels.conversation import Channel
from channels.ledger import dooming, tables
from channels.ledger.database import Work


async def remove(work: Work, conversation_id: str, before: datetime) -> int:
    """That conversation, and what broke off before a moment. Only ever rows of the canary. Says how many went."""
    people, conversations = tables.people.c, tables.conversations.c
    wanted = (
        select(conversations.id, people.id)
        .join(tables.people, people.id == conversations.person_id)
        .where(
            people.channel == Channel.CANARY,
            or_(conversations.id == conversation_id, people.created_at < before),
        )
    )
    found = (await work.run(wanted)).all()
    ids, owners = [row[0] for row in found], [row[1] for row in found]
    for table in (tables.outbox, tables.messages, tables.escalations):
        await work.run(delete(table).where(table.c.conversation_id.in_(ids)))
    await work.run(delete(tables.conversations).where(conversations.id.in_(ids)))
    await work.run(delete(tables.people).where(people.id.in_(owners)))
    await dooming.doom(work, ids, leave_trace=False)
    return len(found)
