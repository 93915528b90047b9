"""Telegram's updates, whether it brings them (webhook) or is asked for them (polling): one way in for both.

First what must not be lost is stored, then the caller tells Telegram that we have it, and only then comes what may
fail: stopping the spinner on a button, and telling a group, once a day, where to talk to us alone.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import structlog

from channels.conversation import Channel
from channels.errors import SendFailed, StreamsUnavailable
from channels.intake import Intake
from channels.telegram import Arrival, GroupCall, Reach, Telegram
from channels.wording import Wording

GROUP_HEARS_AGAIN_SECONDS: Final = 24 * 3600.0


class Reaches(Protocol):
    """The ledger, as far as being shut out is concerned."""

    async def set_blocked(self, channel: Channel, address: str, blocked: bool) -> str | None: ...


class News(Protocol):
    """The streams, as far as updates need them."""

    async def first(self, name: str, ttl_s: float) -> bool: ...

    async def changed(self, name: str) -> None: ...


Errand = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, kw_only=True)
class Updates:
    """Takes one update at a time; the same one again does no harm."""

    telegram: Telegram
    intake: Intake
    ledger: Reaches
    streams: News
    wording: Wording

    async def take(self, update_json: object) -> Errand | None:
        """Store it, and give what is to be done afterwards. Raises Malformed, LedgerUnavailable: nothing was stored."""
        arrived = self.telegram.read(update_json)
        if arrived.inbound is not None:
            await self.intake.receive(arrived.inbound)
        if arrived.reach is not None:
            await self._note_reach(arrived.reach)
        return partial(self._follow_up, arrived) if arrived.press or arrived.call else None

    async def _note_reach(self, reach: Reach) -> None:
        """Nobody is stored who has not written: then there is nothing to say it of."""
        conversation_id = await self.ledger.set_blocked(Channel.TELEGRAM, reach.address, reach.blocked)
        if conversation_id is not None:
            structlog.get_logger().info("reach_changed", conversation_id=conversation_id, blocked=reach.blocked)
            await self.streams.changed(conversation_id)

    async def _follow_up(self, arrived: Arrival) -> None:
        """Best effort: the outcome is logged, and nothing anybody wrote depends on it."""
        if arrived.press is not None:
            await self.telegram.answer_press(arrived.press)
        if arrived.call is not None:
            await self._answer_group(arrived.call)

    async def _answer_group(self, call: GroupCall) -> None:
        """Who asked, and what, is not kept, and not repeated before everybody."""
        log = structlog.get_logger()
        try:
            link = await self.telegram.link_for(call)
            once = f"group:{self.telegram.mark(call.chat_id)}"
            if link is None or not await self.streams.first(once, GROUP_HEARS_AGAIN_SECONDS):
                return
            await self.telegram.send(call.chat_id, self.wording.say("group", link=link))
        except (SendFailed, StreamsUnavailable) as problem:
            log.info("group_not_answered", problem=type(problem).__name__)
        else:
            log.info("group_answered")
