"""Being told that something changed, so that a page fetches it again.

One subscription for a whole process, however many pages are open. A change that is missed is harmless: whoever
waits also looks by themselves now and then, and after a lost connection everybody is told to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from channels.ending import cut_short
from channels.streams.client import connect
from channels.streams.keys import Keys

SUBSCRIBE_DEADLINE = 1.0
"""Seconds that opening a watch waits for the server; a page opens all the same without it."""
RECONNECT_PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds; the last one again and again."""
QUIET = 5.0
"""Seconds without news after which the connection is checked; twice that without an answer and it is dropped."""


class Watch:
    """What has changed since the last look at it, each name once, in the order it came.

    A name "kind:*" stands for every name that begins with "kind:".
    """

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(names)
        self._news: dict[str, None] = {}
        self._woken = asyncio.Event()

    def tell(self, name: str) -> None:
        if name in self.names or f"{name.partition(':')[0]}:*" in self.names:
            self._news[name] = None
            self._woken.set()

    async def wait(self, timeout: float) -> str | None:  # noqa: ASYNC109 - silence is an answer here, not an error
        """A name that changed, or None after `timeout` seconds without any."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        if not self._news:
            return None
        name = next(iter(self._news))
        del self._news[name]
        if not self._news:
            self._woken.clear()
        return name


class Watching:
    """The process's one subscription, and everybody who waits for news from it."""

    def __init__(self, url: str, keys: Keys, *, quiet: float = QUIET) -> None:
        self._url = url
        self._keys = keys
        self._quiet = quiet
        self._watches: set[Watch] = set()
        self._subscribed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, names: Collection[str]) -> AsyncIterator[Watch]:
        """Whatever changes after this has been entered is told."""
        watch = Watch(names)
        self._watches.add(watch)
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._listen())
            with suppress(TimeoutError):
                async with asyncio.timeout(SUBSCRIBE_DEADLINE):
                    await self._subscribed.wait()
            yield watch
        finally:
            self._watches.discard(watch)

    async def close(self) -> None:
        if self._task is not None:
            await cut_short([self._task])
            self._task = None

    async def _listen(self) -> None:
        """For as long as the process lives: subscribe, pass on, and after any trouble begin again."""
        tries = 0
        while True:
            client = connect(self._url, retries=0, check_after=0)
            try:
                await self._subscription(client, first=tries == 0)
            except (RedisError, OSError) as problem:
                if self._subscribed.is_set() or tries == 0:
                    structlog.get_logger().warning("watch_lost", cause=type(problem).__name__)
                tries = 1 if self._subscribed.is_set() else tries + 1
            finally:
                self._subscribed.clear()
                await client.aclose()
            await asyncio.sleep(RECONNECT_PAUSES[min(tries, len(RECONNECT_PAUSES)) - 1])

    async def _subscription(self, client: Redis, *, first: bool) -> None:
        async with client.pubsub() as pubsub:
            await pubsub.psubscribe(self._keys.changed("*"))
            quiet = 0.0
            while True:
                message: Any = await pubsub.get_message(timeout=self._quiet)
                if message is None:
                    quiet += self._quiet
                    if quiet > 2 * self._quiet:
                        raise ConnectionError("no answer")
                    await pubsub.ping()
                    continue
                quiet = 0.0
                if message["type"] == "psubscribe":
                    self._subscribed.set()
                    if not first:
                        self._tell_everybody()
                elif message["type"] == "pmessage":
                    self._tell(message["channel"].removeprefix(self._keys.changed("")))

    def _tell(self, name: str) -> None:
        for watch in self._watches:
            watch.tell(name)

    def _tell_everybody(self) -> None:
        for watch in self._watches:
            for name in watch.names:
                watch.tell(name)
