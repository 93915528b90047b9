"""Looking after what has stopped moving, and after old encryption keys."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Column, func, select, update

from channels.ledger import account_tables, tables, talk_tables
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
    """Rotate one column's next rows: the last id seen (None at the end) and how many were written anew.

    Each row is changed only if nobody else changed it meanwhile.
    """
    table = column.table
    wanted = select(table.c.id, column).where(table.c.id > after, column.is_not(None)).order_by(table.c.id).limit(BATCH)
    found = (await work.run(wanted)).all()
    count = 0
    for row in found:
        row_id, token = row[0], row[1]
        if not work.cipher.is_current(token):
            change = update(table).where(table.c.id == row_id, column == token)
            count += await work.changed(change.values({column: work.cipher.rotate(token)}))
    return (found[-1][0] if found else None), count
