"""The providers, each as the one shape that `sending` knows."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from channels.errors import LedgerUnavailable
from channels.ledger.records import MessageRecord, PersonRecord
from channels.telegram import Telegram

KEYBOARDS_REACH: Final = 20
"""Messages back among which the last list is looked for."""


class Texts(Protocol):
    """An SMS provider. Both raise SendFailed."""

    async def send(self, address: str, text: str) -> str: ...

    async def find_sent(self, address: str, text: str, since: datetime) -> str | None: ...


@dataclass(frozen=True)
class SmsSender:
    provider: Texts

    async def send(self, person: PersonRecord, message: MessageRecord) -> str:
        return await self.provider.send(person.address, message.text)

    async def find_sent(self, person: PersonRecord, message: MessageRecord, since: datetime) -> str | None:
        return await self.provider.find_sent(person.address, message.text, since)


class Reads(Protocol):
    """The ledger, as far as earlier messages go."""

    async def messages(self, conversation_id: str, after_seq: int = 0, limit: int = 500) -> list[MessageRecord]: ...


@dataclass(frozen=True)
class TelegramSender:
    telegram: Telegram
    ledger: Reads
    _errands: set[asyncio.Task[None]] = field(default_factory=set)

    async def send(self, person: PersonRecord, message: MessageRecord) -> str:
        provider_id = await self.telegram.send(person.address, message.text, message.choices)
        if message.choices:
            self._start(self._remove_last_keyboard(person.address, message))
        return provider_id

    async def show_typing(self, person: PersonRecord) -> None:
        """Raises SendFailed."""
        await self.telegram.show_typing(person.address)

    async def close(self) -> None:
        """Let go of what is still being tidied up."""
        for errand in self._errands:
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)

    def _start(self, errand: Coroutine[Any, Any, None]) -> None:
        """What may fail must not make a message that went out look as if it had not."""
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _remove_last_keyboard(self, address: str, message: MessageRecord) -> None:
        """One list at a time: an old button would answer a question that nobody is asking any more."""
        try:
            before = await self.ledger.messages(message.conversation_id, max(0, message.seq - KEYBOARDS_REACH - 1))
        except LedgerUnavailable:
            structlog.get_logger().info("old_keyboard_left", message_id=message.id)
            return
        listed = [old for old in before if old.seq < message.seq and old.choices and old.provider_id]
        if listed:
            await self.telegram.remove_keyboard(address, listed[-1].provider_id)

    async def find_sent(self, person: PersonRecord, message: MessageRecord, since: datetime) -> str | None:
        """A bot cannot read what it has sent."""
        return None
