"""Forgetting: a person's right, and what happens by itself when words are old. Counts stay, words and numbers go.

What waits to be sent when somebody is forgotten (the farewell) is still sent; it and the address go with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, or_, select, update

from channels.ledger import dooming, tables
from channels.ledger.database import Work

EMPTY: dict[str, Any] = {"body": None, "provider_id": None, "error_text": None, "language": None, "intent": ""}
BATCH = 500


def waiting_messages(conversation_id: str, kind: str | None = None) -> Select[Any]:
    waiting = tables.outbox.c
    wanted = select(waiting.message_id).where(waiting.conversation_id == conversation_id)
    return wanted.where(waiting.kind == kind) if kind else wanted


async def erase_words(work: Work, conversation_id: str) -> None:
    """Everything said, except what waits to be sent to them."""
    table = tables.messages.c
    keep = waiting_messages(conversation_id, "outbound")
    await work.run(
        update(tables.messages).where(table.conversation_id == conversation_id, table.id.not_in(keep)).values(**EMPTY)
    )


async def erase_notes(work: Work, conversation_id: str) -> None:
    """What was understood."""
    await work.run(update(tables.conversations).where(tables.conversations.c.id == conversation_id).values(notes=None))
    await work.run(
        update(tables.escalations)
        .where(tables.escalations.c.conversation_id == conversation_id)
        .values(notes=None, language=None)
    )


async def erase_person(work: Work, person_id: str) -> None:
    """What the person is recognised by."""
    await work.run(
        update(tables.people)
        .where(tables.people.c.id == person_id)
        .values(person_key=None, language=None, forgotten_at=work.now)
    )


async def finish(work: Work, conversation_id: str) -> bool:
    """Once nothing waits to be sent to somebody forgotten, erase the rest: their last message and address.

    Whether anything was erased.
    """
    wanted = (
        select(tables.people.c.id)
        .join(tables.conversations, tables.conversations.c.person_id == tables.people.c.id)
        .where(
            tables.conversations.c.id == conversation_id,
            tables.people.c.forgotten_at.is_not(None),
        )
    )
    person_id = (await work.run(wanted)).scalar_one_or_none()
    if person_id is None:
        return False
    everybody = or_(tables.people.c.id == person_id, tables.people.c.shares == conversation_id)
    await erase_words(work, conversation_id)
    if (await work.run(waiting_messages(conversation_id, "outbound").limit(1))).first() is None:
        await dooming.doom_addresses(work, everybody)
        await work.run(update(tables.people).where(everybody).values(address=None))
    return True


async def expire_words(work: Work, before: datetime) -> int:
    """Erase what was said before a moment and is dealt with. Says how many messages lost their words."""
    table = tables.messages.c
    old = (
        select(table.id)
        .where(
            table.created_at < before,
            or_(table.body.is_not(None), table.provider_id.is_not(None)),
            ~exists().where(tables.outbox.c.message_id == table.id),
            table.conversation_id.not_in(held_conversations()),
        )
        .limit(BATCH)
    )
    ids = list((await work.run(old)).scalars())
    if not ids:
        return 0
    return await work.changed(update(tables.messages).where(table.id.in_(ids)).values(**EMPTY))


def held_conversations() -> Select[Any]:
    """Of people whose words are kept beyond their time."""
    conversation = tables.conversations.c
    owner_or_guest = or_(tables.people.c.id == conversation.person_id, tables.people.c.shares == conversation.id)
    return (
        select(conversation.id)
        .select_from(tables.conversations)
        .join(tables.people, owner_or_guest)
        .join(tables.holds, tables.holds.c.person_id == tables.people.c.id)
    )


async def people_gone_quiet(work: Work, before: datetime, noted: Select[Any]) -> list[str]:
    """People with no message since, nothing on its way, nobody waiting or talking with them, and not among `noted`."""
    conversation = tables.conversations.c
    wanted = (
        select(tables.people.c.id)
        .join(tables.conversations, conversation.person_id == tables.people.c.id)
        .where(
            tables.people.c.forgotten_at.is_(None),
            # Whoever carried on elsewhere goes with the one they carried on with.
            tables.people.c.shares.is_(None),
            tables.people.c.created_at < before,
            conversation.id.not_in(held_conversations()),
            conversation.id.not_in(noted),
            ~exists().where(
                tables.messages.c.conversation_id == conversation.id, tables.messages.c.created_at >= before
            ),
            ~exists().where(tables.outbox.c.conversation_id == conversation.id),
            ~exists().where(
                tables.escalations.c.conversation_id == conversation.id, tables.escalations.c.state != "closed"
            ),
        )
        .limit(BATCH)
    )
    return list((await work.run(wanted)).scalars())
