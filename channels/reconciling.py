"""Texts that never reached us, taken from the provider's own list.

A wrong public address, a rotated token or an hour without a web process: the provider has the text all the same, and
only its webhook was lost. So a worker compares the provider's list with the ledger, and stores what is missing by
the way every message takes. The id makes it harmless to find the same text again, by list or by webhook.

    a look begins here          the last look that went well, less OVERLAP
    the first one of a worker   FIRST_LOOK back, or since the newest text in the ledger if that is longer ago
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from channels.conversation import Channel, Inbound
from channels.errors import SendFailed, StreamsUnavailable
from channels.intake import Intake
from channels.ledger import Ledger
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics

OVERLAP: Final = timedelta(minutes=10)
"""For a provider's clock that differs from ours, and for texts that it lists late."""
FIRST_LOOK: Final = timedelta(hours=24)
"""The newest text in the ledger says nothing about those before it: some may have come through while others did not."""
LOCK_SECONDS: Final = 120.0


class Lists(Protocol):
    """A provider that can be asked what people sent us."""

    async def inbound_since(self, since: datetime) -> Sequence[Inbound]:
        """Oldest first. Raises SendFailed."""

    async def complete(self, inbound: Inbound) -> Inbound:
        """The same message with what the list leaves out, as far as that can be had."""


@dataclass(kw_only=True)
class Reconciler:
    """Every worker has one; only one of them looks at a time. `every` in seconds; nothing older than `furthest`."""

    inbox: Lists
    ledger: Ledger
    streams: Streams
    intake: Intake
    metrics: WorkerMetrics
    clock: Callable[[], datetime]
    every: float
    furthest: timedelta
    channel: Channel = Channel.SMS
    _looked: datetime | None = field(default=None)

    async def reconcile(self) -> int:
        """How many messages were missing. Raises LedgerUnavailable; the next look then begins where this one did."""
        try:
            async with self.streams.lock(f"reconcile:{self.channel}", LOCK_SECONDS) as mine:
                return await self._look() if mine else 0
        except StreamsUnavailable:
            # The ledger keeps two lookers apart as well.
            return await self._look()

    async def _look(self) -> int:
        now = self.clock()
        try:
            found = await self._ingest(await self.inbox.inbound_since(await self._since(now)))
        except SendFailed as failure:
            self.metrics.count_reconciled(self.channel, "failed")
            structlog.get_logger().error("reconcile_failed", channel=self.channel, code=failure.code)
            return 0
        self._looked = now
        return found

    async def _since(self, now: datetime) -> datetime:
        if self._looked is not None:
            return self._looked - OVERLAP
        newest = await self.ledger.newest_inbound(self.channel)
        first = now - FIRST_LOOK if newest is None else min(newest - OVERLAP, now - FIRST_LOOK)
        return max(first, now - self.furthest)

    async def _ingest(self, listed: Sequence[Inbound]) -> int:
        unknown = await self.ledger.unknown(self.channel, [inbound.provider_id for inbound in listed])
        found = 0
        for inbound in listed:
            if inbound.provider_id in unknown:
                stored = await self.intake.receive(await self.inbox.complete(inbound))
                found += not stored.duplicate
        if found:
            self.metrics.count_reconciled(self.channel, "found", found)
            structlog.get_logger().warning("texts_recovered", channel=self.channel, count=found)
        return found
