"""A message of our own, every minute, by the way every message takes: is anybody who writes now answered?

    store -> stream -> worker -> assistant -> commit -> outbox -> a sender that keeps it here

A webhook that is acknowledged and a healthy process say nothing about what comes after them; this does. It counts
as `passed` when the assistant answered, `degraded` when only the fixed words did (everybody gets a person then), and
`failed` when nothing had gone out in time. Nobody is asked to come for it, and all of it is removed afterwards.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import structlog

from channels.conversation import Channel, Delivery, Inbound, Sender
from channels.errors import ChannelsError, StreamsUnavailable
from channels.intake import Intake
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord, PersonRecord, Stored
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics

Result = Literal["passed", "degraded", "failed"]

WORDS: Final = "i need help with food"
"""Goes through the need recogniser and the search, like most of what people write."""
FAILURES_UNTIL_ALARM: Final = 3
LEFT_BEHIND: Final = timedelta(minutes=10)
"""A round that broke off is removed after this: whoever still works on it is done by then."""
LOOK_SECONDS: Final = 0.5
"""How often to look in the ledger, should the news of an answer be lost."""


@dataclass(frozen=True)
class CanarySender:
    """Its messages are sent when they get here: they never leave the machine."""

    async def send(self, person: PersonRecord, message: MessageRecord) -> str:
        return f"canary-{message.id}"

    async def find_sent(self, person: PersonRecord, message: MessageRecord, since: datetime) -> str | None:
        return None


@dataclass(kw_only=True)
class Canary:
    """Every worker has one; any worker may answer it. `every` and `patience` in seconds."""

    intake: Intake
    ledger: Ledger
    streams: Streams
    metrics: WorkerMetrics
    every: float
    patience: float
    failures: int = field(default=0)
    """In a row, so far."""

    @property
    def well(self) -> bool:
        return self.failures < FAILURES_UNTIL_ALARM

    async def sing(self) -> Result:
        """One round trip, measured and told. Never raises what is foreseen: that is a result."""
        began = time.monotonic()
        result = await self._round_trip()
        seconds = time.monotonic() - began
        self._judge(result)
        self.metrics.count_canary(result, seconds, well=self.well)
        try:
            await self.streams.note_canary(result)
        except StreamsUnavailable:
            structlog.get_logger().warning("canary_not_noted", result=result)
        return result

    def _judge(self, result: Result) -> None:
        log = structlog.get_logger()
        if result == "failed":
            self.failures += 1
            say = log.warning if self.well else log.error
            say("canary_failed", failures=self.failures)
            return
        if self.failures:
            log.info("canary_is_back", failures=self.failures)
        self.failures = 0

    async def _round_trip(self) -> Result:
        name = f"canary-{secrets.token_hex(8)}"
        song = Inbound(channel=Channel.CANARY, address=name, provider_id=name, text=WORDS)
        try:
            async with asyncio.timeout(self.patience):
                stored = await self.intake.receive(song)
                result = await self._wait(stored)
                await self._remove(stored)
        except (TimeoutError, ChannelsError):
            return "failed"
        return result

    async def _wait(self, stored: Stored) -> Result:
        async with self.streams.watch(stored.conversation_id) as watch:
            while (result := judge(await self.ledger.messages(stored.conversation_id))) is None:
                await watch.wait(LOOK_SECONDS)
        return result

    async def _remove(self, stored: Stored) -> None:
        await self.ledger.remove_canaries(stored.conversation_id, datetime.now(UTC) - LEFT_BEHIND)


def judge(messages: list[MessageRecord]) -> Result | None:
    """None while it is still under way."""
    asked = [message for message in messages if message.sender is Sender.PERSON]
    said = [message for message in messages if message.sender is not Sender.PERSON]
    if any(message.delivery is Delivery.FAILED for message in said):
        return "failed"
    if not all(message.answered for message in asked) or any(message.delivery is not Delivery.SENT for message in said):
        return None
    if not said:
        return "failed"
    return "passed" if all(message.outcome == "bot" for message in asked) else "degraded"
