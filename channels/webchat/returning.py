"""Coming back to a chat: kept on this device if asked, or carried to another one with a short code.

Wrong codes are counted in this process: five in 15 minutes from one address (`pages.place_of`), a hundred from
everywhere. A code is one of 300 million and lives 15 minutes, so even many processes' worth of guesses opens nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

WINDOW_SECONDS: Final = 900.0
WRONG_FROM_ONE: Final = 5
WRONG_FROM_ALL: Final = 100


@dataclass(kw_only=True)
class Guesses:
    """Wrong codes of the last quarter of an hour."""

    clock: Callable[[], float] = time.monotonic
    _wrong: deque[tuple[float, str]] = field(default_factory=deque)

    def too_many(self, address: str) -> bool:
        while self._wrong and self._wrong[0][0] <= self.clock() - WINDOW_SECONDS:
            self._wrong.popleft()
        from_one = sum(1 for _, who in self._wrong if who == address)
        return from_one >= WRONG_FROM_ONE or len(self._wrong) >= WRONG_FROM_ALL

    def count(self, address: str) -> None:
        self._wrong.append((self.clock(), address))
