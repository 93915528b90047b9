"""Taking somebody from the queue: who comes next for whom, decided and done in one transaction.

Two who take at the same moment never get the same person, and neither is sent away empty-handed while somebody waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import Integer, and_, cast, func, select

from channels.conversation import EscalationState
from channels.errors import CapReached, NotTaken
from channels.escalation_states import Move, may
from channels.ledger import consents, escalations, queue_order, rows, tables
from channels.ledger.database import Work
from channels.ledger.records import Draft, EscalationRecord, PeerRecord

BATCH: Final = 10
TABLE = tables.escalations.c
MOST_WITH_CONCERN: Final = 1

Sees: TypeAlias = Callable[[EscalationRecord, frozenset[str]], bool]
"""Whether somebody may be given this person, who has agreed to those organisations."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On which terms a peer worker takes somebody. `most`: how many they may be with then."""

    lease_until: datetime
    notice: Draft
    sees: Sees
    most: int


async def take(work: Work, escalation_id: str, peer: PeerRecord, terms: Terms) -> EscalationRecord:
    """A chosen one; one they have already is theirs again. Raises CapReached, NotTaken."""
    await work.hold(peer.id)
    record = await escalations.found(work, escalations.by_id(escalation_id))
    if record is None:
        raise NotTaken
    mine = record.state is EscalationState.HELD and record.claimed_by == peer.id
    if not mine and may(Move.CLAIM, record.state):
        agreed = await consents.agreed(work, [record.conversation_id])
        if not terms.sees(record, agreed.get(record.conversation_id, frozenset())):
            raise NotTaken
        await check_cap(work, peer.id, terms.most)
    return await escalations.claim(work, escalation_id, peer, terms.lease_until, terms.notice)


async def take_next(work: Work, peer: PeerRecord, terms: Terms) -> EscalationRecord | None:
    """The first in line whom they may be given; None when there is nobody. Raises CapReached."""
    await work.hold(peer.id)
    await check_cap(work, peer.id, terms.most)
    wanted = queue_order.waiting().limit(BATCH)
    batch = (await work.run(wanted)).all()
    while batch:
        agreed = await consents.agreed(work, [row.conversation_id for row in batch])
        for row in batch:
            record = rows.escalation_of(work.cipher, row)
            if not terms.sees(record, agreed.get(row.conversation_id, frozenset())):
                continue
            try:
                return await escalations.claim(work, row.id, peer, terms.lease_until, terms.notice)
            except NotTaken:
                # On PostgreSQL another transaction may have been quicker: the one after is next.
                continue
        last: Any = batch[-1]
        batch = (await work.run(wanted.where(queue_order.after(last.rank_at, last.id)))).all()
    return None


async def check_cap(work: Work, peer_id: str, most: int) -> None:
    """Whether one more fits beside those a peer worker holds. Raises CapReached."""
    held = and_(TABLE.state == EscalationState.HELD, TABLE.claimed_by == peer_id)
    wanted = select(func.count(), func.max(cast(TABLE.urgent, Integer))).where(held)
    count, urgent = (await work.run(wanted)).one()
    if count >= (min(most, MOST_WITH_CONCERN) if urgent else most):
        raise CapReached(count, with_concern=bool(urgent))
