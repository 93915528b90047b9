"""The order of the queue, and each person's place in it.

    rank_at = opened_at - 72 hours if something worries us, else opened_at            (lowest first, then by id)

Waiting counts one second a second for everybody, and a concern counts as three days waited already. So a concern
comes before anybody who has not waited three days longer than them (a long weekend with nobody here included), and
nobody is ever overtaken by somebody who asks three days after them or later: whatever comes in, nobody starves.
Ranks never change with time, so that a place in the queue is one count over an index.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from channels.escalation_states import IN_QUEUE
from channels.ledger import tables
from channels.ledger.database import Work
from channels.ledger.reading import OPEN

TABLE = tables.escalations.c
HEAD_START: Final = timedelta(hours=72)
ORDER: Final = (TABLE.rank_at, TABLE.id)
IN_LINE: Final = and_(TABLE.claimed_by.is_(None), TABLE.closed_at.is_(None))
"""WAITING or LAPSED: held by nobody and not over. Said like this because the index of the line is of exactly these
rows, and a database that is asked by state would sort everybody who waits anew each time."""


def rank_of(opened_at: datetime, *, urgent: bool) -> datetime:
    return opened_at - HEAD_START if urgent else opened_at


def in_line(*columns: Any) -> Select[Any]:
    """Of everybody in the queue."""
    return select(*columns).select_from(tables.escalations).where(IN_LINE)


def waiting() -> Select[Any]:
    return in_line(tables.escalations).order_by(*ORDER)


def after(rank_at: datetime, escalation_id: str) -> ColumnElement[bool]:
    return or_(TABLE.rank_at > rank_at, and_(TABLE.rank_at == rank_at, TABLE.id > escalation_id))


async def place_of(work: Work, conversation_id: str) -> int | None:
    """1 = next; None for somebody who is not waiting."""
    row = await open_row(work, conversation_id)
    if row is None or row.state not in IN_QUEUE:
        return None
    return await count_before(work, row.rank_at, row.id) + 1


async def place_in_queue(work: Work, conversation_id: str | None, has_concern: bool) -> int:
    """The place somebody has or, if they asked now, would have."""
    row = await open_row(work, conversation_id) if conversation_id else None
    if row is None or row.state not in IN_QUEUE:
        return await count_before(work, rank_of(work.now, urgent=has_concern), "") + 1
    return await count_before(work, rank_of(row.opened_at, urgent=has_concern or row.urgent), row.id) + 1


async def open_row(work: Work, conversation_id: str) -> Row[Any] | None:
    wanted = select(tables.escalations).where(TABLE.conversation_id == conversation_id, TABLE.state.in_(OPEN))
    return (await work.run(wanted)).first()


async def count_before(work: Work, rank_at: datetime, escalation_id: str) -> int:
    earlier = or_(TABLE.rank_at < rank_at, and_(TABLE.rank_at == rank_at, TABLE.id < escalation_id))
    statement = in_line(func.count()).where(earlier, TABLE.id != escalation_id)
    return int((await work.run(statement)).scalar_one())
