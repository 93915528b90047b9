"""How the fake Telegram hands in updates: to a webhook, or, while none is set, to whoever asks for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from channels.simulator.webhooks import Webhooks

LONGEST_WAIT: Final = 50
MOST_AT_ONCE: Final = 100


@dataclass(kw_only=True)
class Waiting:
    """An update that nobody has confirmed yet."""

    body: Mapping[str, Any]
    taken: asyncio.Future[bool]


@dataclass(kw_only=True)
class UpdateDelivery:
    """`url` is empty while no webhook is set. What waits is kept through every change of mind."""

    webhooks: Webhooks
    url: str
    secret: str
    _waiting: list[Waiting] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pending(self) -> int:
        return len(self._waiting)

    async def hand_in(self, body: Mapping[str, Any]) -> asyncio.Future[bool]:
        """Done, with whether it was taken, once somebody has it."""
        taken = asyncio.get_running_loop().create_future()
        if self.url:
            taken.set_result(await self._call(body))
        else:
            self._waiting.append(Waiting(body=body, taken=taken))
            self._news.set()
        return taken

    def set_webhook(self, url: str, secret: str) -> None:
        """What has been waiting goes there, in order."""
        self.url, self.secret = url, secret
        if url and self._waiting:
            waiting, self._waiting = self._waiting, []
            self.webhooks.start(self._catch_up(waiting))

    async def after(self, offset: int | None, seconds: float) -> list[Mapping[str, Any]]:
        """Asking from a number on confirms everything before it. Waits so long for something to give."""
        if offset is not None:
            confirmed = [one for one in self._waiting if one.body["update_id"] < offset]
            self._waiting = [one for one in self._waiting if one.body["update_id"] >= offset]
            for one in confirmed:
                one.taken.set_result(True)
        if not self._waiting:
            self._news.clear()
            try:
                async with asyncio.timeout(min(seconds, LONGEST_WAIT)):
                    await self._news.wait()
            except TimeoutError:
                return []
        return [one.body for one in self._waiting[:MOST_AT_ONCE]]

    async def _catch_up(self, waiting: list[Waiting]) -> None:
        for one in waiting:
            one.taken.set_result(await self._call(one.body))

    async def _call(self, body: Mapping[str, Any]) -> bool:
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": self.secret}
        return await self.webhooks.call(self.url, json.dumps(body).encode(), headers)
