"""A person's yes to an organisation may end while somebody of it is with them: whose talks are over then.

Somebody of another organisation stays while the person agrees to that organisation, or while they are with somebody
whom they met in a warm introduction and have taken nothing back. What is not known for certain counts as no: a yes
that was moved, forgotten or grew old, a team that is none any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from channels.ledger import Ledger
from channels.ledger.duties import Duty
from channels.ledger.records import EscalationRecord
from channels.teams import Sight, Teams


@dataclass(frozen=True)
class Unsharing:
    """Raises LedgerUnavailable."""

    ledger: Ledger
    teams: Teams

    async def may_stay(self, escalation: EscalationRecord) -> bool:
        """Whether whoever holds it may go on reading and writing."""
        if not self.teams.all or escalation.claimed_by is None:
            return True
        return await self._may_stay(escalation, await self.ledger.queue.duty(escalation.claimed_by))

    async def over(self, conversation_id: str = "") -> list[EscalationRecord]:
        """Held by somebody who may not stay; of one conversation, or of all."""
        if not self.teams.all:
            return []
        held = [one for one in await self.ledger.held_escalations() if conversation_id in ("", one.conversation_id)]
        duties = await self.ledger.queue.duties() if held else {}
        return [
            one
            for one in held
            if one.claimed_by
            and not await self._may_stay(one, duties.get(one.claimed_by, Duty(peer_id=one.claimed_by)))
        ]

    async def _may_stay(self, escalation: EscalationRecord, duty: Duty) -> bool:
        sight = Sight.of(self.teams, duty.teams)
        if sight.home:
            return True
        agreed = (await self.ledger.queue.agreed([escalation.conversation_id])).get(escalation.conversation_id, ())
        if not sight.organisations.isdisjoint(agreed):
            return True
        return await self.ledger.introductions.led_to(escalation.id, duty.peer_id)
