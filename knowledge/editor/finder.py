"""The search behind the pages: opened with the first message that is tried, and nearly always the newest snapshot."""

from __future__ import annotations

from threading import Lock, Thread
from typing import Final

import structlog

from knowledge.errors import IndexMissing
from knowledge.search import Search
from knowledge.settings import Settings

PATIENCE: Final = 1.0
"""Seconds that a page waits for a newer snapshot: whoever published wants to see it. After that the old one serves."""


class Finder:
    """Threads may share it."""

    def __init__(self, settings: Settings, patience: float = PATIENCE) -> None:
        self._settings = settings
        self._patience = patience
        self._lock = Lock()
        self._search: Search | None = None
        self._reload: Thread | None = None

    def open(self) -> Search:
        """Raises KnowledgeError when there is no index, naming the command that builds it."""
        with self._lock:
            if self._search is None:
                self._search = Search.open(self._settings)
                return self._search
            search = self._search
            if self._reload is None or not self._reload.is_alive():
                self._reload = Thread(target=_move_on, args=(search,), name="reload", daemon=True)
                self._reload.start()
            reload = self._reload
        reload.join(self._patience)
        return search


def _move_on(search: Search) -> None:
    """A snapshot that cannot be read leaves the old one serving."""
    try:
        search.refresh()
    except IndexMissing as error:
        structlog.get_logger().warning("index_not_reloaded", error=type(error).__name__)
