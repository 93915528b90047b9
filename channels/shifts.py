"""A peer worker's shift: there, away, on a break, about to go home; and who is given the next person by itself.

    ON <--> AWAY, BREAK (over by itself)     ON --> LEAVING (nobody new) --> OFF (when the last talk is over)

Nothing of this takes a conversation from anybody: away and on a break, people stay with whom they are with.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from channels.conversation import EscalationState
from channels.errors import CapReached, NotTaken, StreamsUnavailable
from channels.escalation import Escalations, Leaving, NotYours
from channels.ledger import Ledger
from channels.ledger.duties import Duty, DutyState
from channels.ledger.records import EscalationRecord, PeerRecord
from channels.own_peer import own_peer_of
from channels.resting import NeedsRest
from channels.streams import Streams

LONGEST_BREAK: Final = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class Shifts:
    """Every method raises LedgerUnavailable."""

    ledger: Ledger
    streams: Streams
    escalations: Escalations
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def announce(self, escalation_id: str) -> None:
        """Show the desks what is new, and give it to whom they were with, or to whoever wants to be given people."""
        await self.escalations.announce(escalation_id)
        await self._give_back(escalation_id)
        await self.give()

    async def end_unshared(self, conversation_id: str) -> int:
        """Whoever holds it without a yes has it no longer."""
        return await self.escalations.end_unshared(conversation_id)

    async def change(self, peer: PeerRecord, state: DutyState, *, minutes: int = 0) -> Duty:
        """`minutes` is how long a break lasts. Leaving with nobody left is having left."""
        if state is DutyState.LEAVING and not await self.ledger.queue.held_by(peer.id):
            state = DutyState.OFF
        until = None
        if state is DutyState.BREAK and minutes > 0:
            until = self.clock() + min(LONGEST_BREAK, timedelta(minutes=minutes))
        return await self.ledger.queue.change_duty(
            peer.id, lambda duty: replace(duty, state=state, until=until), peer.id
        )

    async def set_options(self, peer: PeerRecord, most: int, *, automatic: bool) -> None:
        """How many they want to be with at once, and whether people should come by themselves."""
        await self.ledger.queue.change_duty(
            peer.id, lambda duty: replace(duty, most=most, automatic=automatic), peer.id
        )

    async def hand_back_rest(self, peer: PeerRecord) -> int:
        """At the end of a shift: everybody goes back in line in the place they had, and hears why. Says how many."""
        count = 0
        for escalation in await self.ledger.queue.held_by(peer.id):
            with suppress(NotYours):
                await self.escalations.pass_on(escalation.id, peer, "shift_ended")
                count += 1
        await self.change(peer, DutyState.OFF)
        return count

    async def freed_up(self, peer: PeerRecord) -> EscalationRecord | None:
        """A talk has ended: the shift may be over, or the first in line comes to them."""
        duty = await self.ledger.queue.duty(peer.id)
        if duty.state is DutyState.LEAVING:
            await self.change(peer, DutyState.LEAVING)
        elif duty.automatic and duty.state is DutyState.ON:
            return await self._give_to(peer)
        return None

    async def give(self) -> int:
        """Whoever waits to whoever is there, free and wants it; those with the fewest people first. Says how many."""
        if not await self.ledger.queue.count():
            return 0
        try:
            here = frozenset(await self.streams.presence())
        except StreamsUnavailable:
            return 0
        duties = await self.ledger.queue.duties()
        able = [one for one in duties.values() if one.automatic and one.state is DutyState.ON and one.peer_id in here]
        if not able:
            return 0
        held = [one.claimed_by for one in await self.ledger.held_escalations()]
        free = sorted(
            (one for one in able if held.count(one.peer_id) < one.most),
            key=lambda one: (held.count(one.peer_id), one.since or self.clock()),
        )
        given = 0
        for duty in free:
            peer = await self.ledger.peer(duty.peer_id)
            if peer is not None and await self._give_to(peer) is not None:
                given += 1
        return given

    async def _give_back(self, escalation_id: str) -> None:
        """Whoever asks again goes back to whom they were with, if that one is here, free and rested.

        Only when they ask: not once somebody has come and gone in this talk, and never before somebody in danger.
        """
        escalation = await self.ledger.escalation(escalation_id)
        if escalation is None or escalation.state is not EscalationState.WAITING or escalation.answered_at is not None:
            return
        first = await self.ledger.queue.first(1)
        if first and first[0].concerns and not escalation.concerns:
            return
        own = await own_peer_of(self.ledger, escalation)
        peer = await self.ledger.peer(own) if own and await self._is_here(own) else None
        if peer is not None and not peer.ended and await self.escalations.may_see(peer, escalation):
            with suppress(CapReached, Leaving, NeedsRest, NotTaken):
                await self.escalations.claim(escalation.id, peer)

    async def _is_here(self, peer_id: str) -> bool:
        try:
            present = peer_id in await self.streams.presence()
        except StreamsUnavailable:
            return False
        return present and (await self.ledger.queue.duty(peer_id)).state is DutyState.ON

    async def _give_to(self, peer: PeerRecord) -> EscalationRecord | None:
        """Nobody comes by themselves to somebody who rests, nor one hard talk after the other."""
        with suppress(CapReached, Leaving, NeedsRest):
            return await self.escalations.take_next(peer)
        return None

    async def lost_touch(self, escalation: EscalationRecord) -> None:
        """Somebody's pages have gone quiet: nobody is given to them until they are back."""
        if escalation.state is not EscalationState.HELD or escalation.claimed_by is None:
            return
        duty = await self.ledger.queue.duty(escalation.claimed_by)
        if duty.automatic and duty.state is DutyState.ON:
            await self.ledger.queue.change_duty(duty.peer_id, sent_away, "system")


def sent_away(duty: Duty) -> Duty:
    """Whoever has meanwhile said something else of their shift has said it."""
    return replace(duty, state=DutyState.AWAY) if duty.state is DutyState.ON else duty
