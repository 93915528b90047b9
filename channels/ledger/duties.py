"""Peer workers' shifts: who is there, for whom, and who wants to be given the next person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select

from channels.ledger import audit
from channels.ledger.database import Work
from channels.ledger.desk_tables import duties

MOST: Final = 2
"""Talks last most of an hour. Two at once is what people manage well."""
LARGEST_MOST: Final = 5


class DutyState(StrEnum):
    """What a peer worker has said of themselves."""

    ON = "on"
    AWAY = "away"
    """Not in front of the page; keeps those they are with."""
    BREAK = "break"
    """As away, and over by itself."""
    LEAVING = "leaving"
    """The shift ends: nobody new, and it is over when the last talk is."""
    OFF = "off"


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Somebody's shift. `teams` and `languages` are what they are there for."""

    peer_id: str
    state: DutyState = DutyState.ON
    since: datetime | None = None
    until: datetime | None = None
    automatic: bool = False
    most: int = MOST
    teams: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()

    def now(self, moment: datetime) -> Duty:
        """A break that is over is a shift again."""
        over = self.state is DutyState.BREAK and self.until is not None and self.until <= moment
        return replace(self, state=DutyState.ON, since=self.until, until=None) if over else self


async def duty(work: Work, peer_id: str) -> Duty:
    row = (await work.run(select(duties).where(duties.c.peer_id == peer_id))).first()
    return duty_of(row).now(work.now) if row else Duty(peer_id=peer_id)


async def every(work: Work) -> dict[str, Duty]:
    """By peer worker; whoever has said nothing is missing."""
    return {row.peer_id: duty_of(row).now(work.now) for row in await work.run(select(duties))}


async def change(work: Work, peer_id: str, how: Callable[[Duty], Duty], actor: str) -> Duty:
    await work.hold(peer_id)
    wanted = how(await duty(work, peer_id))
    await keep(work, wanted, actor)
    return wanted


async def keep(work: Work, wanted: Duty, actor: str) -> None:
    await work.hold(wanted.peer_id)
    known = await duty(work, wanted.peer_id)
    since = known.since if known.state is wanted.state and known.since else work.now
    await work.run(delete(duties).where(duties.c.peer_id == wanted.peer_id))
    await work.run(
        insert(duties).values(
            peer_id=wanted.peer_id,
            state=wanted.state,
            since=since,
            until=wanted.until,
            automatic=wanted.automatic,
            most=min(LARGEST_MOST, max(1, wanted.most)),
            teams=" ".join(sorted(wanted.teams)),
            languages=" ".join(sorted(wanted.languages)),
        )
    )
    if known.state is not wanted.state:
        await audit.append(work, actor, f"duty_{wanted.state}", wanted.peer_id)
    if known.teams != wanted.teams:
        await audit.append(work, actor, "teams_changed", wanted.peer_id, " ".join(sorted(wanted.teams)))


def duty_of(row: Row[Any]) -> Duty:
    return Duty(
        peer_id=row.peer_id,
        state=DutyState(row.state),
        since=row.since,
        until=row.until,
        automatic=row.automatic,
        most=row.most,
        teams=frozenset(row.teams.split()),
        languages=frozenset(row.languages.split()),
    )
