"""Status callbacks that were lost: the provider is asked what became of texts that nothing was heard of for a while.

A text is asked about 5, 15, 35, 75 ... minutes after it was sent, until a day has passed: a network that never says
more than "sent" must not be asked for ever. What is learnt goes the way of every receipt, so states only move forward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from channels.conversation import Channel, Delivery, Receipt
from channels.errors import SendFailed, StreamsUnavailable
from channels.ledger import Ledger
from channels.ledger.records import Unconfirmed
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics

PATIENCE: Final = timedelta(minutes=5)
"""Receipts usually come within seconds; a first question before that would only cost."""
GIVEN_UP_AFTER: Final = timedelta(hours=24)
ASKED_AT_ONCE: Final = 50
"""Questions of one look. One look a minute makes that 3,000 an hour, whatever is waiting."""
LOCK_SECONDS: Final = 120.0


class Reports(Protocol):
    """A provider that can be asked what became of a text."""

    async def receipt_of(self, provider_id: str) -> Receipt | None:
        """None when it has nothing to add. Raises SendFailed."""


@dataclass(kw_only=True)
class Confirmer:
    """Every worker has one; only one of them asks at a time. When each text is next asked about is remembered here."""

    provider: Reports
    ledger: Ledger
    streams: Streams
    metrics: WorkerMetrics
    clock: Callable[[], datetime]
    channel: Channel = Channel.SMS
    _next: dict[str, datetime] = field(default_factory=dict)

    async def confirm(self) -> int:
        """How many texts moved forward. Raises LedgerUnavailable."""
        try:
            async with self.streams.lock(f"confirm:{self.channel}", LOCK_SECONDS) as mine:
                return await self._look() if mine else 0
        except StreamsUnavailable:
            return await self._look()

    async def _look(self) -> int:
        now = self.clock()
        waiting = await self.ledger.unconfirmed(self.channel, now - GIVEN_UP_AFTER, now - PATIENCE)
        self._next = {one.message_id: self._next[one.message_id] for one in waiting if one.message_id in self._next}
        due = [one for one in waiting if self._next.get(one.message_id, now) <= now]
        moved = 0
        for one in due[:ASKED_AT_ONCE]:
            self._next[one.message_id] = now + max(now - one.sent_at, PATIENCE) + PATIENCE
            try:
                moved += await self._ask(one)
            except SendFailed as failure:
                self.metrics.count_reconciled(self.channel, "failed")
                structlog.get_logger().error("confirm_failed", channel=self.channel, code=failure.code)
                break
        if moved:
            self.metrics.count_reconciled(self.channel, "receipt", moved)
            structlog.get_logger().warning("receipts_recovered", channel=self.channel, count=moved)
        return moved

    async def _ask(self, one: Unconfirmed) -> bool:
        """Raises SendFailed."""
        receipt = await self.provider.receipt_of(one.provider_id)
        if receipt is None or receipt.state is Delivery.SENT:
            return False
        await self.ledger.store_receipt(receipt)
        await self.streams.changed(one.conversation_id)
        return True
