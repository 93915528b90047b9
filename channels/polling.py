"""Asking Telegram for updates, where it has no public address to bring them to (development).

    ask from N on -> take each, in order -> ask from the one after the last that is in the ledger

To ask from N on tells Telegram that everything before N is safe, so N moves only when the ledger has the update.
Dying between the two brings the update again, and the ledger knows it by its number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from channels.conversation import Channel
from channels.errors import LedgerUnavailable, Malformed, SendFailed
from channels.updates import Errand

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before trying again: twice as long each time that it goes wrong."""


class Asked(Protocol):
    """Telegram, as far as asking goes. Each raises SendFailed."""

    async def drop_webhook(self) -> None: ...

    async def updates(self, offset: int | None) -> Sequence[Any]: ...


class Takes(Protocol):
    async def take(self, update_json: object) -> Errand | None: ...


class TurnedAway(Protocol):
    """Where what cannot be read is counted, ids only."""

    async def record(self, channel: Channel, reason: str, ids: Mapping[str, str]) -> None: ...


@dataclass(kw_only=True)
class Poller:
    """One for each bot: Telegram answers a second one with a conflict, and this one then tries again later."""

    telegram: Asked
    updates: Takes
    on_unreadable: TurnedAway
    first_pause: float = FIRST_PAUSE
    offset: int | None = None
    listening: bool = False
    """Whether the webhook is out of the way."""
    _pause: float = field(default=0.0)
    _errands: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Until cancelled. What was being taken comes again at the next start."""
        while True:
            try:
                if not self.listening:
                    await self.telegram.drop_webhook()
                    self.listening = True
                    structlog.get_logger().info("telegram_polling")
                await self.look()
            except Exception as problem:  # Foreseen or not, the update comes again, as by webhook after a 5xx.
                await self._wait(problem)
            else:
                self._pause = 0.0

    async def look(self) -> None:
        """Ask once and take what comes. Raises SendFailed, LedgerUnavailable: what is not stored will come again."""
        for update in await self.telegram.updates(self.offset):
            await self._take(update)

    async def _take(self, update: Any) -> None:
        errand: Errand | None = None
        try:
            errand = await self.updates.take(update)
        except Malformed:
            await self.on_unreadable.record(Channel.TELEGRAM, "malformed", {})
        number = update.get("update_id") if isinstance(update, dict) else None
        if isinstance(number, int):
            self.offset = number + 1
        if errand is not None:
            task = asyncio.create_task(errand())
            self._errands.add(task)
            task.add_done_callback(self._errands.discard)

    async def _wait(self, problem: Exception) -> None:
        asked_for = problem.retry_after if isinstance(problem, SendFailed) else None
        self._pause = min(LONGEST_PAUSE, self._pause * 2 or self.first_pause)
        cause = problem.code if isinstance(problem, SendFailed) else type(problem).__name__
        event = "ledger_unavailable" if isinstance(problem, LedgerUnavailable) else "telegram_polling_failed"
        structlog.get_logger().warning(event, cause=cause)
        await asyncio.sleep(max(self._pause, asked_for or 0.0))
