"""Waiting is held: an honest word every few minutes, and a word when people are in again to whoever wanted one.

Only while somebody could come (out of hours the first words said when that is), only so often, never to somebody who
asked for quiet, and never an end: whoever has waited too long is told so and stays in line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from channels.attendance import Attendance
from channels.escalation import QUEUE, Escalations, notice_for
from channels.ledger import Ledger
from channels.ledger.records import EscalationRecord
from channels.opening import Opening
from channels.settings import Settings
from channels.streams import Streams

AT_ONCE: Final = 20
"""Words in one sweep: the next one takes the rest."""


@dataclass(frozen=True, kw_only=True)
class Company:
    """Any number of workers may do this at once: each word is said once. Raises LedgerUnavailable."""

    ledger: Ledger
    streams: Streams
    escalations: Escalations
    attendance: Attendance
    opening: Opening
    settings: Settings
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def keep(self) -> int:
        """Says how many were told something."""
        return await self._update() + await self._follow_up()

    async def _update(self) -> int:
        every, most = timedelta(minutes=self.settings.wait_update_minutes), self.settings.wait_updates
        if not every or most < 1:
            return 0
        before, told = self.clock() - every, 0
        staffed = self.opening.at(self.clock())
        for escalation in await self.ledger.queue.due_a_word(before, most, staffed, AT_ONCE):
            words = await self._update_words(escalation)
            if await self.ledger.queue.tell_waiting(escalation.id, notice_for(escalation, words), before, most):
                await self._tell(escalation)
                told += 1
        return told

    async def _update_words(self, escalation: EscalationRecord) -> str:
        """Where they stand, how long it may be where that is known, and what helps meanwhile."""
        wording, urgent = self.escalations.words_for(escalation), bool(escalation.concerns)
        place = await self.ledger.place_in_queue(escalation.conversation_id, urgent)
        say, said = wording.say, wording.place(place)
        if await self.attendance.here() == 0:
            return say("waiting_update_nobody", place=said)
        wait = await self.attendance.wait(urgent=urgent)
        return say("waiting_update_known", place=said, wait=wait) if wait else say("waiting_update", place=said)

    async def _follow_up(self) -> int:
        """Those who lapsed and wanted to hear from us, once somebody is really here."""
        told = 0
        for escalation in await self.ledger.queue.to_follow_up(self.opening.at(self.clock()), AT_ONCE):
            if await self.attendance.here() == 0:
                return told
            place = await self.ledger.place_in_queue(escalation.conversation_id, bool(escalation.concerns))
            wording = self.escalations.words_for(escalation)
            words = wording.say("follow_up", place=wording.place(place))
            if await self.ledger.queue.follow_up(escalation.id, notice_for(escalation, words)):
                structlog.get_logger().info("escalation_followed_up", escalation_id=escalation.id)
                await self._tell(escalation)
                told += 1
        return told

    async def _tell(self, escalation: EscalationRecord) -> None:
        conversation = await self.ledger.conversation(escalation.conversation_id)
        await self.streams.announce_outbound(conversation.shard, conversation.id, urgent=bool(escalation.concerns))
        await self.streams.changed(conversation.id)
        await self.streams.changed(QUEUE)
