"""Showing that somebody is typing, where a channel can: the assistant while it thinks, a peer worker at the desk.

A sign is worth nothing a few seconds later, so nothing waits for one, tries it again, or minds that it is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from channels.composing import Moment
from channels.conversation import Channel, Holder
from channels.errors import NotFound
from channels.ledger import Ledger
from channels.ledger.records import PersonRecord
from channels.streams import TYPING, Streams

GRACE_SECONDS: Final = 0.6
"""Most answers are there sooner; a sign after the answer would promise another one."""
EVERY_SECONDS: Final = 4.5
"""Telegram shows one for five."""
LOOK_SECONDS: Final = 2.0


class ShowsTyping(Protocol):
    """A channel that can show it. Raises SendFailed."""

    async def show_typing(self, person: PersonRecord) -> None: ...


@dataclass(frozen=True, kw_only=True)
class TypingSigns:
    """Raises nothing: what goes wrong is logged by its kind."""

    ledger: Ledger
    streams: Streams
    shown_by: Mapping[Channel, ShowsTyping] = field(default_factory=dict)
    grace: float = GRACE_SECONDS
    every: float = EVERY_SECONDS

    @asynccontextmanager
    async def thinking(self, moment: Moment) -> AsyncIterator[None]:
        """From a moment after the beginning to the end of the block, which never waits for it."""
        shows = self.shown_by.get(moment.conversation.channel)
        if shows is None or moment.conversation.holder is Holder.PEER:
            yield
            return
        showing = asyncio.create_task(self._keep_showing(shows, moment.person))
        try:
            yield
        finally:
            showing.cancel()

    async def follow(self, stop: asyncio.Event) -> None:
        """Pass on that a peer worker is writing, until told to stop."""
        everybody = f"{TYPING}:*"
        async with self.streams.watch(everybody) as watch:
            while not stop.is_set():
                name = await watch.wait(LOOK_SECONDS)
                if name is not None and name != everybody:
                    await self._show_peer(name.removeprefix(f"{TYPING}:"))

    async def _keep_showing(self, shows: ShowsTyping, person: PersonRecord) -> None:
        pause = self.grace
        while True:
            await asyncio.sleep(pause)
            if not await self._show(shows, person):
                return
            pause = self.every

    async def _show_peer(self, conversation_id: str) -> None:
        """Every worker hears of it; the first one shows it, and not again before it has worn off."""
        try:
            conversation = await self.ledger.conversation(conversation_id)
            shows = self.shown_by.get(conversation.channel)
            if shows is None or conversation.holder is not Holder.PEER:
                return
            person = await self.ledger.person(conversation.person_id)
            if person.address and await self.streams.first(f"{TYPING}:{conversation_id}", self.every):
                await self._show(shows, person)
        except NotFound:
            return
        except Exception as problem:
            structlog.get_logger().info("typing_not_shown", problem=type(problem).__name__)

    async def _show(self, shows: ShowsTyping, person: PersonRecord) -> bool:
        """Whether it makes sense to go on."""
        try:
            async with asyncio.timeout(self.every):
                await shows.show_typing(person)
        except Exception as problem:
            structlog.get_logger().info("typing_not_shown", problem=type(problem).__name__)
            return False
        return True
