"""The end of a talk and what it leaves: all of it, or none. A note of an end may not stand for a talk that goes on, and
what was agreed for later may not be lost with the process that would have written it down next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from channels.ledger import escalations, planned, talk
from channels.ledger.database import Work
from channels.ledger.records import Draft, PeerRecord
from channels.ledger.talk_records import NewPlan, NoteKind


@dataclass(frozen=True, kw_only=True)
class Leaves:
    """A note of what a talk led to or why it ended, and a check-in if one was agreed."""

    by: PeerRecord
    kind: NoteKind
    body: Mapping[str, Any]
    check_in: NewPlan | None = None


async def end(work: Work, escalation_id: str, peer_id: str, notice: Draft | None, leaves: Leaves | None) -> bool:
    """Only by whoever holds it. False, with nothing written, when it is not theirs to end."""
    if not await escalations.close(work, escalation_id, peer_id, notice):
        return False
    if leaves is not None:
        theirs = select(escalations.TABLE.conversation_id).where(escalations.TABLE.id == escalation_id)
        conversation_id = (await work.run(theirs)).scalar_one()
        await talk.write(work, conversation_id, leaves.kind, peer_id, leaves.body)
        if leaves.check_in is not None:
            await planned.write(work, conversation_id, leaves.by, leaves.check_in)
    return True
