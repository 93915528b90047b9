"""Looking after what has stopped moving: the ledger knows, and everything else can be lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from channels.errors import StreamsUnavailable
from channels.escalation import Swept
from channels.ledger import Ledger
from channels.ledger.records import EscalationRecord
from channels.ledger.retention import Periods
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics

RETENTION_EVERY: Final = 3600.0
"""Seconds between two looks at what is over: words, and workers that ended long ago."""


class Sweeps(Protocol):
    """Takes back what nobody looks after, and admits what took too long."""

    async def sweep(self) -> Swept: ...


class Gives(Protocol):
    """Gives whoever waits to whoever is free and wants it."""

    async def give(self) -> int: ...

    async def lost_touch(self, escalation: EscalationRecord) -> None: ...


class Keeps(Protocol):
    """Says a word in time to whoever waits."""

    async def keep(self) -> int: ...


class Starts(Protocol):
    """Does the work here and now."""

    def start(self, conversation_id: str) -> None: ...


@dataclass(kw_only=True)
class Sweeper:
    """Every worker has one; what several of them do at once is done once."""

    ledger: Ledger
    streams: Streams
    escalations: Sweeps
    shifts: Gives
    company: Keeps
    inbound: Starts
    outbound: Starts
    metrics: WorkerMetrics
    clock: Callable[[], datetime]
    every: float
    """Seconds; also how long something must have stood still."""
    retention: Periods
    _next_retention: float = field(default=0.0)

    async def sweep(self) -> None:
        """Raises LedgerUnavailable."""
        await self._announce_stalled()
        swept = await self.escalations.sweep()
        for escalation in swept.lost:
            await self.shifts.lost_touch(escalation)
        await self.shifts.give()
        await self.company.keep()
        # Each time: the less there is to fold, the shorter the disk keeps whoever claims somebody waiting.
        await self.ledger.fold()
        if time.monotonic() >= self._next_retention:
            self._next_retention = time.monotonic() + RETENTION_EVERY
            await self._expire()

    async def _announce_stalled(self) -> None:
        """Put it on its stream again; when Redis is away, do it here: the ledger keeps two workers apart."""
        stalled = await self.ledger.stalled(timedelta(seconds=self.every))
        for shard, conversation_id in stalled.inbound:
            if not await self.streams.announce_inbound(shard, conversation_id):
                self.inbound.start(conversation_id)
        for shard, conversation_id in stalled.outbound:
            if not await self.streams.announce_outbound(shard, conversation_id):
                self.outbound.start(conversation_id)
        if stalled.inbound or stalled.outbound:
            self.metrics.count_swept("inbound", len(stalled.inbound))
            self.metrics.count_swept("outbound", len(stalled.outbound))
            structlog.get_logger().info(
                "stalled_work_found", inbound=len(stalled.inbound), outbound=len(stalled.outbound)
            )

    async def _expire(self) -> None:
        with suppress(StreamsUnavailable):  # The next time, then.
            await self.streams.tidy()
        try:
            async with self.streams.lock("retention", RETENTION_EVERY / 2) as mine:
                if mine:
                    await self._expire_now()
        except StreamsUnavailable:
            await self._expire_now()

    async def _expire_now(self) -> None:
        now, periods = self.clock(), self.retention
        count = await self.ledger.expire(
            now - periods.messages, notes=now - periods.notes, safeguarding=now - periods.safeguarding
        )
        gone = await self.ledger.retention.expire(periods, now)
        if count or any(gone.values()):
            structlog.get_logger().info("words_expired", count=count, **gone)


async def repeat(job: Callable[[], Any], every: float, stop: asyncio.Event, *, at_once: bool = True) -> None:
    """Run a job every so many seconds until told to stop; the first time at once, or after the first pause."""
    due = at_once
    while not stop.is_set():
        if due:
            await job()
        due = True
        try:
            async with asyncio.timeout(every):
                await stop.wait()
        except TimeoutError:
            continue
