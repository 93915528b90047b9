"""One gentle text some hours after a concern that no peer worker has answered yet, to whoever said yes to it. Pure.

    concern  ->  asked once whether we may  ->  yes  ->  so many hours of silence  ->  asked how they are, by day

No, or no answer, is a no: then it is for a peer worker to decide, who sees how it stands. After being hurt at home, in
danger, as a child, or where something was tried, nobody is asked by a machine: only what they said to a peer worker
about being texted counts then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from channels.conversation import Choice, Concern

CHECK: Final = "check"
CHECK_OK: Final = "check:ok"
"""The offer inside another text, where a typed yes would answer something else."""
CHECK_YES, CHECK_NO = "check:yes", "check:no"


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
    safe: bool | None = None
    """What they said to a peer worker about being texted first; None when nobody asked."""
    safe_hours: tuple[int, int] = (0, 24)

    def is_safe(self, never: frozenset[Concern]) -> bool:
        """A yes from before they told of being hurt, or of what else is among `never`, does not reach that far."""
        return not self.concerns & never if self.safe is None else self.safe


@dataclass(frozen=True, kw_only=True)
class ConcernChecks:
    """`after` 0 means never. Rules are in data/follow_up.yml."""

    after: timedelta
    first_hour: int
    last_hour: int
    never_offered: frozenset[Concern]
    yes: frozenset[str]

    @classmethod
    def build(cls, body: dict[str, Any], hours: float) -> ConcernChecks:
        return cls(
            after=timedelta(hours=hours),
            first_hour=body["hours"][0],
            last_hour=body["hours"][1],
            never_offered=frozenset(Concern(one) for one in body["never_offered"]),
            yes=frozenset(body["agrees"]),
        )

    def due(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """None when nobody is checked on. What falls into the night waits for the morning."""
        if not self.after:
            return None
        return by_day(now + self.after, zone, self.first_hour, self.last_hour)

    def may_offer(self, concerns: frozenset[Concern]) -> bool:
        """Whether somebody with these concerns is asked at all."""
        return bool(self.after and concerns) and not concerns & self.never_offered

    def reads_yes(self, words: str, choices: tuple[Choice, ...]) -> bool:
        """Whether these words, in lower case without marks, agree to what was offered last."""
        return words in self.yes and any(choice.payload == CHECK_YES for choice in choices)

    def judge(self, standing: Standing, zone: ZoneInfo) -> Verdict:
        """By what is true at that moment, not by what was when they said yes."""
        silence = standing.at - standing.last_inbound_at
        if standing.quiet or standing.answered or not standing.is_safe(self.never_offered):
            return Verdict.DROP
        hour = standing.at.astimezone(zone).hour
        earliest, latest = standing.safe_hours
        is_day = max(self.first_hour, earliest) <= hour < min(self.last_hour, latest)
        return Verdict.ASK if is_day and silence >= self.after else Verdict.LATER


def by_day(moment: datetime, zone: ZoneInfo, first_hour: int, last_hour: int) -> datetime:
    """That moment, or else the first hour of the next day that has one: the same day's, if it is early."""
    local = moment.astimezone(zone)
    if not first_hour <= local.hour < last_hour:
        day = local.date() + timedelta(days=local.hour >= last_hour)
        local = datetime.combine(day, time(first_hour), tzinfo=zone)
    return local.astimezone(moment.tzinfo)
