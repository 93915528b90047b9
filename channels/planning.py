"""What was planned, when its time has come: sent once, or held where a peer worker sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from channels.conversation import Concern, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.ledger.talk_records import PlanKind, PlanRecord
from channels.streams import Streams

EVERY: Final = 15.0
"""Seconds between two looks."""


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Every worker has one; what several of them find due is sent by one. Raises LedgerUnavailable."""

    ledger: Ledger
    streams: Streams
    clock: Callable[[], datetime]
    never: frozenset[Concern]
    """Told of after it was planned, nothing is sent until somebody has noted whether texts are safe."""

    async def send_due(self) -> None:
        for plan in await self.ledger.planned.due(self.clock()):
            sent = await self.ledger.planned.carry_out(plan, draft_of(plan), self.never)
            structlog.get_logger().info("plan_carried_out", plan_id=plan.id, sent=sent)
            conversation = await self.ledger.conversation(plan.conversation_id)
            if sent:
                await self.streams.announce_outbound(conversation.shard, conversation.id)
            await self.streams.changed(conversation.id)


def draft_of(plan: PlanRecord) -> Draft:
    """A peer worker's own words go under their name; a check-in is the service's."""
    if plan.kind is PlanKind.MESSAGE:
        return Draft(sender=Sender.PEER, text=plan.text, sender_name=plan.peer_name)
    return Draft(sender=Sender.NOTICE, text=plan.text)
