"""What this process holds in memory of conversations, for a while. Python 3.10."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import List, Optional, Tuple


class Recent:
    """The conversations of this process, least recently used ones dropped first."""

    def __init__(self, most: int, keep_seconds: float) -> None:
        self._most = most
        self._keep = keep_seconds
        self._items: OrderedDict[str, Tuple[float, str]] = OrderedDict()

    def put(self, key: str, value: str) -> None:
        self._items[key] = (time.monotonic(), value)
        self._items.move_to_end(key)
        while len(self._items) > self._most:
            self._items.popitem(last=False)

    def get(self, key: str) -> Optional[str]:
        written, value = self._items.get(key, (0.0, ""))
        if not value or time.monotonic() - written > self._keep:
            self.drop(key)
            return None
        return value

    def drop(self, key: str) -> None:
        self._items.pop(key, None)

    def keys(self) -> List[str]:
        return list(self._items)
