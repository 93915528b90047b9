"""Who is kept for whom: somebody who writes in another language waits a little for a peer worker who speaks it. Pure.

Only while such a peer worker is at the desk, and never for long: 10 minutes, 2 when something worries us. After that
whoever is free takes them. Taking a chosen one is never held up.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from channels.errors import ChannelsError
from channels.ledger.records import EscalationRecord

PATIENCE: Final = timedelta(minutes=10)
PATIENCE_WITH_CONCERN: Final = timedelta(minutes=2)
OURS: Final = "en"
"""What every peer worker is taken to speak."""


class WhoIsHere(ChannelsError):
    """It matters for somebody in line which peer workers are at the desk, and that was not looked up."""


def is_kept_for_speaker(
    escalation: EscalationRecord, spoken: Collection[str], spoken_by_others: Collection[str], now: datetime
) -> bool:
    """`spoken`: by whoever takes the next; `spoken_by_others`: by the others at the desk."""
    return may_be_kept(escalation, spoken, now) and _language(escalation) in spoken_by_others


def may_be_kept(escalation: EscalationRecord, spoken: Collection[str], now: datetime) -> bool:
    """Whether it matters for them who else is at the desk."""
    language = _language(escalation)
    if language == OURS or language in spoken:
        return False
    return now - escalation.opened_at < (PATIENCE_WITH_CONCERN if escalation.concerns else PATIENCE)


def _language(escalation: EscalationRecord) -> str:
    return (escalation.language or OURS).partition("-")[0].lower()
