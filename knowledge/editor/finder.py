"""The search behind the pages: opened with the first message that is tried, and always the newest snapshot."""

from __future__ import annotations

from threading import Lock

from knowledge.search import Search
from knowledge.settings import Settings


class Finder:
    """Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._search: Search | None = None

    def open(self) -> Search:
        """Raises KnowledgeError when there is no index, naming the command that builds it."""
        with self._lock:
            if self._search is None:
                self._search = Search.open(self._settings)
            else:
                self._search.refresh()
            return self._search
