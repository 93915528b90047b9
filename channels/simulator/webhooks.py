"""Calls our webhooks as a provider does: over HTTP, and again when we did not take it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Final

import httpx
import structlog

from channels.simulator.misbehave import Misbehave, Overtaking

TIMEOUT_SECONDS: Final = 15.0
PAUSES: Final = (0.0, 0.5, 1.5, 4.0, 8.0)
"""Seconds before each try; together within the 15 that Twilio allows itself."""


class Webhooks:
    """One HTTP client, and the tasks of everything still under way."""

    def __init__(self, misbehave: Misbehave) -> None:
        self._misbehave = misbehave
        self._overtaking = Overtaking(misbehave)
        # The simulator only ever calls the address of this very service: no proxy stands between.
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Do it behind the back of whoever asked, as a network does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def call(self, url: str, content: bytes, headers: Mapping[str, str]) -> bool:
        """True once it was taken with a 2xx. A 4xx is not tried again."""
        await self._misbehave.wait()
        await self._overtaking.hold()
        taken = False
        for _ in range(1 + self._misbehave.duplicate):
            taken = await self._deliver(url, content, headers)
        self._overtaking.passed()
        return taken

    async def _deliver(self, url: str, content: bytes, headers: Mapping[str, str]) -> bool:
        status = 0
        for pause in PAUSES:
            await asyncio.sleep(pause)
            try:
                status = (await self._client.post(url, content=content, headers=headers)).status_code
            except httpx.HTTPError:
                status = 0
            if 200 <= status < 500:
                break
        if not 200 <= status < 300:
            structlog.get_logger().warning("simulated_webhook_not_taken", status=status)
        return 200 <= status < 300
