"""The newest published index: opened in the background, and reloaded there when an editor publishes.

No answer waits for an index to load. While a new one is loaded the old one answers; an answer is from one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog

from bot.actions.toolbox import Finder
from knowledge.catalogue import Service
from knowledge.search import Found


class NotReady(Exception):
    """The index is not loaded yet. Rasa is told that the action failed, and a person takes over."""


class Refreshable(Finder, Protocol):
    def refresh(self) -> object: ...


class LiveSearch:
    """A Finder that is there before its index is. `refresh` has a thread of its own; what it swaps, it swaps whole."""

    def __init__(
        self,
        open_search: Callable[[], Refreshable],
        describe: Callable[[Refreshable], dict[str, Any]] = lambda search: {},
    ) -> None:
        self._open_search = open_search
        self._describe = describe
        self._search: Refreshable | None = None
        self._said = ""
        self._log = structlog.get_logger()

    @property
    def ready(self) -> bool:
        return self._search is not None

    def about(self) -> dict[str, Any]:
        """What an operator wants to know of the index that serves. Raises NotReady."""
        return self._describe(self._opened())

    def open(self) -> bool:
        """Try to load the index and run one search, so that the first person does not wait for it. Never raises."""
        if self.ready:
            return True
        try:
            search = self._open_search()
            search.find("hello", limit=1)
        except Exception as error:
            if type(error).__name__ != self._said:
                self._said = type(error).__name__
                self._log.warning("index_not_ready", error=self._said)
            return False
        self._search = search
        return True

    def refresh(self) -> None:
        """Move on to a newer index if one was published; one that cannot be read leaves the old one. Never raises."""
        if self._search is None:
            return
        try:
            self._search.refresh()
            self._said = ""
        except Exception as error:
            if type(error).__name__ != self._said:
                self._said = type(error).__name__
                self._log.warning("index_not_reloaded", error=self._said)

    def find(
        self,
        text: str,
        *,
        near: str | None = None,
        now: datetime | None = None,
        limit: int = 3,
        needs: Sequence[str] = (),
        exclude: Collection[str] = (),
    ) -> Found:
        return self._opened().find(text, near=near, now=now, limit=limit, needs=needs, exclude=exclude)

    def service(self, service_id: str) -> Service | None:
        return self._opened().service(service_id)

    def _opened(self) -> Refreshable:
        if self._search is None:
            raise NotReady
        return self._search
