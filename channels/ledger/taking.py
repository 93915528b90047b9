"""Taking somebody from the queue: who comes next for whom, decided and done in one short transaction.

Two who take at the same moment never get the same person, and neither is sent away empty-handed while somebody waits.
On PostgreSQL those who take the next stand in line for a moment (`QUEUE_LOCK`): rows skipped because somebody has them
locked (SKIP LOCKED) would be people passed over, when whoever had them locked does not take them after all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Integer, Row, Select, bindparam, select

from channels.conversation import EscalationState
from channels.errors import ChannelsError, NotTaken
from channels.escalation_states import Move, may
from channels.ledger import consents, desk_tables, duties, escalations, queue_order, rows, standing, tables
from channels.ledger.database import Work
from channels.ledger.duties import DutyState
from channels.ledger.records import Draft, EscalationRecord, PeerRecord
from channels.ledger.standing import Standing

FIRST_LOOK, LONGEST_LOOK = 2, 128
"""Rows looked at to begin with, four times as many each time, and at most: nearly always the first one is right."""
TABLE = tables.escalations.c
SIZE: Final = "size"
EVERYBODY: Final = queue_order.waiting().limit(bindparam(SIZE, type_=Integer))
"""Built once; whoever is looked at first is nearly always taken."""
NOBODY: Final = frozenset[str]()

Sees: TypeAlias = Callable[[EscalationRecord, frozenset[str]], bool]
"""Whether somebody may be given this person, who has agreed to those organisations."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On which terms a peer worker takes somebody.

    `most`: how many they may be with then. `asking`: organisations that see only who said yes to them; None is home,
    which sees everybody. `spared`: they should not be given somebody who worries us now, and this is raised when only
    such people wait.
    """

    lease_until: datetime
    notice: Callable[[EscalationRecord], Draft]
    """What the person is told, in their language."""
    sees: Sees
    most: int
    asking: frozenset[str] | None = None
    spared: ChannelsError | None = None


Decide: TypeAlias = Callable[[Standing, EscalationRecord | None], Terms]
"""How they stand, and whom they chose, if anybody, to the terms. May raise what speaks against it."""


async def take(work: Work, escalation_id: str, peer: PeerRecord, decide: Decide) -> EscalationRecord:
    """A chosen one; one they have already is theirs again. Raises CapReached, NotTaken, and what `decide` raises."""
    await work.hold(peer.id)
    row = (await work.run(escalations.BY_ID, escalation_id=escalation_id)).first()
    record = rows.escalation_of(work.cipher, row) if row else None
    stands = await standing.of(work, peer.id)
    terms = decide(stands, record)
    if row is None or record is None:
        raise NotTaken
    mine = record.state is EscalationState.HELD and record.claimed_by == peer.id
    if not mine and may(Move.CLAIM, record.state):
        agreed = await agreed_by(work, [record.conversation_id], terms)
        if not terms.sees(record, agreed.get(record.conversation_id, NOBODY)):
            raise NotTaken
        stands.check_cap(terms.most)
    taken = await escalations.claim(work, row, peer, terms.lease_until, terms.notice(record))
    await come_back(work, stands)
    return taken


async def take_next(work: Work, peer: PeerRecord, decide: Decide) -> EscalationRecord | None:
    """The first in line whom they may be given; None when there is nobody.

    Raises CapReached, and what `decide` raises.
    """
    await work.hold(peer.id)
    stands = await standing.of(work, peer.id)
    terms = decide(stands, None)
    stands.check_cap(terms.most)
    await work.hold(escalations.QUEUE_LOCK)
    line = in_line(terms)
    if terms.spared is None:
        taken = await first_of(work, line, peer, terms)
    else:
        taken = await first_of(work, line.where(TABLE.urgent.is_(False)), peer, terms)
        if taken is None and await first_of(work, line.where(TABLE.urgent.is_(True)), None, terms):
            raise terms.spared
    await come_back(work, stands)
    return taken


def in_line(terms: Terms) -> Select[Any]:
    """Those in question, first in line first."""
    return EVERYBODY if terms.asking is None else EVERYBODY.where(said_yes_to(terms.asking))


def said_yes_to(organisations: Collection[str]) -> ColumnElement[bool]:
    yes = desk_tables.consents.c
    agreed = select(yes.conversation_id).where(yes.organisation.in_(sorted(organisations)))
    return TABLE.conversation_id.in_(agreed)


async def waiting_with_yes(work: Work, organisations: Collection[str]) -> list[tuple[EscalationRecord, frozenset[str]]]:
    line = await escalations.listed(work, queue_order.waiting().where(said_yes_to(organisations)))
    agreed = await consents.agreed(work, [one.conversation_id for one in line])
    return [(one, agreed.get(one.conversation_id, NOBODY)) for one in line]


async def first_of(work: Work, line: Select[Any], peer: PeerRecord | None, terms: Terms) -> EscalationRecord | None:
    """Claimed for them; without a peer worker only found."""
    size, wanted = FIRST_LOOK, line
    while batch := (await work.run(wanted, **{SIZE: size})).all():
        agreed = await agreed_by(work, [row.conversation_id for row in batch], terms)
        for row in batch:
            record = escalations.opened(work, row)
            if record.is_unreadable or not terms.sees(record, agreed.get(row.conversation_id, NOBODY)):
                continue
            if peer is None:
                return record
            try:
                return await escalations.claim(work, row, peer, terms.lease_until, terms.notice(record))
            except NotTaken:
                # On PostgreSQL somebody may have chosen them this moment: the one after is next.
                continue
        last: Row[Any] = batch[-1]
        size, wanted = min(LONGEST_LOOK, 4 * size), line.where(queue_order.after(last.rank_at, last.id))
    return None


async def agreed_by(work: Work, conversation_ids: list[str], terms: Terms) -> dict[str, frozenset[str]]:
    """The organisations they said yes to; nobody at home needs to know."""
    return {} if terms.asking is None else await consents.agreed(work, conversation_ids)


async def come_back(work: Work, stands: Standing) -> None:
    """Whoever takes somebody is back from wherever they were. It writes to the audit, so it comes last."""
    if stands.duty.state is not DutyState.ON:
        back = replace(stands.duty, state=DutyState.ON, until=None)
        await duties.keep(work, back, stands.duty.peer_id)
