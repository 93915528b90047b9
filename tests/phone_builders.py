"""The simulated phones, both fakes, our webhooks and our senders, all on their feet."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette

from channels import simulator
from channels.conversation import Channel
from channels.gateway import Gateway
from channels.intake import Intake
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord
from channels.metrics import Metrics
from channels.settings import Settings
from channels.simulator import Simulator
from channels.simulator.lines import ACCOUNTS, PHONES
from channels.sms.twilio import Twilio
from channels.streams import Streams
from channels.telegram import Telegram
from channels.updates import Updates
from channels.wording import Wording
from tests.integration.serving import eventually, free_port, serving

WORDING = Wording.load()
PHONE, ASH = PHONES[0], ACCOUNTS[0]
OUR_NUMBER = "+441632960000"


def with_phones(settings: Settings) -> Settings:
    """Accounts at both fakes, which will be served at `settings.port`."""
    port = free_port()
    local = f"http://127.0.0.1:{port}/simulator"
    secrets = {
        "twilio_auth_token": "twilio-token-of-the-tests",
        "telegram_token": "1234567890:token-of-the-tests",
        "telegram_secret": "telegram-secret-of-the-tests",
    }
    given = {
        "port": port,
        "twilio_account_sid": "AC0123456789abcdef0123456789abcdef",
        "twilio_from": OUR_NUMBER,
        "twilio_api_url": f"{local}/twilio",
        "telegram_api_url": f"{local}/telegram/bot",
    }
    return settings.model_copy(update=given | {name: SecretStr(value) for name, value in secrets.items()})


@dataclass
class World:
    """Everything on its feet: phones, fakes, our webhooks, and our senders."""

    settings: Settings
    ledger: Ledger
    phones: Simulator
    twilio: Twilio
    telegram: Telegram
    browser: httpx.AsyncClient
    streams: Streams
    updates: Updates

    async def stored(self, channel: Channel, address: str) -> list[MessageRecord]:
        person = await self.ledger.person_at(channel, address)
        return await self.ledger.messages((await self.ledger.conversation_of(person.id)).id) if person else []

    async def texted(self, words: str) -> MessageRecord:
        """Write from the phone's page and wait until it is in the ledger."""
        await self.browser.post(f"{PHONE.page}/messages", data={"text": words})
        return await self.arrives(Channel.SMS, PHONE.address, words)

    async def arrives(self, channel: Channel, address: str, words: str) -> MessageRecord:
        async def last() -> MessageRecord | None:
            found = [message for message in await self.stored(channel, address) if message.text == words]
            return found[-1] if found else None

        found = await eventually(last)
        assert isinstance(found, MessageRecord)
        return found

    async def page(self, path: str = PHONE.page) -> str:
        answer = await self.browser.get(path)
        assert answer.status_code == 200
        return answer.text

    async def shows(self, words: str, path: str = PHONE.page) -> None:
        async def shown() -> bool:
            return words in re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", await self.page(path))))

        await eventually(shown)


@asynccontextmanager
async def open_world(
    settings: Settings, ledger: Ledger, streams: Streams, network: Settings | None = None
) -> AsyncIterator[World]:
    """`network`: what the providers believe, where that differs from what we do (our address, our token)."""
    metrics = Metrics()
    phones, twilio, telegram = await Simulator.open(network or settings), Twilio(settings), Telegram(settings)
    intake = Intake(ledger, streams, metrics)
    updates = Updates(telegram=telegram, intake=intake, ledger=ledger, streams=streams, wording=WORDING)
    gateway = Gateway(ledger=ledger, intake=intake, metrics=metrics, twilio=twilio, telegram=updates)
    app = Starlette(routes=[*gateway.routes(), *simulator.routes(phones, settings)])
    async with (
        serving(app, settings.port) as address,
        httpx.AsyncClient(base_url=address, follow_redirects=True, verify=False) as browser,
    ):
        yield World(settings, ledger, phones, twilio, telegram, browser, streams, updates)
        await phones.close()
    await telegram.close()
    twilio.close()
