"""When somebody who answers people should rest first: they asked to, or have just had several hard talks. Pure.

It is theirs to decide: whoever is told so can take the conversation all the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from channels.errors import ChannelsError
from channels.ledger.talk_records import CareRecord

MOST_HARD_IN_A_ROW: Final = 2
WITHIN: Final = timedelta(hours=3)
"""After this long a hard talk is no longer the last one but an earlier one."""

ASKED_WITHIN: Final = timedelta(hours=12)
"""In the next shift nobody is asked about a talk of the last one as if it had just been."""


class NeedsRest(ChannelsError):
    """`until`: the end of the rest they took; else `in_a_row` hard talks came one after the other."""

    def __init__(self, until: datetime | None = None, in_a_row: int = 0) -> None:
        super().__init__("resting" if until else f"{in_a_row} hard talks in a row")
        self.until = until
        self.in_a_row = in_a_row


def check_rested(care: CareRecord, now: datetime, *, hard: bool) -> None:
    """Before somebody is taken; `hard` when something worries us about them. Raises NeedsRest."""
    if care.resting_until is not None and care.resting_until > now:
        raise NeedsRest(until=care.resting_until)
    if hard and (tired := tired_of(care, now)):
        raise tired


def is_debrief_due(care: CareRecord, now: datetime) -> bool:
    """Whether a hard talk has ended lately, and they have not taken their two minutes since."""
    return care.debrief_due and (care.hard_at is None or now - care.hard_at < ASKED_WITHIN)


def tired_of(care: CareRecord, now: datetime) -> NeedsRest | None:
    """Why the next one should not be a hard one too; None when nothing speaks against it."""
    recent = care.hard_at is not None and now - care.hard_at < WITHIN
    too_many = recent and care.hard_in_a_row >= MOST_HARD_IN_A_ROW
    return NeedsRest(in_a_row=care.hard_in_a_row) if too_many else None
