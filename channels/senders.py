"""The providers, each as the one shape that `sending` knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.ledger.records import MessageRecord, PersonRecord
from channels.sms.twilio import Twilio
from channels.telegram import Telegram


@dataclass(frozen=True)
class SmsSender:
    twilio: Twilio

    async def send(self, person: PersonRecord, message: MessageRecord) -> str:
        return await self.twilio.send(person.address, message.text)

    async def find_sent(self, person: PersonRecord, message: MessageRecord, since: datetime) -> str | None:
        return await self.twilio.find_sent(person.address, message.text, since)


@dataclass(frozen=True)
class TelegramSender:
    telegram: Telegram

    async def send(self, person: PersonRecord, message: MessageRecord) -> str:
        return await self.telegram.send(person.address, message.text, message.choices)

    async def find_sent(self, person: PersonRecord, message: MessageRecord, since: datetime) -> str | None:
        """A bot cannot read what it has sent."""
        return None
