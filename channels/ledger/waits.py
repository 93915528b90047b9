"""What happens while somebody waits: words in time, a later word if they want one, and how long others waited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update

from channels.conversation import Channel, EscalationState
from channels.escalation_states import IN_QUEUE, Move, may
from channels.ledger import audit, escalations, outbound, queue_order, tables
from channels.ledger.database import Work
from channels.ledger.records import Draft

TABLE = tables.escalations.c


@dataclass(frozen=True)
class Stretch:
    """How long somebody waited for the first peer worker."""

    waited: timedelta
    urgent: bool
    answered_at: datetime


async def answered_since(work: Work, since: datetime, limit: int) -> list[Stretch]:
    wanted = (
        select(TABLE.opened_at, TABLE.answered_at, TABLE.urgent)
        .where(TABLE.answered_at >= since)
        .order_by(TABLE.answered_at.desc())
        .limit(limit)
    )
    return [Stretch(row.answered_at - row.opened_at, row.urgent, row.answered_at) for row in await work.run(wanted)]


@dataclass(frozen=True)
class Line:
    """How many wait with a concern, and since when whoever has waited longest does."""

    urgent: int
    oldest: datetime | None
    oldest_urgent: datetime | None


async def oldest(work: Work) -> Line:
    wanted = queue_order.in_line(func.count(), func.min(TABLE.opened_at))
    count, worried = (await work.run(wanted.where(TABLE.urgent.is_(True)))).one()
    _, first = (await work.run(wanted)).one()
    return Line(urgent=count, oldest=first, oldest_urgent=worried)


async def renew_all(work: Work, peer_id: str, lease_until: datetime) -> list[str]:
    mine = and_(TABLE.state == EscalationState.HELD, TABLE.claimed_by == peer_id)
    change = update(tables.escalations).where(mine).values(lease_until=lease_until).returning(TABLE.id)
    return [str(found) for found in (await work.run(change)).scalars()]


@dataclass(frozen=True, kw_only=True)
class Staffed:
    """For whom somebody is there now: the channels, and of the teams with hours of their own (`timed`) which."""

    channels: frozenset[Channel]
    teams: frozenset[str]
    timed: frozenset[str]

    def here(self) -> ColumnElement[bool]:
        talk = tables.conversations.c
        by_channel = exists().where(talk.id == TABLE.conversation_id, talk.channel.in_(self.channels))
        usual = or_(TABLE.team.is_(None), TABLE.team.not_in(self.timed))
        return or_(TABLE.team.in_(self.teams), and_(usual, by_channel))


def due_a_word(before: datetime, most: int, staffed: Staffed) -> Select[Any]:
    last = func.coalesce(TABLE.told_at, TABLE.waiting_since)
    return (
        select(tables.escalations)
        .where(TABLE.state == EscalationState.WAITING, TABLE.told_count < most, last <= before, staffed.here())
        .order_by(*queue_order.ORDER)
    )


async def tell(work: Work, escalation_id: str, notice: Draft, before: datetime, most: int) -> bool:
    locked = await escalations.lock(work, escalation_id)
    if locked is None:
        return False
    conversation, row = locked
    due = (row.told_at or row.waiting_since) <= before and row.told_count < most
    if row.state != EscalationState.WAITING or not due:
        return False
    await work.run(escalations.change_of(row, told_at=work.now, told_count=row.told_count + 1))
    await outbound.add(work, conversation, (notice,))
    return True


async def want_follow_up(work: Work, conversation_id: str, wanted: bool) -> bool:
    row = await queue_order.open_row(work, conversation_id)
    if row is None or row.state not in IN_QUEUE:
        return False
    await work.run(escalations.change_of(row, follow_up=wanted))
    await audit.append(work, "person", "wants_follow_up" if wanted else "wants_no_follow_up", row.id)
    return True


def to_follow_up(staffed: Staffed) -> Select[Any]:
    return (
        select(tables.escalations)
        .where(TABLE.state == EscalationState.LAPSED, TABLE.follow_up.is_(True), staffed.here())
        .order_by(*queue_order.ORDER)
    )


async def follow_up(work: Work, escalation_id: str, notice: Draft) -> bool:
    locked = await escalations.lock(work, escalation_id)
    if locked is None:
        return False
    conversation, row = locked
    if not may(Move.ASK_AGAIN, row.state) or not row.follow_up:
        return False
    await work.run(escalations.change_of(row, **escalations.waiting_again(work)))
    await outbound.add(work, conversation, (notice,))
    await audit.append(work, "system", "escalation_followed_up", row.id)
    return True
