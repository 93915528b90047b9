"""People waiting for, or with, a peer worker. Every change of state is in this file.

    ask -> WAITING --claim--> HELD --close--> CLOSED          Holder:  BOT <------> PEER   (exactly one)
            |  ^  ^             |
            |  |  +--give_back--+      (passed on, or the lease ran out)
         lapse |
            v  ask
          LAPSED --claim--> HELD       (told so, with who can help now; stays in the queue)

A conversation has at most one escalation that is not CLOSED; asking again adds to it. HELD goes with holder PEER,
every other state with BOT. The conversation's row is locked first, so two transitions of it never mix.
Forgetting a person closes theirs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, update

from channels.conversation import Channel, EscalationState, Holder
from channels.errors import NotTaken
from channels.ledger import audit, outbound, reading, rows, tables
from channels.ledger.database import Work, new_id
from channels.ledger.reading import OPEN
from channels.ledger.records import Draft, EscalationRecord, Outcome, PeerRecord

TABLE = tables.escalations.c
IN_QUEUE = (EscalationState.WAITING, EscalationState.LAPSED)
CONCERN = "concern"
STOPPED = "stopped"
ORDER = (TABLE.urgent.desc(), TABLE.opened_at, TABLE.id)
"""Concern first, then who has waited longest."""


async def ask(work: Work, conversation: Row[Any], outcome: Outcome, notes: rows.Notes) -> str | None:
    """Open an escalation, or add to the open one what this message told us. Gives the id of the open one."""
    current = (await work.run(open_one(conversation.id))).first()
    wanted = outcome.escalation
    if current is None:
        # Nobody needs to come for our own test message.
        real = conversation.channel != Channel.CANARY
        return await start(work, conversation, outcome, notes) if wanted and real else None
    if wanted is None and not (outcome.concerns or outcome.needs):
        return str(current.id)
    held = rows.open_notes(work.cipher, current.notes)
    merged = held.with_more(outcome.concerns, (*outcome.needs, *need_of(outcome)), None)
    change: dict[str, Any] = {
        "notes": rows.seal_notes(work.cipher, merged),
        "urgent": current.urgent or bool(merged.concerns),
        "reason": reason_now(outcome) or current.reason,
    }
    if wanted and current.state == EscalationState.LAPSED:
        change |= {"state": EscalationState.WAITING, "waiting_since": work.now}
        await audit.append(work, "system", "escalation_asked_again", current.id)
    await work.run(update(tables.escalations).where(TABLE.id == current.id).values(**change))
    return str(current.id)


def reason_now(outcome: Outcome) -> str:
    """What stands above the reason it was opened for: a concern, or that somebody wrote STOP after one."""
    wanted = outcome.escalation.reason if outcome.escalation else ""
    return wanted if wanted in (CONCERN, STOPPED) else CONCERN if outcome.concerns else ""


async def start(work: Work, conversation: Row[Any], outcome: Outcome, notes: rows.Notes) -> str:
    """Concerns and needs noted earlier come along: nobody is asked their story twice."""
    asked = outcome.escalation
    person = await reading.person(work, conversation.reaches)
    own = notes.with_more((), need_of(outcome), None)
    escalation_id = new_id()
    await work.run(
        insert(tables.escalations).values(
            id=escalation_id,
            conversation_id=conversation.id,
            state=EscalationState.WAITING,
            urgent=bool(own.concerns),
            reason=asked.reason if asked else CONCERN,
            notes=rows.seal_notes(work.cipher, rows.Notes(concerns=own.concerns, needs=own.needs)),
            language=person.language,
            opened_at=work.now,
            waiting_since=work.now,
            claimed_name="",
        )
    )
    await audit.append(work, "system", "escalation_opened", escalation_id, asked.reason if asked else CONCERN)
    return escalation_id


def need_of(outcome: Outcome) -> tuple[str, ...]:
    return (outcome.escalation.need,) if outcome.escalation and outcome.escalation.need else ()


async def claim(
    work: Work, escalation_id: str, peer: PeerRecord, lease_until: datetime, notice: Draft
) -> EscalationRecord:
    """Exactly one of many wins. Claiming again what one holds already only renews the lease.

    Raises NotTaken with the name of whoever was quicker.
    """
    locked = await lock(work, escalation_id)
    if locked is None:
        raise NotTaken
    conversation, row = locked
    if row.state == EscalationState.HELD and row.claimed_by == peer.id:
        await work.run(change_of(row, lease_until=lease_until))
    elif row.state in IN_QUEUE:
        await work.run(
            change_of(
                row,
                state=EscalationState.HELD,
                claimed_by=peer.id,
                claimed_name=peer.name,
                claimed_at=work.now,
                lease_until=lease_until,
            )
        )
        await pass_turn(work, row.conversation_id, Holder.PEER)
        await outbound.add(work, conversation, (notice,))
        await audit.append(work, peer.id, "escalation_claimed", row.id)
    else:
        raise NotTaken(row.claimed_name if row.state == EscalationState.HELD else "")
    return rows.escalation_of(work.cipher, await reading.one(work, by_id(escalation_id)))


async def renew(work: Work, escalation_id: str, peer_id: str, lease_until: datetime) -> bool:
    """False when the peer worker does not hold it any more."""
    held = and_(TABLE.id == escalation_id, TABLE.state == EscalationState.HELD, TABLE.claimed_by == peer_id)
    return await work.changed(update(tables.escalations).where(held).values(lease_until=lease_until)) == 1


async def give_back(
    work: Work, escalation_id: str, notice: Draft | None, *, held_by: str | None, expired_at: datetime | None
) -> bool:
    """Back to the queue, in the place it had. Conditions that no longer hold leave everything as it is."""
    locked = await lock(work, escalation_id)
    if locked is None:
        return False
    conversation, row = locked
    if row.state != EscalationState.HELD:
        return False
    if held_by is not None and row.claimed_by != held_by:
        return False
    if expired_at is not None and row.lease_until > expired_at:
        return False
    await work.run(
        change_of(
            row,
            state=EscalationState.WAITING,
            waiting_since=work.now,
            claimed_by=None,
            claimed_name="",
            claimed_at=None,
            lease_until=None,
        )
    )
    await pass_turn(work, row.conversation_id, Holder.BOT)
    await outbound.add(work, conversation, (notice,) if notice else ())
    action = "escalation_lease_ran_out" if expired_at else "escalation_given_back"
    await audit.append(work, row.claimed_by, action, row.id)
    return True


async def lapse(work: Work, escalation_id: str, notice: Draft | None) -> bool:
    """Nobody came in time; only somebody still WAITING is told so."""
    locked = await lock(work, escalation_id)
    if locked is None:
        return False
    conversation, row = locked
    if row.state != EscalationState.WAITING:
        return False
    await work.run(change_of(row, state=EscalationState.LAPSED))
    await outbound.add(work, conversation, (notice,) if notice else ())
    await audit.append(work, "system", "escalation_lapsed", row.id)
    return True


async def close(work: Work, escalation_id: str, peer_id: str, notice: Draft | None) -> bool:
    """Only by whoever holds it; the assistant then starts a new episode. False when it is not theirs to close."""
    locked = await lock(work, escalation_id)
    if locked is None:
        return False
    conversation, row = locked
    if row.state != EscalationState.HELD or row.claimed_by != peer_id:
        return False
    await work.run(change_of(row, state=EscalationState.CLOSED, lease_until=None, closed_at=work.now))
    await outbound.add(work, conversation, (notice,) if notice else ())
    await pass_turn(work, row.conversation_id, Holder.BOT, new_episode=True)
    await audit.append(work, peer_id, "escalation_closed", row.id)
    return True


async def close_forgotten(work: Work, conversation_id: str) -> None:
    """The person is gone from our records, so nobody can be connected; what is left is for the counts."""
    row = (await work.run(open_one(conversation_id))).first()
    if row is not None:
        await work.run(change_of(row, state=EscalationState.CLOSED, lease_until=None, closed_at=work.now))
        await pass_turn(work, conversation_id, Holder.BOT, new_episode=True)
        await audit.append(work, "system", "escalation_closed_forgotten", row.id)


async def lock(work: Work, escalation_id: str) -> tuple[Row[Any], Row[Any]] | None:
    """The conversation, now ours, and its escalation as it is from now on."""
    theirs = select(TABLE.conversation_id).where(TABLE.id == escalation_id).scalar_subquery()
    conversation = await reading.lock_where(work, tables.conversations.c.id == theirs)
    if conversation is None:
        return None
    return conversation, await reading.one(work, by_id(escalation_id))


def change_of(row: Row[Any], **values: object) -> Any:
    return update(tables.escalations).where(TABLE.id == row.id).values(**values)


async def pass_turn(work: Work, conversation_id: str, holder: Holder, *, new_episode: bool = False) -> None:
    episode = {"episode": new_id(), "episode_turns": 0} if new_episode else {}
    table = tables.conversations
    await work.run(update(table).where(table.c.id == conversation_id).values(holder=holder, **episode))


def by_id(escalation_id: str) -> Select[Any]:
    return select(tables.escalations).where(TABLE.id == escalation_id)


def open_one(conversation_id: str) -> Select[Any]:
    return select(tables.escalations).where(TABLE.conversation_id == conversation_id, TABLE.state.in_(OPEN))


async def listed(work: Work, statement: Select[Any]) -> list[EscalationRecord]:
    return [rows.escalation_of(work.cipher, row) for row in await work.run(statement)]


async def found(work: Work, statement: Select[Any]) -> EscalationRecord | None:
    row = (await work.run(statement)).first()
    return rows.escalation_of(work.cipher, row) if row else None


def waiting() -> Select[Any]:
    return select(tables.escalations).where(TABLE.state.in_(IN_QUEUE)).order_by(*ORDER)


def held() -> Select[Any]:
    return select(tables.escalations).where(TABLE.state == EscalationState.HELD).order_by(TABLE.claimed_at)


def recent(limit: int) -> Select[Any]:
    return select(tables.escalations).order_by(TABLE.opened_at.desc(), TABLE.id).limit(limit)


def expired(moment: datetime) -> Select[Any]:
    return held().where(TABLE.lease_until <= moment)


def overdue(before: datetime) -> Select[Any]:
    return (
        select(tables.escalations)
        .where(TABLE.state == EscalationState.WAITING, TABLE.waiting_since < before)
        .order_by(*ORDER)
    )


async def place_of(work: Work, conversation_id: str) -> int | None:
    """1 = next; None for somebody who is not waiting."""
    row = (await work.run(open_one(conversation_id))).first()
    if row is None or row.state not in IN_QUEUE:
        return None
    return await count_before(work, row.urgent, row) + 1


async def place_in_queue(work: Work, conversation_id: str | None, has_concern: bool) -> int:
    """The place somebody has or, if they asked now, would have."""
    row = (await work.run(open_one(conversation_id))).first() if conversation_id else None
    if row is None or row.state not in IN_QUEUE:
        return await count_before(work, has_concern, None) + 1
    return await count_before(work, has_concern or row.urgent, row) + 1


async def count_before(work: Work, urgent: bool, row: Row[Any] | None) -> int:
    """How many come before an escalation (`row`), or before one opened now."""
    same: ColumnElement[bool] = TABLE.urgent.is_(urgent)
    if row is not None:
        earlier = or_(TABLE.opened_at < row.opened_at, and_(TABLE.opened_at == row.opened_at, TABLE.id < row.id))
        same = and_(same, earlier, TABLE.id != row.id)
    before = same if urgent else or_(TABLE.urgent.is_(True), same)
    statement = select(func.count()).select_from(tables.escalations).where(TABLE.state.in_(IN_QUEUE), before)
    return int((await work.run(statement)).scalar_one())
