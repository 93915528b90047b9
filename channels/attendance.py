"""Who is really there, and how long people have really waited: what a person is told comes from here.

wait = what four of five people waited at most who were answered in the last 3 hours (10 of the same urgency at
       least, else of everybody; else nothing is said), and never less than whoever is first in line has waited
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

from channels.errors import StreamsUnavailable
from channels.ledger import Ledger
from channels.ledger.duties import Duty, DutyState
from channels.ledger.waits import Stretch
from channels.streams import Streams
from channels.wording import Wording

RECENT: Final = timedelta(hours=3)
ENOUGH: Final = 10
SHARE: Final = 0.8
STEPS: Final = (5, 10, 15, 20, 30, 45, 60, 90, 120)
"""Minutes that are said. Longer than the last one, a number would promise too much."""


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """Raises LedgerUnavailable."""

    ledger: Ledger
    streams: Streams
    wording: Wording
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def here(self) -> int | None:
        """Peer workers at the desk who take people. None when nobody can know (Redis is away)."""
        try:
            present = await self.streams.presence()
        except StreamsUnavailable:
            return None
        duties = await self.ledger.queue.duties()
        return sum(duties.get(one, Duty(peer_id=one)).state is DutyState.ON for one in present)

    async def wait(self, *, urgent: bool) -> str:
        """In words: '20 minutes'; empty when too little is known, or when it is longer than can be said."""
        now = self.clock()
        known = await self.ledger.queue.stretches(now - RECENT)
        first = await self.ledger.queue.first(1)
        minutes = likely_minutes(known, urgent=urgent)
        if minutes is None:
            return ""
        if first and bool(first[0].concerns) is urgent:
            minutes = max(minutes, (now - first[0].opened_at) / timedelta(minutes=1))
        said = next((step for step in STEPS if minutes <= step), None)
        return self.wording.say("minutes", number=said) if said else ""


def likely_minutes(known: Sequence[Stretch], *, urgent: bool) -> float | None:
    """None when too few were answered to say anything honest."""
    alike = [one for one in known if one.urgent is urgent]
    used = sorted(one.waited for one in (alike if len(alike) >= ENOUGH else known))
    if len(used) < ENOUGH:
        return None
    return used[ceil(SHARE * len(used)) - 1] / timedelta(minutes=1)
