"""People waiting for, or with, a peer worker. Every change of state is in this file, as `escalation_states` has it.

A conversation has at most one escalation that is not CLOSED; asking again adds to it. HELD goes with holder PEER,
every other state with BOT. The conversation's row is locked first, so two transitions of it never mix.
Forgetting a person closes theirs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import structlog
from sqlalchemy import Row, Select, and_, bindparam, insert, select, update

from channels.conversation import Channel, EscalationState, Holder
from channels.errors import NotTaken, SettingsError
from channels.escalation_states import Move, end_of, may
from channels.ledger import audit, outbound, reading, rows, tables
from channels.ledger.database import Work, new_id
from channels.ledger.queue_order import ORDER, rank_of
from channels.ledger.reading import OPEN
from channels.ledger.records import Draft, EscalationRecord, Outcome, PeerRecord

TABLE = tables.escalations.c
CONCERN = "concern"
STOPPED = "stopped"
QUEUE_LOCK = sha256(b"queue").hexdigest()
# Built once: many do these at the same time.
BY_ID = select(tables.escalations).where(TABLE.id == bindparam("escalation_id"))
LOCK = reading.locked(
    tables.conversations.c.id
    == select(TABLE.conversation_id).where(TABLE.id == bindparam("escalation_id")).scalar_subquery()
)
CLAIM = (
    update(tables.escalations)
    .where(TABLE.id == bindparam("escalation_id"))
    .values(
        state=end_of(Move.CLAIM),
        **{
            name: bindparam(f"now_{name}")
            for name in ("claimed_by", "claimed_name", "claimed_at", "answered_at", "lease_until")
        },
    )
)
GIVEN_BACK = {
    Move.HAND_ON: "escalation_given_back",
    Move.TRANSFER: "escalation_transferred",
    Move.LEASE_RAN_OUT: "escalation_lease_ran_out",
    Move.SHARING_ENDED: "escalation_sharing_ended",
}
"""What the audit calls it."""


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
        "notes": rows.seal_notes(work.cipher.of(conversation.id), merged),
        "urgent": current.urgent or bool(merged.concerns),
        "rank_at": rank_of(current.opened_at, urgent=current.urgent or bool(merged.concerns)),
        "reason": reason_now(outcome) or current.reason,
        "language": outcome.language or current.language,
    }
    if wanted and may(Move.ASK_AGAIN, current.state):
        change |= waiting_again(work)
        await audit.append(work, "system", "escalation_asked_again", current.id)
    await work.run(update(tables.escalations).where(TABLE.id == current.id).values(**change))
    return str(current.id)


def waiting_again(work: Work) -> dict[str, Any]:
    """Patience, and what is said while it lasts, begin anew; the place stays."""
    return {
        "state": end_of(Move.ASK_AGAIN),
        "waiting_since": work.now,
        "told_at": None,
        "told_count": 0,
        "follow_up": False,
    }


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
    # One at a time, each by the clock it has then: of many who ask at once nobody hears of another's place.
    await work.hold(QUEUE_LOCK)
    opened_at = datetime.now(UTC)
    await work.run(
        insert(tables.escalations).values(
            id=escalation_id,
            conversation_id=conversation.id,
            state=end_of(Move.OPEN),
            urgent=bool(own.concerns),
            rank_at=rank_of(opened_at, urgent=bool(own.concerns)),
            told_count=0,
            follow_up=False,
            reason=asked.reason if asked else CONCERN,
            notes=rows.seal_notes(work.cipher.of(conversation.id), rows.Notes(concerns=own.concerns, needs=own.needs)),
            language=outcome.language or person.language,
            opened_at=opened_at,
            waiting_since=opened_at,
            claimed_name="",
        )
    )
    await audit.append(work, "system", "escalation_opened", escalation_id, asked.reason if asked else CONCERN)
    return escalation_id


def need_of(outcome: Outcome) -> tuple[str, ...]:
    return (outcome.escalation.need,) if outcome.escalation and outcome.escalation.need else ()


async def claim(
    work: Work, which: str | Row[Any], peer: PeerRecord, lease_until: datetime, notice: Draft
) -> EscalationRecord:
    """Exactly one of many wins. Claiming again what one holds already only renews the lease.

    `which`: an id, or the row as this transaction has read it. Raises NotTaken with the name of whoever was quicker.
    """
    locked = await lock(work, which)
    if locked is None:
        raise NotTaken
    conversation, row = locked
    record = rows.escalation_of(work.cipher, row)
    if record.state is EscalationState.HELD and record.claimed_by == peer.id:
        await work.run(change_of(row, lease_until=lease_until))
        return replace(record, lease_until=lease_until)
    if not may(Move.CLAIM, record.state):
        raise NotTaken(record.claimed_name if record.state is EscalationState.HELD else "")
    change: dict[str, Any] = {
        "claimed_by": peer.id,
        "claimed_name": peer.name,
        "claimed_at": work.now,
        "answered_at": record.answered_at or work.now,
        "lease_until": lease_until,
    }
    await work.run(CLAIM, escalation_id=row.id, **{f"now_{name}": value for name, value in change.items()})
    await outbound.add(work, conversation, (notice,), holder=Holder.PEER)
    await audit.append(work, peer.id, "escalation_claimed", row.id)
    return replace(record, state=end_of(Move.CLAIM), **change)


async def renew(work: Work, escalation_id: str, peer_id: str, lease_until: datetime) -> bool:
    """False when the peer worker does not hold it any more."""
    held = and_(TABLE.id == escalation_id, TABLE.state == EscalationState.HELD, TABLE.claimed_by == peer_id)
    return await work.changed(update(tables.escalations).where(held).values(lease_until=lease_until)) == 1


async def give_back(
    work: Work,
    escalation_id: str,
    notice: Draft | None,
    *,
    held_by: str | None,
    expired_at: datetime | None,
    team: str | None = None,
) -> bool:
    """Back to the queue, in the place it had, for a team if one is named, or for nobody's (empty).

    Conditions that no longer hold leave everything as it is.
    """
    to_team = Move.HAND_ON if team is None else Move.TRANSFER if team else Move.SHARING_ENDED
    move = Move.LEASE_RAN_OUT if expired_at else to_team
    locked = await lock(work, escalation_id)
    if locked is None:
        return False
    # Whoever is given the next person meanwhile must have seen them come back, or have been quicker.
    await work.hold(QUEUE_LOCK)
    conversation, row = locked
    if not may(move, row.state):
        return False
    if held_by is not None and row.claimed_by != held_by:
        return False
    if expired_at is not None and row.lease_until > expired_at:
        return False
    await work.run(
        change_of(
            row,
            state=end_of(move),
            waiting_since=work.now,
            told_at=None,
            told_count=0,
            team=row.team if team is None else team or None,
            claimed_by=None,
            claimed_name="",
            claimed_at=None,
            lease_until=None,
        )
    )
    await outbound.add(work, conversation, (notice,) if notice else (), holder=Holder.BOT)
    await audit.append(work, row.claimed_by, GIVEN_BACK[move], row.id, team or "")
    return True


async def lapse(work: Work, escalation_id: str, notice: Draft | None) -> bool:
    """Nobody came in time; only somebody still WAITING is told so."""
    locked = await lock(work, escalation_id)
    if locked is None:
        return False
    conversation, row = locked
    if not may(Move.LAPSE, row.state):
        return False
    await work.run(change_of(row, state=end_of(Move.LAPSE), lapsed_at=work.now))
    await outbound.add(work, conversation, (notice,) if notice else ())
    await audit.append(work, "system", "escalation_lapsed", row.id)
    return True


async def close(work: Work, escalation_id: str, peer_id: str, notice: Draft | None) -> bool:
    """Only by whoever holds it; the assistant then starts a new episode. False when it is not theirs to close."""
    locked = await lock(work, escalation_id)
    if locked is None:
        return False
    conversation, row = locked
    if not may(Move.CLOSE, row.state) or row.claimed_by != peer_id:
        return False
    await work.run(change_of(row, state=end_of(Move.CLOSE), lease_until=None, closed_at=work.now))
    turn = turn_to(Holder.BOT, new_episode=True)
    await outbound.add(work, conversation, (notice,) if notice else (), **turn)
    await audit.append(work, peer_id, "escalation_closed", row.id)
    return True


async def close_forgotten(work: Work, conversation_id: str) -> None:
    """The person is gone from our records, so nobody can be connected; what is left is for the counts."""
    row = (await work.run(open_one(conversation_id))).first()
    if row is not None and may(Move.FORGET, row.state):
        await work.run(change_of(row, state=end_of(Move.FORGET), lease_until=None, closed_at=work.now))
        await pass_turn(work, conversation_id, Holder.BOT, new_episode=True)
        await audit.append(work, "system", "escalation_closed_forgotten", row.id)


async def lock(work: Work, which: str | Row[Any]) -> tuple[Row[Any], Row[Any]] | None:
    """The conversation, now ours, and its escalation as it is from now on.

    A row of this transaction is read again only where somebody else may have changed it since.
    """
    escalation_id = which if isinstance(which, str) else which.id
    conversation = (await work.run(LOCK, escalation_id=escalation_id)).first()
    if conversation is None:
        return None
    if work.is_alone and not isinstance(which, str):
        return conversation, which
    return conversation, (await work.run(BY_ID, escalation_id=escalation_id)).one()


def change_of(row: Row[Any], **values: object) -> Any:
    return update(tables.escalations).where(TABLE.id == row.id).values(**values)


async def pass_turn(work: Work, conversation_id: str, holder: Holder, *, new_episode: bool = False) -> None:
    table = tables.conversations
    change = turn_to(holder, new_episode=new_episode)
    await work.run(update(table).where(table.c.id == conversation_id).values(**change))


def turn_to(holder: Holder, *, new_episode: bool = False) -> dict[str, Any]:
    return {"holder": holder, **({"episode": new_id(), "episode_turns": 0} if new_episode else {})}


def by_id(escalation_id: str) -> Select[Any]:
    return select(tables.escalations).where(TABLE.id == escalation_id)


def of_conversation(conversation_id: str) -> Select[Any]:
    """All there ever were, the oldest first."""
    wanted = select(tables.escalations).where(tables.escalations.c.conversation_id == conversation_id)
    return wanted.order_by(tables.escalations.c.opened_at)


def open_one(conversation_id: str) -> Select[Any]:
    return select(tables.escalations).where(TABLE.conversation_id == conversation_id, TABLE.state.in_(OPEN))


async def listed(work: Work, statement: Select[Any], *, with_unreadable: bool = False) -> list[EscalationRecord]:
    """Somebody whose key is not here keeps nobody else waiting: they are for whoever only shows the list.

    Nothing may be written to them: that would make a key in the place of the one that is to be brought back.
    """
    records = [opened(work, row) for row in await work.run(statement)]
    return [record for record in records if with_unreadable or not record.is_unreadable]


def opened(work: Work, row: Row[Any]) -> EscalationRecord:
    """With nothing but its state where the rest cannot be opened, which is logged."""
    try:
        return rows.escalation_of(work.cipher, row)
    except SettingsError:
        structlog.get_logger().error("words_closed", escalation_id=row.id, conversation_id=row.conversation_id)
        return replace(rows.escalation_of(work.cipher, row, rows.Notes()), is_unreadable=True)


async def found(work: Work, statement: Select[Any]) -> EscalationRecord | None:
    row = (await work.run(statement)).first()
    return rows.escalation_of(work.cipher, row) if row else None


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
