"""The connection to Redis or Valkey, tuned for work that must not hang.

redis-py would retry a command ten times with growing pauses; a webhook cannot wait for that, and the ledger
repairs what is missed. Its read timeout must be longer than any blocking read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

from channels.errors import StreamsUnavailable

READ_TIMEOUT = 8.0
"""Seconds."""
LONGEST_BLOCK_MS = 5000
"""Well under the read timeout."""
RETRIES = 2
MOST_CONNECTIONS = 100
WAIT_FOR_CONNECTION = 2.0
"""Seconds. A burst of work waits for a connection of the pool: it must not look as if the server were away."""


def connect(url: str, *, retries: int = RETRIES, check_after: float = 15.0) -> Redis:
    """Nothing is sent before the first command. A connection that rested `check_after` seconds is tried before use."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=WAIT_FOR_CONNECTION,
        decode_responses=True,
        protocol=2,
        socket_timeout=READ_TIMEOUT,
        socket_connect_timeout=2.0,
        health_check_interval=check_after,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), retries),
    )
    return Redis.from_pool(pool)


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Turn what the client raises into StreamsUnavailable."""
    try:
        yield
    except (RedisError, OSError) as problem:
        raise StreamsUnavailable(type(problem).__name__) from problem
