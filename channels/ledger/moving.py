"""A conversation goes on over another channel: only with a code that its person was given and typed there.

Nobody is ever put together by a number, a name or a device. What was said on the new channel before joins the story,
an escalation that is open goes on in the same hands, and what we say goes to where the person wrote last.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, func, or_, select, update

from channels.conversation import Delivery, EscalationState, Holder
from channels.ledger import (
    audit,
    check_ins,
    consents,
    escalations,
    lists,
    outbound,
    reading,
    returning,
    rows,
    tables,
    talk,
)
from channels.ledger.database import Work, shard_of
from channels.ledger.queue_order import rank_of
from channels.ledger.records import Draft, Moved

EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
WRONG: Final = "wrong_code"
MOVED: Final = "moved"
WINDOW: Final = timedelta(minutes=15)
WRONG_FROM_ONE: Final = 5
WRONG_FROM_ALL: Final = 100


async def redeem(work: Work, message_id: str, code: str, notice: Draft) -> Moved | None:
    """Go on here with the conversation that the code stands for. None for a code that is wrong, old or used.

    After five wrong ones from one conversation within 15 minutes, or a hundred from everywhere, no code opens.
    """
    message = await reading.one(work, select(tables.messages).where(tables.messages.c.id == message_id))
    if message.answered or await too_many_tries(work, message.conversation_id):
        return None
    target = await conversation_behind(work, code)
    if target is None or target == message.conversation_id:
        return None
    locked = {name: await reading.lock_conversation(work, name) for name in sorted((target, message.conversation_id))}
    if not await returning.spend(work, code):
        return None
    here, there = locked[message.conversation_id], locked[target]
    await join_people(work, here, there)
    await join_words(work, here, there)
    await join_escalations(work, here, there)
    await consents.withdraw(work, here.id)
    if here.last_seq > 1:
        # A yes was to what there was to see then. Now there is more than a code, so each organisation asks again.
        await consents.withdraw(work, there.id)
    await talk.move(work, here.id, there.id)
    await check_ins.move(work, here.id, there.id)
    await lists.move(work, here.id, there.id, there.last_seq)
    # Whoever types a code wants to be written to, whatever they wrote here before.
    reached = tables.people.c.id == here.reaches
    await work.run(update(tables.people).where(reached).values(do_not_text_first=False))
    joined = await reading.lock_conversation(work, target)
    count = await outbound.add(work, joined, (notice,), answers=True)
    await answer(work, message_id)
    await audit.append(work, "person", "conversation_moved", target, here.channel)
    return Moved(conversation_id=target, left=here.id, shard=shard_of(target, work.shards), outbound=count)


async def too_many_tries(work: Work, conversation_id: str) -> bool:
    table = tables.messages.c
    wrong = select(func.count()).where(table.outcome == WRONG, table.created_at > work.now - WINDOW)
    from_one = (await work.run(wrong.where(table.conversation_id == conversation_id))).scalar_one()
    return bool(from_one >= WRONG_FROM_ONE or (await work.run(wrong)).scalar_one() >= WRONG_FROM_ALL)


async def conversation_behind(work: Work, code: str) -> str | None:
    person_id = await returning.owner(work, code)
    return (await reading.conversation_of(work, person_id)).id if person_id else None


async def join_people(work: Work, here: Row[Any], there: Row[Any]) -> None:
    """Everybody who wrote to the one now writes to the other, which reaches whoever has just written."""
    table = tables.people.c
    everybody = or_(table.id == here.person_id, table.shares == here.id)
    await work.run(update(tables.people).where(everybody).values(shares=there.id))


async def join_words(work: Work, here: Row[Any], there: Row[Any]) -> None:
    """What was said here comes after what was said there; each message keeps the time it has."""
    table, waiting = tables.messages.c, tables.outbox.c
    for kind, sequence in ((tables.messages, table), (tables.outbox, waiting)):
        change = update(kind).where(sequence.conversation_id == here.id)
        await work.run(change.values(conversation_id=there.id, seq=sequence.seq + there.last_seq))
    queued = update(tables.messages).where(table.conversation_id == there.id, table.delivery == Delivery.QUEUED)
    await work.run(queued.values(channel=here.channel))
    told = rows.open_notes(work.cipher, here.notes)
    held = rows.open_notes(work.cipher, there.notes)
    moments = [one.concern_at for one in (told, held) if one.concern_at is not None]
    known = max((told, held), key=lambda notes: notes.remembered_at or EARLIEST)
    notes = replace(
        held.with_more(told.concerns, told.needs, told.place),
        concern_at=max(moments, default=None),
        asked_for=told.asked_for or held.asked_for,
        remembered=known.remembered,
        remembered_at=known.remembered_at,
    )
    conversations = tables.conversations
    await work.run(
        update(conversations)
        .where(conversations.c.id == there.id)
        .values(
            notes=rows.seal_notes(work.cipher.of(there.id), notes),
            last_seq=there.last_seq + here.last_seq,
            last_inbound_at=work.now,
            turns=there.turns + here.turns,
            channel=here.channel,
            reach_id=here.reach_id or here.person_id,
        )
    )
    await work.run(update(conversations).where(conversations.c.id == here.id).values(notes=None, last_seq=0, turns=0))


async def join_escalations(work: Work, here: Row[Any], there: Row[Any]) -> None:
    """One stays open: the one that a peer worker holds, else the older story's. The other one's reasons join it."""
    table = tables.escalations
    mine = (await work.run(escalations.open_one(here.id))).first()
    theirs = (await work.run(escalations.open_one(there.id))).first()
    if mine and theirs:
        held = mine.state == EscalationState.HELD and theirs.state != EscalationState.HELD
        kept, ended = (mine, theirs) if held else (theirs, mine)
        old, new = (rows.open_notes(work.cipher, row.notes) for row in (ended, kept))
        notes = new.with_more(old.concerns, old.needs, None)
        urgent, opened_at = kept.urgent or ended.urgent, min(kept.opened_at, ended.opened_at)
        together = {
            "notes": rows.seal_notes(work.cipher.of(there.id), notes),
            "urgent": urgent,
            "opened_at": opened_at,
            "rank_at": rank_of(opened_at, urgent=urgent),
        }
        await work.run(escalations.change_of(ended, state=EscalationState.CLOSED, lease_until=None, closed_at=work.now))
        await work.run(escalations.change_of(kept, **together))
        is_held = kept.state == EscalationState.HELD
    else:
        is_held = any(one is not None and one.state == EscalationState.HELD for one in (mine, theirs))
    await work.run(update(table).where(table.c.conversation_id == here.id).values(conversation_id=there.id))
    await escalations.pass_turn(work, there.id, Holder.PEER if is_held else Holder.BOT)
    await escalations.pass_turn(work, here.id, Holder.BOT, new_episode=True)


async def answer(work: Work, message_id: str) -> None:
    table = tables.messages
    await work.run(update(table).where(table.c.id == message_id).values(answered=True, outcome=MOVED))
    await work.run(tables.outbox.delete().where(tables.outbox.c.message_id == message_id))


def circle_of(conversation_id: str) -> Select[Any]:
    """Everybody who writes to a conversation: one person, on one channel or several."""
    table = tables.people.c
    owner = select(tables.conversations.c.person_id).where(tables.conversations.c.id == conversation_id)
    return select(table.id).where(or_(table.id.in_(owner), table.shares == conversation_id))
