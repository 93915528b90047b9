"""How a peer worker stands when they are about to take somebody: shift, rest and whom they are with, in one look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Integer, Select, bindparam, cast, func, select

from channels.conversation import EscalationState
from channels.errors import CapReached
from channels.ledger import care, duties, tables, talk_tables
from channels.ledger.database import Work
from channels.ledger.desk_tables import duties as shift
from channels.ledger.duties import Duty
from channels.ledger.talk_records import CareRecord

MOST_WITH_CONCERN: Final = 1
TABLE = tables.escalations.c


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`held`: how many they are with; `with_concern`: whether something worries us about one of those."""

    duty: Duty
    care: CareRecord
    held: int
    with_concern: bool

    def check_cap(self, most: int) -> None:
        """Whether one more fits beside those they hold. Raises CapReached."""
        if self.held >= (min(most, MOST_WITH_CONCERN) if self.with_concern else most):
            raise CapReached(self.held, with_concern=self.with_concern)


def wanted() -> Select[Any]:
    who: BindParameter[str] = bindparam("who")
    theirs = select(func.count()).where(TABLE.state == EscalationState.HELD, TABLE.claimed_by == who)
    urgent = theirs.with_only_columns(func.max(cast(TABLE.urgent, Integer)))
    peer, rested = tables.peers.c.id, talk_tables.peer_care
    shifts = tables.peers.outerjoin(shift, shift.c.peer_id == peer)
    return (
        select(
            peer.label("peer_id"),
            *(column for table in (shift, rested) for column in table.c if column.name != "peer_id"),
            shift.c.peer_id.label("on_record"),
            rested.c.peer_id.label("cared_for"),
            theirs.scalar_subquery().label("held"),
            urgent.scalar_subquery().label("with_concern"),
        )
        .select_from(shifts.outerjoin(rested, rested.c.peer_id == peer))
        .where(peer == who)
    )


WANTED: Final = wanted()
"""Built once: everybody who takes somebody asks it."""


async def of(work: Work, peer_id: str) -> Standing:
    row = (await work.run(WANTED, who=peer_id)).one()
    return Standing(
        duty=duties.duty_of(row).now(work.now) if row.on_record else Duty(peer_id=peer_id),
        care=care.record_of(row if row.cared_for else None),
        held=row.held,
        with_concern=bool(row.with_concern),
    )
