"""Looking after what has stopped moving, and after old encryption keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, bindparam, func, null, select, update

from channels.ledger import account_tables, sealing, tables, talk_tables
from channels.ledger.database import Work, shard_of
from channels.ledger.records import Stalled

CONVERSATIONS = 1000
"""The most one sweep announces; the next one takes the rest."""

BATCH = 200
ENCRYPTED: tuple[Column[str], ...] = (
    tables.people.c.address,
    tables.conversations.c.notes,
    tables.messages.c.body,
    tables.messages.c.provider_id,
    tables.messages.c.error_text,
    tables.escalations.c.notes,
    tables.saved_services.c.body,
    tables.holds.c.reason,
    account_tables.peer_factors.c.secret,
    talk_tables.talk_notes.c.body,
    talk_tables.talk_drafts.c.body,
    talk_tables.planned_messages.c.body,
)


async def stalled(work: Work, older_than: timedelta) -> Stalled:
    return Stalled(
        inbound=await stalled_kind(work, "inbound", older_than),
        outbound=await stalled_kind(work, "outbound", older_than),
    )


async def stalled_kind(work: Work, kind: str, older_than: timedelta) -> list[tuple[int, str]]:
    """Conversations whose first unfinished message is overdue, the longest overdue first."""
    waiting = tables.outbox.c
    first = (
        select(waiting.conversation_id, func.min(waiting.seq).label("seq"))
        .where(waiting.kind == kind)
        .group_by(waiting.conversation_id)
        .subquery()
    )
    wanted = (
        select(waiting.conversation_id)
        .join(first, (first.c.conversation_id == waiting.conversation_id) & (first.c.seq == waiting.seq))
        .where(waiting.kind == kind, waiting.due_at < work.now - older_than)
        .order_by(waiting.due_at)
        .limit(CONVERSATIONS)
    )
    return [(shard_of(found, work.shards), found) for found in (await work.run(wanted)).scalars()]


async def reencrypt_batch(work: Work, column: Column[str], after: str) -> tuple[str | None, int]:
    """Put one column's next rows under the key of their person, or under the newest one what is nobody's.

    The last id seen (None at the end) and how many were written anew. Each row is changed only if nobody else changed
    it meanwhile.
    """
    table = column.table
    key: Column[str] = next(iter(table.primary_key))
    wanted = (
        select(key, column, owner_of(table))
        .where(key > after, column.is_not(None), column.not_like(f"{sealing.PREFIX}%"))
        .order_by(key)
        .limit(BATCH)
    )
    found = (await work.run(wanted)).all()
    if work.cipher.people is not None:
        work.cipher.people.make({owner for _, _, owner in found if owner})
    fresh = [(row_id, token, work.cipher.of(owner or "").rotate(token)) for row_id, token, owner in found]
    changes = [
        {"row_id": row_id, "was": was, "fresh": now}
        for row_id, was, now in fresh
        if sealing.is_sealed(now) or not work.cipher.is_current(was)
    ]
    change = update(table).where(key == bindparam("row_id"), column == bindparam("was"))
    count = await work.changed_many(change.values({column: bindparam("fresh")}), changes) if changes else 0
    return (found[-1][0] if found else None), count


def owner_of(table: FromClause) -> ColumnElement[Any]:
    """The conversation whose key a row is under; NULL where it is about nobody who writes to us."""
    talks = tables.conversations
    if table is talks:
        return talks.c.id
    if table in (tables.people, tables.holds):
        person_id = table.c.id if table is tables.people else table.c.person_id
        return select(talks.c.id).where(talks.c.person_id == person_id).scalar_subquery()
    return table.c.conversation_id if "conversation_id" in table.c else null()
