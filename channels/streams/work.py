"""Work as ids in sharded streams: taken by one worker of a group, taken over if that worker dies.

The ledger is the truth. An entry that is lost costs delay, because the sweeper announces the work again;
an entry that comes twice costs nothing, because the ledger answers once. So every command here may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from channels.streams.client import LONGEST_BLOCK_MS
from channels.streams.keys import KINDS, Keys

GROUP = "workers"
FIELD = "conversation"


@dataclass(frozen=True)
class Entry:
    """Something to do for a conversation. `kind` is inbound or outbound; `urgent` says which stream it came from."""

    kind: str
    shard: int
    id: str
    conversation_id: str
    urgent: bool = False

    @property
    def stream_kind(self) -> str:
        return "urgent" if self.urgent else self.kind


class Work:
    """The streams of one service. `shards` is how many there are of each kind."""

    def __init__(self, client: Redis, keys: Keys, shards: int) -> None:
        self._client = client
        self._keys = keys
        self._shards = shards

    async def announce(self, stream_kind: str, shard: int, conversation_id: str) -> None:
        await self._client.xadd(self._keys.stream(stream_kind, shard), {FIELD: conversation_id})

    async def take(self, kind: str, consumer: str, shards: Sequence[int], count: int, block_ms: int) -> list[Entry]:
        """New entries, urgent ones alone and first; waits up to `block_ms` (at most 5000) for the first one."""
        if kind == "outbound":
            urgent = await self._read(self._streams(("urgent",), shards), consumer, count, None)
            if urgent:
                return urgent
        streams = self._streams(stream_kinds(kind), shards)
        return await self._read(streams, consumer, count, min(block_ms, LONGEST_BLOCK_MS))

    async def _read(
        self, streams: dict[str, tuple[str, int]], consumer: str, count: int, block_ms: int | None
    ) -> list[Entry]:
        """`count` is shared between the streams, because the server counts for each of them."""
        if not streams:
            return []
        each = max(1, count // len(streams))
        wanted: dict[Any, Any] = dict.fromkeys(streams, ">")
        try:
            found = await self._client.xreadgroup(GROUP, consumer, wanted, count=each, block=block_ms or None)
        except ResponseError as problem:
            if not is_missing_group(problem):
                raise
            await self._create_groups(streams)
            found = await self._client.xreadgroup(GROUP, consumer, wanted, count=each, block=block_ms or None)
        return [entry for stream, items in pairs(found) for entry in entries(*streams[stream], items)]

    async def reclaim(self, kind: str, consumer: str, min_idle_ms: int, count: int) -> list[Entry]:
        """Entries that somebody took and has not finished for `min_idle_ms`: longer than any honest piece of work."""
        streams = self._streams(stream_kinds(kind), range(self._shards))
        taken: list[Entry] = []
        for name, (stream_kind, shard) in streams.items():
            try:
                reply: Any = await self._client.xautoclaim(name, GROUP, consumer, min_idle_ms, "0-0", count)
            except ResponseError as problem:
                if not is_missing_group(problem):
                    raise
                continue
            taken.extend(entries(stream_kind, shard, reply[1]))
        return taken

    async def ack(self, entry: Entry) -> None:
        name = self._keys.stream(entry.stream_kind, entry.shard)
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.xack(name, GROUP, entry.id)
            pipe.xdel(name, entry.id)
            await pipe.execute()

    async def depth(self) -> dict[str, int]:
        """Entries not finished yet, for each kind."""
        depth = dict.fromkeys(KINDS, 0)
        async with self._client.pipeline(transaction=False) as pipe:
            streams = self._streams(KINDS, range(self._shards))
            for name in streams:
                pipe.xlen(name)
            for (stream_kind, _), length in zip(streams.values(), await pipe.execute(), strict=True):
                depth[stream_kind] += length
        return depth

    async def tidy(self, idle_ms: int) -> int:
        """Strike off consumers that ended long ago and left nothing behind. Says how many."""
        gone = 0
        for name in self._streams(KINDS, range(self._shards)):
            try:
                consumers: Any = await self._client.xinfo_consumers(name, GROUP)
            except ResponseError:
                # No such stream or group yet.
                continue
            for consumer in consumers:
                if consumer["pending"] == 0 and consumer["idle"] > idle_ms:
                    await self._client.xgroup_delconsumer(name, GROUP, consumer["name"])
                    gone += 1
        return gone

    def _streams(self, kinds: Iterable[str], shards: Iterable[int]) -> dict[str, tuple[str, int]]:
        every = list(shards)
        return {self._keys.stream(kind, shard): (kind, shard) for kind in kinds for shard in every}

    async def _create_groups(self, streams: Iterable[str]) -> None:
        """From the very first entry: what was announced before there was a group is work all the same."""
        for name in streams:
            try:
                await self._client.xgroup_create(name, GROUP, id="0", mkstream=True)
            except ResponseError as problem:
                if not str(problem).startswith("BUSYGROUP"):
                    raise


def stream_kinds(kind: str) -> tuple[str, ...]:
    return ("urgent", "outbound") if kind == "outbound" else (kind,)


def is_missing_group(problem: ResponseError) -> bool:
    """After FLUSHALL there is no group; somebody who waits at that moment is told in other words."""
    words = str(problem)
    return words.startswith(("NOGROUP", "UNBLOCKED")) or "no longer exists" in words


def pairs(found: Any) -> Iterable[tuple[str, list[Any]]]:
    if not found:
        return ()
    return found.items() if isinstance(found, dict) else found


def entries(stream_kind: str, shard: int, items: Iterable[Any]) -> list[Entry]:
    """Entries deleted while they were pending come back empty and are skipped."""
    kind = "outbound" if stream_kind == "urgent" else stream_kind
    return [
        Entry(kind=kind, shard=shard, id=item[0], conversation_id=item[1][FIELD], urgent=stream_kind == "urgent")
        for item in items
        if item is not None and item[1]
    ]
