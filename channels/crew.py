"""Work on conversations, several at once, one worker at a time for each.

The Redis lock keeps two workers from doing the same thing twice; it is a courtesy. What makes that harmless is the
ledger, so when Redis is away the work goes on without the lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog

from channels.ending import cut_short
from channels.errors import ChannelsError, StreamsUnavailable, where
from channels.pacing import Places
from channels.streams import Entry, Streams
from channels.worker_metrics import WorkerMetrics

LOCK_PAUSE: Final = 0.03
"""Seconds between two tries at a lock that another worker has."""


@dataclass(kw_only=True)
class Crew:
    """`kind` is inbound or outbound; `work` does everything there is to do for a conversation.

    `lock_seconds`: after so long the lock of a worker that died frees itself, and so long others wait for it.
    `at_once`: conversations worked on at the same time; `most_waiting`: how many more may be taken meanwhile.
    """

    kind: str
    streams: Streams
    work: Callable[[str], Awaitable[None]]
    metrics: WorkerMetrics
    lock_seconds: float
    at_once: int = 16
    most_waiting: int = 100
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _waiting: dict[tuple[str, bool], list[Entry]] = field(default_factory=dict)
    """Work that has not begun, by conversation and urgency: whatever is announced meanwhile is done with it."""
    _places: Places = field(init=False)

    def __post_init__(self) -> None:
        self._places = Places(self.at_once)

    @property
    def full(self) -> bool:
        return len(self._tasks) >= self.at_once + self.most_waiting

    @property
    def idle(self) -> bool:
        return not self._tasks

    def start(self, conversation_id: str, entry: Entry | None = None) -> None:
        """Begin; the entry is finished with when the work is. Without one, the ledger alone remembers the work."""
        key = (conversation_id, entry is not None and entry.urgent)
        entries = [] if entry is None else [entry]
        if key in self._waiting:
            self._waiting[key] += entries
            return
        self._waiting[key] = entries
        task = asyncio.create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Let what has begun come to its end; what does not is cut short, and the ledger brings it back."""
        await cut_short((await asyncio.wait(self._tasks, timeout=seconds))[1] if self._tasks else ())

    async def _run(self, key: tuple[str, bool]) -> None:
        """Whatever goes wrong, the entries stay and come again. The text of an unforeseen error is never logged."""
        conversation_id, urgent = key
        begun = False
        try:
            async with self._lock(conversation_id) as mine:
                if not mine:
                    return
                async with self._places.take(urgent=urgent):
                    entries, begun = self._waiting.pop(key), True
                    await self.work(conversation_id)
            for entry in entries:
                await self.streams.ack(entry)
        except ChannelsError as problem:
            self._report(conversation_id, type(problem).__name__)
        except Exception as problem:
            self._report(conversation_id, type(problem).__name__, where(problem))
        finally:
            if not begun:
                self._waiting.pop(key, None)

    @asynccontextmanager
    async def _lock(self, conversation_id: str) -> AsyncIterator[bool]:
        deadline = asyncio.get_running_loop().time() + self.lock_seconds
        name = f"{self.kind}:{conversation_id}"
        while True:
            lock = self.streams.lock(name, self.lock_seconds)
            try:
                mine = await lock.__aenter__()
            except StreamsUnavailable:
                yield True
                return
            try:
                if mine or asyncio.get_running_loop().time() > deadline:
                    yield mine
                    return
            finally:
                await lock.__aexit__(None, None, None)
            await asyncio.sleep(LOCK_PAUSE)

    def _report(self, conversation_id: str, problem: str, place: str = "") -> None:
        self.metrics.count_failure(self.kind)
        structlog.get_logger().error(
            "work_broke_off", kind=self.kind, conversation_id=conversation_id, problem=problem, where=place
        )
