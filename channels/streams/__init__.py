"""Work, turns and news between processes, on Redis or Valkey. Ids only; the ledger is the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import structlog

from channels.errors import StreamsUnavailable
from channels.streams.at_once import AtOnce
from channels.streams.client import as_unavailable, connect
from channels.streams.keys import Keys
from channels.streams.turns import Turns
from channels.streams.watch import Watch, Watching
from channels.streams.work import Entry, Work

__all__ = ["READ", "TYPING", "WRITING", "AtOnce", "Entry", "Streams", "Watch"]

READ = "read"
TYPING = "typing"
WRITING = "writing"
TAKEN_AT_ONCE = 10
FORGOTTEN_CONSUMER_MS = 3_600_000
READ_SECONDS = 86_400.0
"""A sign that something was read is of use for the talk it belongs to."""


class Streams:
    """Raises StreamsUnavailable when the server does not answer, except where a method says otherwise."""

    def __init__(self, url: str, prefix: str, shards: int) -> None:
        keys = Keys(prefix)
        self._client = connect(url)
        self._keys = keys
        self._work = Work(self._client, keys, shards)
        self._turns = Turns(self._client, keys)
        self._watching = Watching(url, keys)

    @classmethod
    def connect(cls, url: str, prefix: str, shards: int) -> Streams:
        """Nothing is sent before it is needed."""
        return cls(url, prefix, shards)

    async def close(self) -> None:
        await self._watching.close()
        await self._client.aclose()

    async def ping(self) -> None:
        with as_unavailable():
            await self._client.ping()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[AtOnce]:
        """`async with streams.together() as told: told.queue_remove(one); told.changed(name)`: one exchange."""
        with as_unavailable():
            async with self._client.pipeline(transaction=False) as pipe:
                yield AtOnce(pipe, self._keys)
                await pipe.execute()

    # Work

    async def announce_inbound(self, shard: int, conversation_id: str) -> bool:
        """Never raises: when it fails it says False and logs, and the sweeper finds the work in the ledger."""
        return await self._announce("inbound", shard, conversation_id)

    async def announce_outbound(self, shard: int, conversation_id: str, urgent: bool = False) -> bool:
        """As `announce_inbound`. Urgent work is taken before any other."""
        return await self._announce("urgent" if urgent else "outbound", shard, conversation_id)

    async def _announce(self, kind: str, shard: int, conversation_id: str) -> bool:
        try:
            with as_unavailable():
                await self._work.announce(kind, shard, conversation_id)
        except StreamsUnavailable as problem:
            structlog.get_logger().warning("announcement_failed", kind=kind, shard=shard, cause=str(problem))
            return False
        return True

    async def take(
        self, kind: str, consumer: str, shards: Sequence[int], count: int = TAKEN_AT_ONCE, block_ms: int = 2000
    ) -> list[Entry]:
        """About `count` new entries (at least one of each stream that has any), or [] after `block_ms`."""
        with as_unavailable():
            return await self._work.take(kind, consumer, shards, count, block_ms)

    async def ack(self, entry: Entry) -> None:
        """It is done, or the ledger knows about it: never hand it out again."""
        with as_unavailable():
            await self._work.ack(entry)

    async def reclaim(self, kind: str, consumer: str, min_idle_ms: int, count: int = TAKEN_AT_ONCE) -> list[Entry]:
        """Take over what a dead worker left; up to `count` of each stream. Everybody may call it on a timer."""
        with as_unavailable():
            return await self._work.reclaim(kind, consumer, min_idle_ms, count)

    async def tidy(self, idle_ms: int = FORGOTTEN_CONSUMER_MS) -> int:
        """Strike off workers that ended long ago: each start of one is another name in every stream."""
        with as_unavailable():
            return await self._work.tidy(idle_ms)

    async def depth(self) -> dict[str, int]:
        """inbound, outbound, urgent: entries not finished; queue: people waiting."""
        with as_unavailable():
            return {**await self._work.depth(), "queue": await self._turns.queue_count()}

    # Turns

    def lock(self, name: str, ttl_s: float) -> AbstractAsyncContextManager[bool]:
        """`async with streams.lock(conversation_id, 30) as mine:`; False when another worker has it."""
        return self._turns.lock(name, ttl_s)

    async def first(self, name: str, ttl_s: float) -> bool:
        """True for the first of all who ask within `ttl_s`: for what several processes should do once."""
        with as_unavailable():
            return await self._turns.first(name, ttl_s)

    async def queue_put(self, order: Mapping[str, float]) -> None:
        """Put people in the queue, or move them, by escalation id and score; the lowest score is first."""
        with as_unavailable():
            await self._turns.queue_put(order)

    async def queue_remove(self, *escalation_ids: str) -> None:
        with as_unavailable():
            await self._turns.queue_remove(escalation_ids)

    async def queue_count(self) -> int:
        with as_unavailable():
            return await self._turns.queue_count()

    async def queue_scores(self) -> dict[str, float]:
        with as_unavailable():
            return await self._turns.queue_scores()

    async def lease(self, escalation_id: str, peer_id: str, ttl: float) -> None:
        """`ttl` in seconds."""
        with as_unavailable():
            await self._turns.lease(escalation_id, peer_id, ttl)

    async def lease_owner(self, escalation_id: str) -> str | None:
        with as_unavailable():
            return await self._turns.lease_owner(escalation_id)

    async def drop_lease(self, escalation_id: str) -> None:
        with as_unavailable():
            await self._turns.drop_lease(escalation_id)

    async def present(self, peer_id: str, ttl: float) -> None:
        """This peer worker is at the desk for the next `ttl` seconds."""
        with as_unavailable():
            await self._turns.present(peer_id, ttl)

    async def presence(self) -> list[str]:
        with as_unavailable():
            return await self._turns.presence()

    async def note_canary(self, result: str) -> None:
        with as_unavailable():
            await self._turns.note_canary(result)

    async def canary_ages(self) -> dict[str, float]:
        """Seconds since our own test message last had each result: passed, degraded, failed."""
        with as_unavailable():
            return await self._turns.canary_ages()

    # News

    async def changed(self, name: str) -> None:
        """Tell pages to look again: a conversation id, or "queue". Never raises."""
        try:
            with as_unavailable():
                await self._client.publish(self._keys.changed(name), "")
        except StreamsUnavailable as problem:
            structlog.get_logger().warning("news_lost", cause=str(problem))

    async def typing(self, conversation_id: str) -> None:
        """A peer worker is writing to this person, now. Never raises; whoever misses it has missed nothing.

        Told to who watches "typing:ID", or "typing:*" for everybody's.
        """
        await self.changed(f"{TYPING}:{conversation_id}")

    async def writing(self, conversation_id: str) -> None:
        """The person is writing, now. Never raises. Told to who watches "writing:ID"."""
        await self.changed(f"{WRITING}:{conversation_id}")

    async def has_read(self, conversation_id: str, seq: int) -> None:
        """The peer worker who holds it has the messages up to `seq` before them. Told to who watches "read:ID"."""
        with suppress(StreamsUnavailable), as_unavailable():
            if await self._turns.note_read(conversation_id, seq, READ_SECONDS):
                await self.changed(f"{READ}:{conversation_id}")

    async def read_upto(self, conversation_id: str) -> int:
        """0 when nothing is known. Never raises."""
        with suppress(StreamsUnavailable), as_unavailable():
            return await self._turns.read_upto(conversation_id)
        return 0

    def watch(self, *names: str) -> AbstractAsyncContextManager[Watch]:
        """`async with streams.watch(conversation_id, "queue") as watch: name = await watch.wait(15)`. Never raises."""
        return self._watching.watch(names)
