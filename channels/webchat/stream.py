"""The event stream of one visitor. It says that something changed, never what: the page fetches that itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final, Protocol

from sse_starlette import ServerSentEvent

from channels.errors import LedgerUnavailable
from channels.streams import READ, TYPING
from channels.webchat.view import Talk

LOOK_SECONDS: Final = 6.0
"""Notices between processes can be lost; the ledger cannot. So we look anyway."""
RECONNECT_MS: Final = 2000


class Watch(Protocol):
    async def wait(self, seconds: float, /) -> str | None: ...


class Watcher(Protocol):
    """The streams, as far as live pages need them. Without Redis a watch is merely silent."""

    def watch(self, *names: str) -> AbstractAsyncContextManager[Watch]: ...

    async def writing(self, conversation_id: str) -> None: ...

    async def read_upto(self, conversation_id: str) -> int: ...


Look = Callable[[], Awaitable[Talk]]


async def events(watcher: Watcher, conversation_id: str, look: Look, after: int) -> AsyncIterator[ServerSentEvent]:
    """One event for each change after message `after`. Its id is the last message's number in the conversation."""
    seen: object = None
    async with aclosing(_moments(watcher, conversation_id)) as moments:
        async for name in moments:
            if name is not None and name.startswith(f"{TYPING}:"):
                yield ServerSentEvent(event=TYPING, data="{}")
                continue
            try:
                talk = await look()
            except LedgerUnavailable:
                continue
            shown = (talk.last_seq, talk.standing, talk.thinking, talk.gone, talk.read)
            if shown != seen and (seen is not None or talk.last_seq != after):
                yield ServerSentEvent(event="changed", id=str(talk.last_seq), data="{}", retry=RECONNECT_MS)
            seen = shown


async def _moments(watcher: Watcher, conversation_id: str) -> AsyncGenerator[str | None, None]:
    """At once, whenever somebody says that the conversation changed, and every few seconds regardless."""
    name: str | None = None
    async with watcher.watch(conversation_id, f"{TYPING}:{conversation_id}", f"{READ}:{conversation_id}") as watch:
        while True:
            yield name
            name = await watch.wait(LOOK_SECONDS)
