"""Who goes first when not everybody can go at once: urgent work, then whoever has waited longest. Pure asyncio."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Line:
    """People in a line, urgent ones at its front. Whoever is cancelled while waiting drops out by themselves."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._waiting: list[tuple[bool, int, int, asyncio.Future[None]]] = []

    def join(self, *, urgent: bool, cost: int = 1) -> asyncio.Future[None]:
        """Done when it is their turn."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not urgent, next(self._numbers), cost, turn))
        return turn

    def first(self) -> int | None:
        """What the first one costs; None when nobody waits."""
        while self._waiting and self._waiting[0][3].done():
            heapq.heappop(self._waiting)
        return self._waiting[0][2] if self._waiting else None

    def call(self) -> None:
        """It is the first one's turn."""
        heapq.heappop(self._waiting)[3].set_result(None)


class Places:
    """A semaphore whose places go to urgent work first."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._line = Line()

    @asynccontextmanager
    async def take(self, *, urgent: bool = False) -> AsyncIterator[None]:
        turn = self._line.join(urgent=urgent)
        self._fill()
        try:
            await turn
            yield
        finally:
            # Cancelled while waiting: no place was given. Cancelled just after it was given: it was, and goes back.
            if not turn.cancelled():
                self._free += 1
            self._fill()

    def _fill(self) -> None:
        while self._free > 0 and self._line.first() is not None:
            self._free -= 1
            self._line.call()


class Pacer:
    """A token bucket: `rate` a second, and as many at once after a pause (at least one).

    What costs more than the bucket holds goes when it is full, and those after it wait the longer.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._tokens = self._most
        self._counted_at: float | None = None
        self._line = Line()
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, cost: int = 1, *, urgent: bool = False) -> None:
        """Returns when it may go. Urgent ones overtake all who still wait."""
        turn = self._line.join(urgent=urgent, cost=cost)
        self._move()
        await turn

    def _move(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._refill()
        while (cost := self._line.first()) is not None:
            missing = min(cost, self._most) - self._tokens
            if missing > 1e-9:
                self._timer = asyncio.get_running_loop().call_later(missing / self._rate, self._move)
                return
            self._tokens -= cost
            self._line.call()

    def _refill(self) -> None:
        now = asyncio.get_running_loop().time()
        passed = 0.0 if self._counted_at is None else now - self._counted_at
        self._tokens = min(self._most, self._tokens + passed * self._rate)
        self._counted_at = now
