"""The whole simulated network: phones, their two providers, and what they remember."""

from __future__ import annotations

from typing import Final, Self

from channels.settings import Settings
from channels.simulator.fake_telegram import FakeTelegram
from channels.simulator.fake_twilio import FakeTwilio
from channels.simulator.lines import Line
from channels.simulator.misbehave import Misbehave
from channels.simulator.store import PhoneStore
from channels.simulator.webhooks import Webhooks

FILE: Final = "simulator.sqlite"


class Simulator:
    """Opened and closed by the composition root. Demo mode only."""

    def __init__(self, settings: Settings, store: PhoneStore) -> None:
        self.misbehave = Misbehave()
        self.store = store
        self._webhooks = Webhooks(self.misbehave)
        self.twilio = FakeTwilio(settings, store, self._webhooks, self.misbehave)
        self.telegram = FakeTelegram(settings, store, self._webhooks, self.misbehave)

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        return cls(settings, await PhoneStore.open(settings.data_dir / FILE))

    async def close(self) -> None:
        await self._webhooks.close()
        await self.store.close()

    async def write(self, line: Line, words: str) -> None:
        """A person sends a message from this phone or account."""
        if line.kind == "sms":
            await self.twilio.text_from(line, words)
        else:
            await self.telegram.write_from(line, words)
