"""What peer workers write beside a conversation: notes of every kind, drafts; and taking one message back out of it.

It belongs to the conversation: encrypted like words, gone with them and with FORGET ME, and moved along with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, and_, delete, exists, func, insert, or_, select, update

from channels.conversation import Concern, EscalationState
from channels.ledger import audit, erasure, escalations, lost_keys, queue_order, reading, rows, tables, talk_tables
from channels.ledger.database import Database, Work, new_id
from channels.ledger.records import EscalationRecord
from channels.ledger.talk_records import NoteKind, NoteRecord

REDACTED: Final = "redacted"
MOST_EARLIER: Final = 20


class Talk:
    """One method, one transaction. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, conversation_id: str, kind: NoteKind, author_id: str, body: Mapping[str, Any]) -> str:
        """Write a note; nothing that was written before is changed. Who wrote which kind is in the audit."""
        async with self._database.writing() as work:
            await reading.lock_conversation(work, conversation_id)
            return await write(work, conversation_id, kind, author_id, body)

    async def notes(self, conversation_id: str) -> list[NoteRecord]:
        """Every note, oldest first."""
        table = talk_tables.talk_notes
        wanted = select(table).where(table.c.conversation_id == conversation_id).order_by(table.c.at, table.c.id)
        async with self._database.reading() as work:
            return [
                NoteRecord(
                    id=row.id,
                    conversation_id=row.conversation_id,
                    kind=NoteKind(row.kind),
                    author_id=row.author_id,
                    body=json.loads(words),
                    at=row.at,
                )
                for row in await work.run(wanted)
                if (words := work.cipher.decrypt(row.body))
            ]

    # -- what is not sent yet

    async def keep_draft(self, conversation_id: str, peer_id: str, text: str) -> None:
        """In the place of the one before; no words, no draft."""
        table = talk_tables.talk_drafts
        async with self._database.writing() as work:
            await work.hold(conversation_id)
            await work.run(delete(table).where(table.c.conversation_id == conversation_id, table.c.peer_id == peer_id))
            if text.strip():
                row = {"id": new_id(), "conversation_id": conversation_id, "peer_id": peer_id, "at": work.now}
                await work.run(insert(table).values(**row, body=work.cipher.of(conversation_id).encrypt(text)))

    async def draft(self, conversation_id: str, peer_id: str) -> str:
        table = talk_tables.talk_drafts.c
        wanted = select(table.body).where(table.conversation_id == conversation_id, table.peer_id == peer_id)
        async with self._database.reading() as work:
            row = (await work.run(wanted)).first()
            return work.cipher.decrypt(row.body) if row else ""

    # -- what was before

    async def earlier(self, conversation_id: str) -> list[EscalationRecord]:
        """Talks with peer workers that have ended, newest first."""
        table = escalations.TABLE
        wanted = (
            select(tables.escalations)
            .where(
                table.conversation_id == conversation_id,
                table.state == EscalationState.CLOSED,
                table.claimed_by.is_not(None),
            )
            .order_by(table.closed_at.desc())
            .limit(MOST_EARLIER)
        )
        return await self._database.read(lambda work: escalations.listed(work, wanted))

    async def seq_at(self, conversation_id: str, moment: datetime) -> int:
        """The last message that had been written by then; 0 for none."""
        table = tables.messages.c
        wanted = select(func.max(table.seq)).where(table.conversation_id == conversation_id, table.created_at <= moment)
        async with self._database.reading() as work:
            return int((await work.run(wanted)).scalar_one() or 0)

    async def waiting_again(self, peer_id: str) -> list[EscalationRecord]:
        """Those who wait and were with this peer worker before, or were offered to be; who waits longest first."""
        table, notes = escalations.TABLE, talk_tables.talk_notes.c
        before = select(table.conversation_id).where(table.claimed_by == peer_id, table.state == EscalationState.CLOSED)
        offered = select(notes.conversation_id).where(notes.author_id == peer_id, notes.kind == NoteKind.NAMED_PEER)
        known = or_(table.conversation_id.in_(before), table.conversation_id.in_(offered))
        return await self._database.read(
            lambda work: escalations.listed(work, queue_order.waiting().where(known).limit(MOST_EARLIER))
        )

    async def times_asked(self, conversation_id: str, since: datetime) -> int:
        """How often they were brought to a person since then."""
        table = escalations.TABLE
        wanted = select(func.count()).where(table.conversation_id == conversation_id, table.opened_at >= since)
        async with self._database.reading() as work:
            return int((await work.run(wanted.select_from(tables.escalations))).scalar_one())

    async def redact(self, message_id: str, conversation_id: str, by: str) -> bool:
        """Take the words of one message out for good. False when it is not there, or still on its way somewhere."""
        table = tables.messages.c
        on_its_way = exists().where(tables.outbox.c.message_id == table.id)
        change = update(tables.messages).where(
            table.id == message_id, table.conversation_id == conversation_id, ~on_its_way
        )
        async with self._database.writing() as work:
            done = await work.changed(change.values(body=None, error_text=None, intent="", outcome=REDACTED)) == 1
            if done:
                await audit.append(work, by, "message_redacted", message_id)
        if done:
            await self._database.scrub()
        return done


async def write(work: Work, conversation_id: str, kind: NoteKind, author_id: str, body: Mapping[str, Any]) -> str:
    """A note, in a conversation that is ours."""
    note_id = new_id()
    row = {"id": note_id, "conversation_id": conversation_id, "kind": kind, "author_id": author_id}
    sealed = work.cipher.of(conversation_id).encrypt(json.dumps(dict(body)))
    await work.run(insert(talk_tables.talk_notes).values(**row, body=sealed, at=work.now))
    await audit.append(work, author_id, f"{kind}_written", conversation_id)
    return note_id


async def is_unsafe(work: Work, conversation: Row[Any], agreed_at: datetime, never: frozenset[Concern]) -> bool:
    """Whether they said last that being texted first is not safe, or have told since they agreed of what is among
    `never`, and nobody has noted since then whether it is. What cannot be read may say either.
    """
    table = talk_tables.talk_notes.c
    wanted = select(table.body, table.at).where(
        table.conversation_id == conversation.id, table.kind == NoteKind.SAFE_CONTACT
    )
    newest = (await work.run(wanted.order_by(table.at.desc(), table.id.desc()).limit(1))).first()
    if not lost_keys.opens(work, conversation.notes, newest.body if newest else None):
        return True
    words = work.cipher.decrypt(newest.body) if newest else ""
    if words and json.loads(words).get("ok") == "no":
        return True
    known = rows.open_notes(work.cipher, conversation.notes)
    settled_at = max(agreed_at, newest.at) if newest else agreed_at
    return bool(known.concerns & never) and known.concern_at is not None and known.concern_at > settled_at


async def count(work: Work, conversation_id: str) -> int:
    """Notes of every kind."""
    table = talk_tables.talk_notes
    wanted = select(func.count()).select_from(table).where(table.c.conversation_id == conversation_id)
    return int((await work.run(wanted)).scalar_one())


async def drop(work: Work, conversation_id: str) -> None:
    """Everything written beside a conversation goes with it."""
    for table in (talk_tables.talk_notes, talk_tables.talk_drafts, talk_tables.planned_messages):
        await work.run(delete(table).where(table.c.conversation_id == conversation_id))
    pings = talk_tables.pings
    await work.run(update(pings).where(pings.c.conversation_id == conversation_id).values(conversation_id=None))


def noted_since(notes: datetime, safeguarding: datetime) -> Select[Any]:
    """Conversations with a note that is still to be kept; each kind has its time."""
    table = talk_tables.talk_notes.c
    serious = table.kind == NoteKind.SAFEGUARDING
    young = or_(and_(serious, table.at >= safeguarding), and_(~serious, table.at >= notes))
    return select(table.conversation_id).where(young)


async def expire(work: Work, before: datetime, safeguarding: datetime) -> int:
    """Says how many rows went. What is known of somebody whose words are held stays with them."""
    notes, drafts, plans = talk_tables.talk_notes, talk_tables.talk_drafts, talk_tables.planned_messages
    pings, held = talk_tables.pings, erasure.held_conversations()
    serious = notes.c.kind == NoteKind.SAFEGUARDING
    old = or_(and_(serious, notes.c.at < safeguarding), and_(~serious, notes.c.at < before))
    return (
        await work.changed(delete(notes).where(old, notes.c.conversation_id.not_in(held)))
        + await work.changed(delete(drafts).where(drafts.c.at < before))
        + await work.changed(delete(plans).where(plans.c.due_at < before, plans.c.conversation_id.not_in(held)))
        + await work.changed(delete(pings).where(pings.c.at < before))
    )


async def move(work: Work, here: str, there: str) -> None:
    """The person carries on elsewhere: what was written beside their words comes along. Drafts are of one page."""
    await work.run(delete(talk_tables.talk_drafts).where(talk_tables.talk_drafts.c.conversation_id == here))
    for table in (
        talk_tables.talk_notes,
        talk_tables.planned_messages,
        talk_tables.pings,
        talk_tables.introductions,
    ):
        await work.run(update(table).where(table.c.conversation_id == here).values(conversation_id=there))
