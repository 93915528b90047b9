"""Several changes that belong to one act, told in one exchange: whoever acts waits for Redis once."""

from __future__ import annotations

from redis.asyncio.client import Pipeline

from channels.streams.keys import Keys
from channels.streams.turns import milliseconds
from channels.streams.work import FIELD


class AtOnce:
    """In the order they were named. Each may be repeated, so they need not succeed or fail together."""

    def __init__(self, pipe: Pipeline, keys: Keys) -> None:
        self._pipe = pipe
        self._keys = keys

    def queue_put(self, escalation_id: str, score: float) -> None:
        self._pipe.zadd(self._keys.queue, {escalation_id: score})

    def queue_remove(self, escalation_id: str) -> None:
        self._pipe.zrem(self._keys.queue, escalation_id)

    def lease(self, escalation_id: str, peer_id: str, ttl: float) -> None:
        """`ttl` in seconds."""
        self._pipe.set(self._keys.lease(escalation_id), peer_id, px=milliseconds(ttl))

    def drop_lease(self, escalation_id: str) -> None:
        self._pipe.delete(self._keys.lease(escalation_id))

    def announce_outbound(self, shard: int, conversation_id: str, *, urgent: bool) -> None:
        self._pipe.xadd(self._keys.stream("urgent" if urgent else "outbound", shard), {FIELD: conversation_id})

    def changed(self, name: str) -> None:
        self._pipe.publish(self._keys.changed(name), "")
