"""One conversation's unanswered messages, oldest first: each is dealt with once, and what follows is committed at once.

    next unanswered -> answer -> commit (only if nobody answered it and the turn is still ours) -> announce

A commit that is refused means that a peer worker has taken the conversation meanwhile, or another worker was quicker:
what the assistant said is thrown away and the decision is made again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from channels.answering import Answering, Farewell
from channels.composing import Moment
from channels.concern import find_concerns
from channels.conversation import Concern, Sender
from channels.ledger import Ledger
from channels.ledger.records import Committed, MessageRecord, Outcome
from channels.noticing import Notices
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics

MOST_DECISIONS: Final = 5
"""A turn that changes hands more often than this within one message is left to the sweeper."""
QUEUE: Final = "queue"


class Announces(Protocol):
    """Shows the desks what the ledger has just opened or learnt more of."""

    async def announce(self, escalation_id: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Turns:
    """Raises LedgerUnavailable: the work is then announced again later."""

    ledger: Ledger
    streams: Streams
    answering: Answering
    escalations: Announces
    metrics: WorkerMetrics
    notices: Notices

    async def work_through(self, conversation_id: str) -> None:
        """Answer until nothing is left to answer. The caller sees to it that one worker does this at a time."""
        while (message := await self.ledger.next_unanswered(conversation_id)) is not None:
            attempt = await self.ledger.count_attempt(message.id)
            if not await self._answer(message, attempt):
                return

    async def _answer(self, message: MessageRecord, attempt: int) -> bool:
        """False when it could not be settled now; the sweeper brings it back."""
        started = time.monotonic()
        concerns = await self._find_concerns(message)
        for _ in range(MOST_DECISIONS):
            moment = replace(await self._look(message, concerns), attempt=attempt)
            decided = await self.answering.answer(moment)
            if isinstance(decided, Farewell):
                await self._forget(moment, decided)
                self.metrics.count_turn(moment.conversation.channel, "forgotten", time.monotonic() - started)
                return True
            committed = await self.ledger.commit(decided)
            if committed is not None:
                await self._announce(committed, decided)
                self.metrics.count_turn(moment.conversation.channel, decided.kind, time.monotonic() - started)
                return True
            current = await self.ledger.message(message.id)
            if current is None or current.answered:
                return True
        structlog.get_logger().warning("turn_keeps_changing_hands", message_id=message.id)
        return False

    async def _find_concerns(self, message: MessageRecord) -> frozenset[Concern]:
        """Both layers, added up: the patterns, which are always there, and the classifier, where it answers."""
        matched = frozenset(one.concern for one in find_concerns(message.text))
        found = matched | await self.notices.notice(message)
        if found:
            self.metrics.count_concerns(found)
        return found

    async def _look(self, message: MessageRecord, concerns: frozenset[Concern]) -> Moment:
        conversation = await self.ledger.conversation(message.conversation_id)
        return Moment(
            message=message,
            conversation=conversation,
            person=await self.ledger.person(conversation.person_id),
            escalation=await self.ledger.escalation_of(conversation.id),
            choices=await self.ledger.last_choices(conversation.id),
            concerns=concerns,
        )

    async def _announce(self, committed: Committed, outcome: Outcome) -> None:
        if committed.outbound:
            urgent = any(draft.urgent for draft in outcome.drafts)
            await self.streams.announce_outbound(committed.shard, committed.conversation_id, urgent)
        await self.streams.changed(committed.conversation_id)
        if committed.escalation_id is None:
            return
        if outcome.escalation or outcome.concerns or outcome.needs:
            await self.escalations.announce(committed.escalation_id)
        await self.streams.changed(QUEUE)

    async def _forget(self, moment: Moment, farewell: Farewell) -> None:
        """Queue the farewell, then erase: the ledger keeps what waits to be sent until it is, and the address with it.

        Erasing is what answers the message. A worker that dies in between leaves it unanswered, so erasure never
        gets lost; the farewell that is queued by then is not queued again.
        """
        conversation = moment.conversation
        later = await self.ledger.messages(conversation.id, moment.message.seq)
        words = {draft.text for draft in farewell.drafts}
        if not any(message.sender is Sender.NOTICE and message.text in words for message in later):
            await self.ledger.append(conversation.id, farewell.drafts)
        await self.ledger.forget(moment.person.id)
        structlog.get_logger().info("person_forgotten", conversation_id=conversation.id)
        await self.streams.announce_outbound(conversation.shard, conversation.id)
        await self.streams.changed(conversation.id)
        await self.streams.changed(QUEUE)
