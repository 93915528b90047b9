"""The providers, each as the one shape that `sending` knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from channels.ledger.records import MessageRecord, PersonRecord
from channels.telegram import Telegram


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


@dataclass(frozen=True)
class TelegramSender:
    telegram: Telegram

    async def send(self, person: PersonRecord, message: MessageRecord) -> str:
        return await self.telegram.send(person.address, message.text, message.choices)

    async def find_sent(self, person: PersonRecord, message: MessageRecord, since: datetime) -> str | None:
        """A bot cannot read what it has sent."""
        return None
