"""The newest published index, always: opened in the background, reloaded when an editor publishes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog

from bot.actions.toolbox import Finder
from knowledge.catalogue import Service
from knowledge.search import Found

REFRESH_SECONDS = 1.0
"""A look at the published version costs one stat; more often than this would tell nobody anything."""


class NotReady(Exception):
    """The index is not loaded yet. Rasa is told that the action failed, and a person takes over."""


class Refreshable(Finder, Protocol):
    def refresh(self) -> object: ...


class LiveSearch:
    """A Finder that is there before its index is. All calls come from one thread."""

    def __init__(
        self,
        open_search: Callable[[], Refreshable],
        clock: Callable[[], float] = time.monotonic,
        describe: Callable[[Refreshable], dict[str, Any]] = lambda search: {},
    ) -> None:
        self._open_search = open_search
        self._clock = clock
        self._describe = describe
        self._search: Refreshable | None = None
        self._looked_at = 0.0
        self._said = ""
        self._log = structlog.get_logger()

    @property
    def ready(self) -> bool:
        return self._search is not None

    def about(self) -> dict[str, Any]:
        """What an operator wants to know of the index that serves. Raises NotReady."""
        return self._describe(self._fresh())

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
        self._looked_at = self._clock()
        return True

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
        return self._fresh().find(text, near=near, now=now, limit=limit, needs=needs, exclude=exclude)

    def service(self, service_id: str) -> Service | None:
        return self._fresh().service(service_id)

    def _fresh(self) -> Refreshable:
        """The search, reloaded if there is something newer; a snapshot that cannot be read leaves the old one."""
        if self._search is None:
            raise NotReady
        if self._clock() - self._looked_at >= REFRESH_SECONDS:
            self._looked_at = self._clock()
            try:
                self._search.refresh()
            except Exception as error:
                self._log.warning("index_not_reloaded", error=type(error).__name__)
        return self._search
