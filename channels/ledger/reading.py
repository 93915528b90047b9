"""Reading people, conversations and messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, func, select

from channels.conversation import Channel, Choice, EscalationState, Sender
from channels.errors import NotFound
from channels.ledger import rows, tables
from channels.ledger.database import Work
from channels.ledger.records import ConversationRecord, MessageRecord, Pace, PersonRecord

CHOICES_REMEMBERED = 5
"""How many of our last messages a typed number may refer to."""

OPEN = tuple(state for state in EscalationState if state is not EscalationState.CLOSED)


async def one(work: Work, statement: Select[Any]) -> Row[Any]:
    """Raises NotFound."""
    row = (await work.run(statement)).first()
    if row is None:
        raise NotFound
    return row


async def lock_conversation(work: Work, conversation_id: str) -> Row[Any]:
    """As `lock_where`. Raises NotFound."""
    row = await lock_where(work, tables.conversations.c.id == conversation_id)
    if row is None:
        raise NotFound
    return row


async def lock_where(work: Work, condition: ColumnElement[bool]) -> Row[Any] | None:
    """A conversation, and whether its person was forgotten or asked for quiet; ours until the transaction ends.

    Whatever depends on its holder or on order starts here. The condition holds once the lock is ours.
    """
    return (await work.run(locked(condition))).first()


def locked(condition: ColumnElement[bool]) -> Select[Any]:
    talk, person = tables.conversations.c, tables.people.c
    both = tables.conversations.join(tables.people, person.id == func.coalesce(talk.reach_id, talk.person_id))
    theirs = (person.forgotten_at, person.do_not_text_first, person.id.label("reaches"))
    return select(tables.conversations, *theirs).select_from(both).where(condition).with_for_update()


async def conversation(work: Work, conversation_id: str) -> ConversationRecord:
    row = await one(work, select(tables.conversations).where(tables.conversations.c.id == conversation_id))
    return rows.conversation_of(work.cipher, row, work.shards)


async def conversation_of(work: Work, person_id: str) -> ConversationRecord:
    """Their own, or the one from another channel that they carried on with. Raises NotFound."""
    theirs = conversation_id_of(tables.people.c.id == person_id)
    row = await one(work, select(tables.conversations).where(tables.conversations.c.id == theirs))
    return rows.conversation_of(work.cipher, row, work.shards)


def conversation_id_of(condition: ColumnElement[bool]) -> ScalarSelect[Any]:
    """The conversation that whoever meets the condition writes to."""
    talk, person = tables.conversations.c, tables.people.c
    own = select(talk.id).where(talk.person_id == person.id).correlate(tables.people).scalar_subquery()
    return select(func.coalesce(person.shares, own)).where(condition).scalar_subquery()


async def person(work: Work, person_id: str) -> PersonRecord:
    row = await one(work, select(tables.people).where(tables.people.c.id == person_id))
    return rows.person_of(work.cipher, row)


async def person_at(work: Work, channel: Channel, address: str) -> PersonRecord | None:
    key = work.cipher.person_key(channel, address)
    row = (await work.run(select(tables.people).where(tables.people.c.person_key == key))).first()
    return rows.person_of(work.cipher, row) if row else None


async def message(work: Work, message_id: str) -> MessageRecord | None:
    row = (await work.run(select(tables.messages).where(tables.messages.c.id == message_id))).first()
    return rows.message_of(work.cipher, row) if row else None


async def messages(work: Work, conversation_id: str, after_seq: int, limit: int) -> list[MessageRecord]:
    table = tables.messages.c
    wanted = (
        select(tables.messages)
        .where(table.conversation_id == conversation_id, table.seq > after_seq)
        .order_by(table.seq)
        .limit(limit)
    )
    return [rows.message_of(work.cipher, row) for row in await work.run(wanted)]


async def last_choices(work: Work, conversation_id: str) -> tuple[Choice, ...]:
    table = tables.messages.c
    wanted = (
        select(table.body)
        .where(table.conversation_id == conversation_id, table.sender != Sender.PERSON)
        .order_by(table.seq.desc())
        .limit(CHOICES_REMEMBERED)
    )
    for row in await work.run(wanted):
        choices = rows.choices_of(rows.open_body(work.cipher, row.body).get("choices"))
        if choices:
            return choices
    return ()


async def pace(work: Work, conversation_id: str) -> Pace:
    """Counts over a minute and an hour that end now."""
    table, waiting = tables.messages.c, tables.outbox.c
    minute, hour = work.now - timedelta(minutes=1), work.now - timedelta(hours=1)
    here = table.conversation_id == conversation_id
    ours = table.sender.in_((Sender.ASSISTANT, Sender.NOTICE))
    written = select(func.count()).where(here, table.sender == Sender.PERSON, table.created_at > minute)
    replied = select(func.count(), func.max(table.created_at)).where(here, ours, table.created_at > hour)
    newest = select(func.max(waiting.seq)).where(waiting.conversation_id == conversation_id, waiting.kind == "inbound")
    count, last = (await work.run(replied)).one()
    return Pace(
        written=int((await work.run(written)).scalar_one()),
        replied=count,
        last_reply_at=last,
        newest_unanswered=(await work.run(newest)).scalar_one() or 0,
    )
