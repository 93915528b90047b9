"""A person's rights over what we hold: to see it, and to have it gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from channels.errors import NotFound
from channels.ledger import (
    audit,
    check_ins,
    consents,
    dooming,
    erasure,
    escalations,
    lists,
    lost_keys,
    moving,
    reading,
    returning,
    tables,
    talk,
)
from channels.ledger.database import Work
from channels.ledger.records import Held


async def held(work: Work, person_id: str, retention: timedelta) -> Held:
    person = await reading.person(work, person_id)
    conversation = await reading.conversation_of(work, person_id)
    table = tables.messages.c
    wanted = select(func.count(), func.max(table.created_at)).where(table.conversation_id == conversation.id)
    row = (await work.run(wanted)).one()
    return Held(
        since=person.created_at,
        messages=row[0],
        needs=conversation.needs,
        place=conversation.place,
        saved=await lists.count(work, conversation.id),
        noted=await talk.count(work, conversation.id),
        keep_until=(row[1] or person.created_at) + retention,
    )


async def forget(work: Work, person_id: str, actor: str) -> None:
    """Words, numbers, choices, needs, place and keys go, on every channel they carried on over. Raises NotFound.

    That there was somebody, and when, stays.

    Whatever of theirs nobody has answered yet is marked so: there is nothing left to answer.
    """
    theirs = select(reading.conversation_id_of(tables.people.c.id == person_id))
    conversation_id = (await work.run(theirs)).scalar_one_or_none()
    if conversation_id is None:
        raise NotFound
    circle = list((await work.run(moving.circle_of(conversation_id))).scalars())
    talks = {conversation_id, *await lost_keys.aside(work, circle)}
    await reading.lock_conversation(work, conversation_id)
    await escalations.close_forgotten(work, conversation_id)
    unanswered = erasure.waiting_messages(conversation_id, "inbound")
    await work.run(
        update(tables.messages).where(tables.messages.c.id.in_(unanswered)).values(answered=True, outcome="forgotten")
    )
    await work.run(
        delete(tables.outbox).where(
            tables.outbox.c.conversation_id == conversation_id, tables.outbox.c.kind == "inbound"
        )
    )
    await dooming.seal_farewell(work, erasure.waiting_messages(conversation_id, "outbound"), circle)
    await dooming.doom_conversations(work, conversation_id, circle)
    await work.run(delete(tables.holds).where(tables.holds.c.person_id.in_(circle)))
    for one in circle:
        await returning.drop(work, one)
        await erasure.erase_person(work, one)
    for talked in talks:
        await lists.drop(work, talked)
        await consents.withdraw(work, talked)
        await check_ins.drop(work, talked)
        await talk.drop(work, talked)
        await erasure.erase_notes(work, talked)
        await erasure.erase_words(work, talked)
    await erasure.finish(work, conversation_id)
    await audit.append(work, actor, "person_forgotten", person_id)


async def expire(work: Work, before: datetime, notes: datetime, safeguarding: datetime) -> int:
    """One batch of retention; 0 when everything old is gone. Nobody goes before the last note about them does."""
    done = await erasure.expire_words(work, before) + await lists.expire(work, before)
    done += await talk.expire(work, notes, safeguarding)
    quiet = await erasure.people_gone_quiet(work, before, talk.noted_since(notes, safeguarding))
    for person_id in quiet:
        await forget(work, person_id, "retention")
    return done + len(quiet)
