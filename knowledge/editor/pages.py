"""The pages: plain functions of the catalogue and a request. They run in threads, because SQL and search block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.templating import Jinja2Templates

from knowledge.errors import KnowledgeError
from knowledge.hours import day_in_words, hours_in_words, is_stale, week_in_words
from knowledge.needs import load_needs
from knowledge.search import Search
from knowledge.settings import Settings
from knowledge.store import Listing, Store

LONGEST_TEXT = 2000
MOST_TRIED = 10


@dataclass(frozen=True, kw_only=True)
class Row:
    """A listing with the words its page shows."""

    listing: Listing
    needs: tuple[tuple[str, str], ...]
    """Id and label."""
    now: str
    week: str
    checked: str
    overdue: bool


class Pages:
    """`store` is set when the application starts; the search opens with the first message that is tried."""

    store: Store

    def __init__(self, settings: Settings, templates: Jinja2Templates) -> None:
        self._settings = settings
        self._templates = templates
        self._labels = {need.id: need.label for need in load_needs(settings.content_dir / "needs.yml")}
        self._lock = Lock()
        self._search: Search | None = None

    def show_catalogue(self, request: Request) -> Response:
        need, text = request.query_params.get("need", ""), request.query_params.get("text", "")[:LONGEST_TEXT]
        listings = self.store.listings()
        shown = [listing for listing in listings if _fits(listing, need, text)]
        return self._page(
            request,
            "catalogue.html",
            {
                "rows": self._rows(shown),
                "count": len(listings),
                "need": need,
                "text": text,
                "needs": sorted(self._labels.items(), key=lambda item: item[1]),
            },
        )

    def show_service(self, request: Request) -> Response:
        listing = self.store.listing(request.path_params["service_id"])
        if listing is None:
            return self._message(request, "There is no listing with that name.", 404)
        return self._page(request, "service.html", {"row": self._rows([listing])[0]})

    def try_message(self, request: Request) -> Response:
        text = request.query_params.get("text", "")[:LONGEST_TEXT].strip()
        near = request.query_params.get("near", "")[:100].strip()
        found, now = None, datetime.now(UTC)
        if text:
            try:
                found = self._open_search().find(text, near=near or None, now=now, limit=MOST_TRIED)
            except KnowledgeError as error:
                return self._message(request, str(error), 503)
        local = now.astimezone(ZoneInfo(self._settings.timezone))
        words = {"text": text, "near": near, "found": found, "time": f"{local:%A %H:%M}", "labels": self._labels}
        return self._page(request, "try.html", words)

    def health(self, _request: Request) -> Response:
        """200 when the catalogue can be read."""
        try:
            return JSONResponse({"status": "ready", "services": len(self.store.published())})
        except Exception as error:  # whatever is wrong with the database, this is the answer
            return JSONResponse({"status": "failing", "cause": type(error).__name__}, status_code=503)

    def not_found(self, request: Request, _error: Exception) -> Response:
        return self._message(request, "There is no such page.", 404)

    def _open_search(self) -> Search:
        with self._lock:
            if self._search is None:
                self._search = Search.open(self._settings)
            else:
                self._search.refresh()
            return self._search

    def _rows(self, listings: Sequence[Listing]) -> list[Row]:
        now, settings = datetime.now(UTC), self._settings
        today = now.astimezone(ZoneInfo(settings.timezone)).date()
        rows = []
        for listing in listings:
            service = listing.service
            assured = service.assured_date
            rows.append(
                Row(
                    listing=listing,
                    needs=tuple((need, self._labels.get(need, need)) for need in service.needs),
                    now=hours_in_words(service, now, zone=settings.timezone, stale_days=settings.stale_days),
                    week=week_in_words(service.schedules),
                    checked=day_in_words(assured) if assured else "not yet",
                    overdue=is_stale(service, today, settings.stale_days),
                )
            )
        return rows

    def _page(self, request: Request, template: str, words: dict[str, Any], status: int = 200) -> Response:
        return self._templates.TemplateResponse(request, template, words, status_code=status)

    def _message(self, request: Request, text: str, status: int) -> Response:
        return self._page(request, "message.html", {"message": text}, status)


def _fits(listing: Listing, need: str, text: str) -> bool:
    service = listing.service
    said = " ".join([service.name, service.organisation.name, service.summary, service.description]).lower()
    return (not need or need in service.needs) and all(word in said for word in text.lower().split())
