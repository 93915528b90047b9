"""The one way in: store, then announce. Every channel's messages pass here before anybody is told they arrived."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

import structlog

from channels.conversation import Inbound
from channels.errors import LedgerUnavailable
from channels.ledger.records import Stored
from channels.metrics import Metrics

ANNOUNCE_SECONDS: Final = 2.0
"""How long an answer to a provider may wait for Redis. The sweeper announces what was not."""


class Store(Protocol):
    """The ledger, as far as arriving messages need it."""

    async def store_inbound(self, inbound: Inbound) -> Stored: ...


class Announcer(Protocol):
    """The streams, as far as arriving messages need them. Neither method raises when Redis is away."""

    async def announce_inbound(self, shard: int, conversation_id: str) -> bool: ...

    async def changed(self, name: str) -> None: ...


class Intake:
    """Store before acknowledging. Redis being away never loses or refuses a message."""

    def __init__(self, ledger: Store, streams: Announcer, metrics: Metrics) -> None:
        self._ledger = ledger
        self._streams = streams
        self._metrics = metrics
        self._log = structlog.get_logger()

    async def receive(self, inbound: Inbound) -> Stored:
        """Raises LedgerUnavailable: then nothing was stored, and the sender must hear so.

        A duplicate is announced as well: it may be here because we died between storing and announcing.
        """
        try:
            stored = await self._ledger.store_inbound(_storable(inbound))
        except LedgerUnavailable:
            self._metrics.count_inbound(inbound.channel, "unavailable")
            raise
        self._metrics.count_inbound(inbound.channel, "duplicate" if stored.duplicate else "stored")
        if inbound.came_from and not stored.duplicate:
            self._metrics.count_came_from(inbound.channel, inbound.came_from)
        await self._announce(stored)
        return stored

    async def _announce(self, stored: Stored) -> None:
        announced = False
        with suppress(TimeoutError):
            async with asyncio.timeout(ANNOUNCE_SECONDS):
                announced = await self._streams.announce_inbound(stored.shard, stored.conversation_id)
                if announced:
                    await self._streams.changed(stored.conversation_id)
        if not announced:
            self._metrics.count_unannounced()
            self._log.warning("left_to_sweeper", message_id=stored.message_id)


def _storable(inbound: Inbound) -> Inbound:
    payload = None if inbound.payload is None else storable(inbound.payload)
    return replace(inbound, text=storable(inbound.text), payload=payload)


def storable(text: str) -> str:
    """The text as every database can keep it: no NUL, and no half of a surrogate pair (JSON allows both)."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
