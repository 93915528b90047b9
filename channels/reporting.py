"""Mistakes in listings, told to the editors: HTTP to their queue, again and again until they have it.

    desk ("this number is wrong") --+
                                    +--> ledger (listing_reports) --> POST {editor}/reports
    bot ("that number doesn't work")+

A report is in the ledger before anybody is thanked for it, so nothing is lost while the editor is away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import httpx
import structlog

from channels.errors import EditorAway
from channels.ledger import Ledger
from channels.ledger.listing_reports import ListingReport

PATH: Final = "/reports"
EVERY: Final = 15.0
"""Seconds between two looks at what is due."""
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
GIVEN_UP_AFTER: Final = timedelta(days=30)
REFUSED: Final = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY})
"""The editor has read it and will never take it: a listing that is not there any more, a word it does not know."""


class Tells(Protocol):
    """Whoever takes reports."""

    async def report(self, report: ListingReport) -> bool:
        """True when it is in the editors' queue, False when it never will be. Raises EditorAway."""


class EditorQueue:
    """The editor's POST /reports. Holds a connection pool; `close` frees it."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/") + PATH
        self._token = token
        self._client = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=10.0, trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def report(self, report: ListingReport) -> bool:
        """True when it is in the queue, False when the editor will never take it. Raises EditorAway."""
        if not self._token:
            raise EditorAway("no_token")
        body = {"service": report.service_id, "wrong": report.wrong, "source": report.source}
        try:
            response = await self._client.post(self._url, json=body)
        except httpx.HTTPError as error:
            raise EditorAway(type(error).__name__) from None
        if response.status_code == httpx.codes.CREATED:
            return True
        if response.status_code in REFUSED:
            return False
        raise EditorAway(f"status_{response.status_code}")


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """Every worker has one; a report that one of them is telling is not told by another."""

    ledger: Ledger
    editor: Tells
    clock: Callable[[], datetime]

    async def tell(self) -> int:
        """How many reports the editors got. Raises LedgerUnavailable."""
        told = 0
        for report in await self.ledger.listing_reports.take():
            told += await self._tell_one(report)
        return told

    async def _tell_one(self, report: ListingReport) -> bool:
        log, reports = structlog.get_logger().bind(report=report.id), self.ledger.listing_reports
        try:
            taken = await self.editor.report(report)
        except EditorAway as away:
            if self.clock() - report.noticed_at > GIVEN_UP_AFTER:
                log.error("report_given_up", cause=str(away))
                await reports.settle(report.id, "given_up")
                return False
            log.warning("report_put_off", cause=str(away), tries=report.tries)
            await reports.put_off(report.id, self.clock() + pause_after(report.tries))
            return False
        if not taken:
            log.warning("report_refused", service=report.service_id, wrong=report.wrong)
        await reports.settle(report.id, "told" if taken else "refused")
        return taken


def pause_after(tries: int) -> timedelta:
    """Half a minute, then twice as long each time, up to an hour."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * int(2 ** min(tries - 1, 10)))
