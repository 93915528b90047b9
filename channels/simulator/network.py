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
        self.misbehave: Final = {kind: Misbehave() for kind in ("sms", "telegram")}
        self.store = store
        self._webhooks = {kind: Webhooks(misbehave) for kind, misbehave in self.misbehave.items()}
        self.twilio = FakeTwilio(settings, store, self._webhooks["sms"], self.misbehave["sms"])
        self.telegram = FakeTelegram(settings, store, self._webhooks["telegram"], self.misbehave["telegram"])

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        return cls(settings, await PhoneStore.open(settings.data_dir / FILE))

    async def close(self) -> None:
        for webhooks in self._webhooks.values():
            await webhooks.close()
        await self.store.close()

    async def write(self, line: Line, words: str) -> None:
        """A person sends a message from this phone or account."""
        if line.kind == "sms":
            await self.twilio.text_from(line, words)
        else:
            await self.telegram.write_from(line, words)
