"""What reports are counted from: days, channels and states. No words, no people.

Messages are counted where they lie, by GROUP BY: a year of them is never loaded. A day is one of the service's clock,
of 23, 24 or 25 hours; the database is told when each begins, for it need not know any time zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Text, case, cast, extract, func, select

from channels.conversation import Channel, Delivery, EscalationState, Sender
from channels.ledger import tables
from channels.ledger.database import Work

ESCALATIONS = tables.escalations.c
MESSAGES = tables.messages.c
TALKS = tables.conversations.c
DAY: Final = timedelta(days=1)


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
class Days:
    """One day after the other. `starts`: when each begins, and when the last is over."""

    first: date
    starts: tuple[datetime, ...]

    @classmethod
    def of(cls, first: date, last: date, zone: ZoneInfo) -> Days:
        many = (last - first).days + 1
        days = (datetime.combine(first + timedelta(days=number), time(), zone) for number in range(many + 1))
        return cls(first, tuple(day.astimezone(UTC) for day in days))

    def spans(self) -> Iterator[tuple[int, int]]:
        """Numbers of days (from the first to before the last) that begin 24 hours after one another."""
        begun = 0
        for number in range(1, len(self.starts)):
            is_last = number == len(self.starts) - 1
            if is_last or self.starts[number] - self.starts[number - 1] != DAY:
                yield begun, number
                begun = number


@dataclass(frozen=True)
class Counted:
    """What happened on some days."""

    asked: tuple[Asked, ...]
    contacts: tuple[tuple[date, Channel, int], ...]
    """How many conversations somebody wrote in, by day and channel."""
    failures: tuple[tuple[date, Channel, int], ...]
    """How many messages of ours did not arrive."""


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


async def between(work: Work, days: Days) -> Counted:
    talks = func.count(MESSAGES.conversation_id.distinct())
    return Counted(
        asked=await asked_between(work, days.starts[0], days.starts[-1]),
        contacts=await by_day(work, days, talks, MESSAGES.sender == Sender.PERSON),
        failures=await by_day(
            work, days, func.count(), MESSAGES.sender != Sender.PERSON, MESSAGES.delivery == Delivery.FAILED
        ),
    )


async def by_day(
    work: Work, days: Days, count: ColumnElement[int], *which: ColumnElement[bool]
) -> tuple[tuple[date, Channel, int], ...]:
    """Of these messages, by day and channel."""
    found: list[tuple[date, Channel, int]] = []
    for begun, ended in days.spans():
        start, end = days.starts[begun], days.starts[ended]
        # The last day of a span may have a 25th hour.
        whole = (seconds_of(work, MESSAGES.created_at) - int(start.timestamp())) // int(DAY.total_seconds())
        number = case((whole >= ended - begun, ended - begun - 1), else_=whole).label("number")
        wanted = (
            select(number, MESSAGES.channel, count.label("counted"))
            .where(MESSAGES.created_at >= start, MESSAGES.created_at < end, MESSAGES.channel != Channel.CANARY, *which)
            .group_by(number, MESSAGES.channel)
        )
        for row in await work.run(wanted):
            found.append((days.first + timedelta(days=begun + row.number), Channel(row.channel), row.counted))
    return tuple(found)


def seconds_of(work: Work, moment: ColumnElement[datetime]) -> ColumnElement[int]:
    """Whole seconds since 1970, rounded down."""
    if work.connection.dialect.name == "sqlite":
        # Without the fraction, which SQLite would round.
        return cast(func.strftime("%s", func.substr(cast(moment, Text), 1, 19)), BigInteger)
    return cast(func.floor(extract("epoch", moment)), BigInteger)
