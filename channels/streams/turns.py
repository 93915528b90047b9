"""Short-lived agreements between processes: who works on a conversation, who waits, who holds, who is there.

None of it is the truth; the ledger is. All of it can be lost and is made again.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from channels.streams.client import as_unavailable
from channels.streams.keys import Keys

# Taking twice with the same token is taking once: the client may repeat a command whose answer got lost.
TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then return 1 end
if holder then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
# Only ever further: two pages may tell it in any order.
READ = """
if tonumber(redis.call('GET', KEYS[1]) or 0) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
GIVE_UP = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Turns:
    """Locks, the order of the queue, leases and presence."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._take = client.register_script(TAKE)
        self._give_up = client.register_script(GIVE_UP)
        self._read = client.register_script(READ)

    @asynccontextmanager
    async def lock(self, name: str, ttl_s: float) -> AsyncIterator[bool]:
        """False when somebody else has it. It frees itself after `ttl_s`, so the ledger still checks at the end.

        Raises StreamsUnavailable on the way in, never on the way out.
        """
        key, token = self._keys.lock(name), secrets.token_hex(8)
        with as_unavailable():
            taken = bool(await self._take(keys=[key], args=[token, milliseconds(ttl_s)]))
        try:
            yield taken
        finally:
            if taken:
                with suppress(RedisError, OSError):
                    await self._give_up(keys=[key], args=[token])

    async def first(self, name: str, ttl_s: float) -> bool:
        token = secrets.token_hex(8)
        return bool(await self._take(keys=[self._keys.first(name)], args=[token, milliseconds(ttl_s)]))

    async def queue_put(self, order: Mapping[str, float]) -> None:
        if order:
            await self._client.zadd(self._keys.queue, dict(order))

    async def queue_remove(self, escalation_ids: Collection[str]) -> None:
        if escalation_ids:
            await self._client.zrem(self._keys.queue, *escalation_ids)

    async def queue_count(self) -> int:
        return int(await self._client.zcard(self._keys.queue))

    async def queue_scores(self) -> dict[str, float]:
        """First in line first."""
        found: Any = await self._client.zrange(self._keys.queue, 0, -1, withscores=True)
        return dict(found)

    async def lease(self, escalation_id: str, peer_id: str, ttl: float) -> None:
        await self._client.set(self._keys.lease(escalation_id), peer_id, px=milliseconds(ttl))

    async def lease_owner(self, escalation_id: str) -> str | None:
        owner: Any = await self._client.get(self._keys.lease(escalation_id))
        return None if owner is None else str(owner)

    async def drop_lease(self, escalation_id: str) -> None:
        await self._client.delete(self._keys.lease(escalation_id))

    async def present(self, peer_id: str, ttl: float) -> None:
        """By the server's clock: the clocks of several machines need not agree."""
        await self._client.zadd(self._keys.presence, {peer_id: await self._now() + ttl})

    async def presence(self) -> list[str]:
        now = await self._now()
        await self._client.zremrangebyscore(self._keys.presence, "-inf", now)
        found: Any = await self._client.zrange(self._keys.presence, 0, -1)
        return list(found)

    async def note_read(self, conversation_id: str, seq: int, ttl: float) -> bool:
        """Whether that is further than what was read before."""
        return bool(await self._read(keys=[self._keys.read(conversation_id)], args=[seq, milliseconds(ttl)]))

    async def read_upto(self, conversation_id: str) -> int:
        seq: Any = await self._client.get(self._keys.read(conversation_id))
        return int(seq or 0)

    async def note_canary(self, result: str) -> None:
        """When our own test message last had this result, by the server's clock."""
        await self._client.hset(self._keys.canary, result, str(await self._now()))

    async def canary_ages(self) -> dict[str, float]:
        now = await self._now()
        found: Any = await self._client.hgetall(self._keys.canary)
        return {result: max(0.0, now - float(moment)) for result, moment in found.items()}

    async def _now(self) -> float:
        moment: Any = await self._client.time()
        return float(moment[0]) + float(moment[1]) / 1_000_000


def milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
