"""Messages from people: stored before anybody is told so, answered once, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from channels.conversation import Channel, Holder, Inbound, Sender
from channels.errors import LedgerUnavailable, NotFound
from channels.ledger import (
    audit,
    check_ins,
    dooming,
    escalations,
    listing_reports,
    lost_keys,
    outbound,
    queue_order,
    reading,
    returning,
    rows,
    tables,
    withdrawing,
)
from channels.ledger.database import Work, new_id, shard_of
from channels.ledger.records import PLACE, Committed, Draft, MessageRecord, Outcome, Stored

INBOUND = "inbound"
UNCOUNTED = frozenset({"merged", "wrong_code", "opted_out", "opted_out_after_concern"})
"""Outcomes that are no turn and use up no first message: answered with a later message or with STOP's silence, or
before the conversation has begun."""
ATTEMPTS_AT_A_PERSON = 3
"""Somebody can be forgotten, or appear, between two of our statements; not again and again."""
LOOKED_UP_AT_ONCE = 500
EPISODE_RESTS = timedelta(hours=12)
"""After so long without a message the next one begins a new episode."""


async def store(work: Work, inbound: Inbound) -> Stored:
    """Raises LedgerUnavailable."""
    conversation, person_id = await conversation_with(work, inbound)
    seq = conversation.last_seq + 1
    message_id = new_id()
    episode = episode_now(conversation, work.now)
    provider_key = work.cipher.keyed_hash(INBOUND, inbound.channel, inbound.provider_id)
    stored = await work.insert_new(
        tables.messages,
        id=message_id,
        conversation_id=conversation.id,
        seq=seq,
        channel=inbound.channel,
        sender=Sender.PERSON,
        provider_key=provider_key,
        provider_id=work.cipher.of(conversation.id).encrypt(inbound.provider_id),
        body=rows.seal_inbound(work.cipher.of(conversation.id), inbound),
        opt_out=inbound.opt_out,
        language=inbound.language,
        episode=episode["episode"],
        answered=False,
        outcome="",
        intent="",
        attempts=0,
        error_code="",
        created_at=work.now,
    )
    if not stored:
        return await already_stored(work, provider_key)
    await work.run(
        insert(tables.outbox).values(
            message_id=message_id, conversation_id=conversation.id, kind=INBOUND, seq=seq, urgent=False, due_at=work.now
        )
    )
    await work.run(
        update(tables.conversations)
        .where(tables.conversations.c.id == conversation.id)
        .values(
            last_seq=seq,
            last_inbound_at=work.now,
            channel=inbound.channel,
            reach_id=person_id,
            **episode,
            **arrival_notes(work, conversation, inbound),
        )
    )
    if inbound.language:
        await work.run(update(tables.people).where(tables.people.c.id == person_id).values(language=inbound.language))
    return Stored(
        message_id=message_id,
        conversation_id=conversation.id,
        shard=shard_of(conversation.id, work.shards),
        duplicate=False,
    )


def episode_now(conversation: Row[Any], now: datetime) -> dict[str, Any]:
    """The episode a message belongs to: nobody is held to half a question from the day before."""
    last = conversation.last_inbound_at
    if last is not None and now - last > EPISODE_RESTS:
        return {"episode": new_id(), "episode_turns": 0}
    return {"episode": conversation.episode}


def arrival_notes(work: Work, conversation: Row[Any], inbound: Inbound) -> dict[str, Any]:
    """The first link that brought somebody here stays; whoever writes has not shut us out."""
    known = rows.open_notes(work.cipher, conversation.notes)
    now = replace(known, came_from=known.came_from or inbound.came_from, blocked=False)
    return {} if now == known else {"notes": rows.seal_notes(work.cipher.of(conversation.id), now)}


async def set_blocked(work: Work, channel: Channel, address: str, blocked: bool) -> str | None:
    """The conversation it concerns; None when nobody we know has this address."""
    conversation = await reading.lock_where(
        work, tables.people.c.person_key == work.cipher.person_key(channel, address)
    )
    if conversation is None:
        return None
    notes = replace(rows.open_notes(work.cipher, conversation.notes), blocked=blocked)
    await work.run(
        update(tables.conversations)
        .where(tables.conversations.c.id == conversation.id)
        .values(notes=rows.seal_notes(work.cipher.of(conversation.id), notes))
    )
    return str(conversation.id)


async def already_stored(work: Work, provider_key: str) -> Stored:
    table = tables.messages.c
    row = await reading.one(
        work,
        select(table.id, table.conversation_id).where(
            table.provider_key == provider_key, table.sender == Sender.PERSON
        ),
    )
    return Stored(
        message_id=row.id,
        conversation_id=row.conversation_id,
        shard=shard_of(row.conversation_id, work.shards),
        duplicate=True,
    )


async def unknown(work: Work, channel: Channel, provider_ids: Sequence[str]) -> set[str]:
    """The keyed hash of an id outlives the words it came with, so what was erased is known all the same."""
    keys = {work.cipher.keyed_hash(INBOUND, channel, provider_id): provider_id for provider_id in provider_ids}
    table = tables.messages.c
    wanted, known = list(keys), set[str]()
    for start in range(0, len(wanted), LOOKED_UP_AT_ONCE):
        some = wanted[start : start + LOOKED_UP_AT_ONCE]
        found = select(table.provider_key).where(table.provider_key.in_(some), table.sender == Sender.PERSON)
        known.update((await work.run(found)).scalars())
    return {provider_id for key, provider_id in keys.items() if key not in known}


async def newest(work: Work, channel: Channel) -> datetime | None:
    table = tables.messages.c
    wanted = (
        select(table.created_at)
        .where(table.sender == Sender.PERSON, table.channel == channel)
        .order_by(table.created_at.desc())
        .limit(1)
    )
    return (await work.run(wanted)).scalar_one_or_none()


async def conversation_with(work: Work, inbound: Inbound) -> tuple[Row[Any], str]:
    """The locked conversation of whoever wrote and their id; made now if this is their first message or they were
    forgotten, or if their key is lost. Somebody may carry on elsewhere while we wait for the lock, so it is looked up
    again under it."""
    key = work.cipher.person_key(inbound.channel, inbound.address)
    theirs = tables.people.c.person_key == key
    for _ in range(ATTEMPTS_AT_A_PERSON):
        found = (await work.run(select(tables.people.c.id, tables.people.c.address).where(theirs))).first()
        if found is None:
            await welcome(work, inbound, key)
            continue
        conversation = await reading.lock_where(work, tables.conversations.c.id == reading.conversation_id_of(theirs))
        now = (await work.run(select(reading.conversation_id_of(theirs)))).scalar_one_or_none()
        if conversation is None or conversation.id != now:
            continue
        if lost_keys.is_lost(work, conversation, found.address):
            await lost_keys.begin_anew(work, conversation)
            continue
        if not lost_keys.opens(work, found.address):
            sealed = work.cipher.of(conversation.id).encrypt(inbound.address)
            await work.run(update(tables.people).where(tables.people.c.id == found.id).values(address=sealed))
        return conversation, found.id
    raise LedgerUnavailable("person_changed")


async def welcome(work: Work, inbound: Inbound, person_key: str) -> None:
    """A new person and their conversation; nothing if another process was quicker."""
    person_id, conversation_id = new_id(), new_id()
    fresh = await work.insert_new(
        tables.people,
        id=person_id,
        channel=inbound.channel,
        person_key=person_key,
        address=work.cipher.of(conversation_id).encrypt(inbound.address),
        language=inbound.language,
        do_not_text_first=False,
        created_at=work.now,
    )
    if not fresh:
        await dooming.doom(work, [conversation_id], leave_trace=False)
        return
    await work.run(
        insert(tables.conversations).values(
            id=conversation_id,
            person_id=person_id,
            channel=inbound.channel,
            holder=Holder.BOT,
            episode=new_id(),
            episode_turns=0,
            turns=0,
            created_at=work.now,
            last_seq=0,
        )
    )


async def next_unanswered(work: Work, conversation_id: str) -> MessageRecord | None:
    waiting = tables.outbox.c
    wanted = (
        select(tables.messages)
        .join(tables.outbox, waiting.message_id == tables.messages.c.id)
        .where(waiting.conversation_id == conversation_id, waiting.kind == INBOUND)
        .order_by(waiting.seq)
        .limit(1)
    )
    row = (await work.run(wanted)).first()
    return rows.message_of(work.cipher, row) if row else None


async def touch(work: Work, message_id: str) -> None:
    """Something is happening to it: the sweeper starts counting anew."""
    await work.run(update(tables.outbox).where(tables.outbox.c.message_id == message_id).values(due_at=work.now))


async def count_attempt(work: Work, message_id: str) -> int:
    table = tables.messages.c
    await touch(work, message_id)
    await work.run(update(tables.messages).where(table.id == message_id).values(attempts=table.attempts + 1))
    return int((await reading.one(work, select(table.attempts).where(table.id == message_id))).attempts)


async def commit(work: Work, outcome: Outcome) -> Committed | None:
    """Everything or, when the message was answered or the turn changed hands meanwhile, nothing."""
    table = tables.messages.c
    theirs = select(table.conversation_id).where(table.id == outcome.message_id).scalar_subquery()
    conversation = await reading.lock_where(work, tables.conversations.c.id == theirs)
    if conversation is None:
        raise NotFound
    if conversation.holder != outcome.expected_holder or not await mark_answered(work, outcome):
        return None
    notes = rows.open_notes(work.cipher, conversation.notes).with_more(outcome.concerns, outcome.needs, outcome.place)
    if outcome.concerns:
        notes = replace(notes, concern_at=work.now)
    notes = replace(notes, asked_for=outcome.asked_for or notes.asked_for)
    if outcome.remember is not None:
        notes = replace(notes, remembered=outcome.remember, remembered_at=work.now)
    escalation_id = await escalations.ask(work, conversation, outcome, notes)
    place = await queue_order.place_of(work, conversation.id) if escalation_id else None
    sent = await outbound.insert(work, conversation, with_place(outcome, place))
    await end_turn(work, conversation, outcome, sent, notes)
    await check_ins.apply(work, conversation, outcome, notes)
    await record_choice(work, conversation, outcome)
    await withdrawing.withdraw(work, conversation.id, outcome.withdraw, "person")
    if outcome.language:
        wanted = update(tables.people).where(tables.people.c.id == conversation.reaches)
        await work.run(wanted.values(language=outcome.language))
    if outcome.code:
        await returning.keep(work, conversation.reaches, outcome.code)
    for report in outcome.reports:
        await listing_reports.put(work, report.service_id, report.wrong, "person")
    return Committed(
        conversation_id=conversation.id,
        shard=shard_of(conversation.id, work.shards),
        outbound=sent,
        escalation_id=escalation_id,
    )


def with_place(outcome: Outcome, place: int | None) -> Sequence[Draft]:
    """What is said, with the place in the queue that they have from now on: many may ask at once."""
    if outcome.say_place is None:
        return outcome.drafts
    words = outcome.say_place(place or 1)
    return [
        replace(
            draft,
            text=draft.text.replace(PLACE, words),
            reply=replace(draft.reply, text=draft.reply.text.replace(PLACE, words)) if draft.reply else None,
        )
        if draft.sender is Sender.NOTICE
        else draft
        for draft in outcome.drafts
    ]


async def mark_answered(work: Work, outcome: Outcome) -> bool:
    """False when it was answered before."""
    table = tables.messages.c
    first = await work.changed(
        update(tables.messages)
        .where(table.id == outcome.message_id, table.answered.is_(False))
        .values(answered=True, outcome=outcome.kind, intent=outcome.intent)
    )
    if first:
        await work.run(delete(tables.outbox).where(tables.outbox.c.message_id == outcome.message_id))
    return first == 1


async def end_turn(work: Work, conversation: Row[Any], outcome: Outcome, sent: int, notes: rows.Notes) -> None:
    counts = 0 if outcome.kind in UNCOUNTED else 1
    episode = (
        {"episode": new_id(), "episode_turns": 0}
        if outcome.new_episode
        else {"episode_turns": conversation.episode_turns + counts}
    )
    await work.run(
        update(tables.conversations)
        .where(tables.conversations.c.id == conversation.id)
        .values(
            turns=conversation.turns + counts,
            last_seq=conversation.last_seq + sent,
            notes=rows.seal_notes(work.cipher.of(conversation.id), notes),
            **episode,
        )
    )


async def record_choice(work: Work, conversation: Row[Any], outcome: Outcome) -> None:
    """Keep whether the person wants to be texted first, with a trace of when that changed."""
    if outcome.do_not_text_first is None:
        return
    await work.run(
        update(tables.people)
        .where(tables.people.c.id == conversation.reaches)
        .values(do_not_text_first=outcome.do_not_text_first)
    )
    action = "asked_not_to_be_texted_first" if outcome.do_not_text_first else "may_be_texted_first"
    await audit.append(work, "person", action, conversation.reaches)
