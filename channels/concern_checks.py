"""One gentle text some hours after a concern that no peer worker has answered yet. Pure.

    concern  ->  so many hours of silence  ->  asked once, by day, in words that give nothing away

It belongs to the same visit as the words to the concern: they are in line for a person, like whoever gets an update
while waiting. Later than that, or after being hurt at home, in danger or as a child, only with a yes to being texted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from channels.conversation import Concern


class Verdict(StrEnum):
    """What becomes of a check whose time has come."""

    ASK = "ask"
    LATER = "later"
    """They have written meanwhile, or it is not the time of day."""
    DROP = "drop"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How it stands with somebody who may be checked on. `answered`: a peer worker is there, has come, or need not."""

    at: datetime
    last_inbound_at: datetime
    quiet: bool
    answered: bool
    concerns: frozenset[Concern]
    agreed: bool = False
    """They texted CHECK."""
    safe: bool | None = None
    """What they said to a peer worker about being texted first; None when nobody asked."""
    safe_hours: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class ConcernChecks:
    """`after` 0 means never. Rules are in data/follow_up.yml."""

    after: timedelta
    visit: timedelta
    first_hour: int
    last_hour: int
    only_if_agreed: frozenset[Concern]

    @classmethod
    def build(cls, body: dict[str, Any], hours: float) -> ConcernChecks:
        return cls(
            after=timedelta(hours=hours),
            visit=timedelta(hours=body["visit_hours"]),
            first_hour=body["hours"][0],
            last_hour=body["hours"][1],
            only_if_agreed=frozenset(Concern(one) for one in body["only_if_agreed"]),
        )

    def due(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """None when nobody is checked on. What falls into the night waits for the morning."""
        if not self.after:
            return None
        local = (now + self.after).astimezone(zone)
        if not self.first_hour <= local.hour < self.last_hour:
            day = local.date() + timedelta(days=local.hour >= self.last_hour)
            local = datetime.combine(day, time(self.first_hour), tzinfo=zone)
        return local.astimezone(now.tzinfo)

    def judge(self, standing: Standing, zone: ZoneInfo) -> Verdict:
        """By what is true at that moment, not by what was when the concern was found."""
        silence = standing.at - standing.last_inbound_at
        if standing.quiet or standing.answered or not self._may_text(standing, silence):
            return Verdict.DROP
        hour = standing.at.astimezone(zone).hour
        earliest, latest = standing.safe_hours or (0, 24)
        by_day = max(self.first_hour, earliest) <= hour < min(self.last_hour, latest)
        return Verdict.ASK if by_day and silence >= self.after else Verdict.LATER

    def _may_text(self, standing: Standing, silence: timedelta) -> bool:
        if standing.safe is not None:
            return standing.safe
        if standing.concerns & self.only_if_agreed:
            return False
        return standing.agreed or silence <= self.visit
