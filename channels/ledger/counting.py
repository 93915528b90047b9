"""What reports are counted from: moments, channels and states. No words, no people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from channels.conversation import Channel, Delivery, EscalationState, Sender
from channels.ledger import tables
from channels.ledger.database import Work

ESCALATIONS = tables.escalations.c
MESSAGES = tables.messages.c
TALKS = tables.conversations.c


@dataclass(frozen=True)
class Asked:
    """Somebody who asked for a person."""

    opened_at: datetime
    channel: Channel
    state: EscalationState
    answered_at: datetime | None
    lapsed_at: datetime | None

    @property
    def waited(self) -> timedelta | None:
        return self.answered_at - self.opened_at if self.answered_at else None

    @property
    def connected(self) -> bool:
        """They talked with a person, and that talk came to its end."""
        return self.answered_at is not None and self.state is EscalationState.CLOSED

    @property
    def abandoned(self) -> bool:
        """Nobody came in time, or before they went."""
        ended = self.lapsed_at is not None or self.state is EscalationState.CLOSED
        return ended and self.answered_at is None


@dataclass(frozen=True)
class Counted:
    """What happened between two moments."""

    asked: tuple[Asked, ...]
    contacts: tuple[tuple[datetime, Channel, str], ...]
    """When, where and in which conversation somebody wrote."""
    failures: tuple[tuple[datetime, Channel], ...]
    """Messages of ours that did not arrive."""


async def asked_between(work: Work, start: datetime, end: datetime) -> tuple[Asked, ...]:
    wanted = (
        select(ESCALATIONS.opened_at, TALKS.channel, ESCALATIONS.state, ESCALATIONS.answered_at, ESCALATIONS.lapsed_at)
        .join(tables.conversations, TALKS.id == ESCALATIONS.conversation_id)
        .where(ESCALATIONS.opened_at >= start, ESCALATIONS.opened_at < end)
    )
    return tuple(
        Asked(row.opened_at, Channel(row.channel), EscalationState(row.state), row.answered_at, row.lapsed_at)
        for row in await work.run(wanted)
    )


async def between(work: Work, start: datetime, end: datetime) -> Counted:
    said = select(MESSAGES.created_at, MESSAGES.channel, MESSAGES.conversation_id).where(
        MESSAGES.created_at >= start, MESSAGES.created_at < end, MESSAGES.channel != Channel.CANARY
    )
    wrote = await work.run(said.where(MESSAGES.sender == Sender.PERSON))
    failed = await work.run(said.where(MESSAGES.sender != Sender.PERSON, MESSAGES.delivery == Delivery.FAILED))
    return Counted(
        asked=await asked_between(work, start, end),
        contacts=tuple((row.created_at, Channel(row.channel), row.conversation_id) for row in wrote),
        failures=tuple((row.created_at, Channel(row.channel)) for row in failed),
    )
