"""Looking through the listings, one listing, and trying a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.responses import Response

from knowledge.editor.sessions import Visit
from knowledge.editor.site import Site
from knowledge.errors import KnowledgeError
from knowledge.hours import day_in_words, hours_in_words, is_stale, week_in_words
from knowledge.store import Listing

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


def show_catalogue(site: Site, visit: Visit) -> Response:
    """GET /"""
    need, text = visit.said("need"), visit.said("text")[:LONGEST_TEXT]
    listings = site.store.listings()
    shown = [listing for listing in listings if _fits(listing, need, text)]
    return site.page(
        visit,
        "catalogue.html",
        rows=rows_of(site, shown),
        count=len(listings),
        need=need,
        text=text,
        needs=sorted(site.labels.items(), key=lambda item: item[1]),
    )


def show_service(site: Site, visit: Visit) -> Response:
    """GET /listings/ID"""
    listing = site.store.listing(visit.path("service_id"))
    if listing is None:
        return site.message(visit, "There is no listing with that name.", 404)
    return site.page(visit, "service.html", row=rows_of(site, [listing])[0])


def try_message(site: Site, visit: Visit) -> Response:
    """GET /try"""
    text, near = visit.said("text")[:LONGEST_TEXT], visit.said("near")[:100]
    found, now = None, site.now()
    if text:
        try:
            found = site.finder.open().find(text, near=near or None, now=now, limit=MOST_TRIED)
        except KnowledgeError as error:
            return site.message(visit, str(error), 503)
    local = now.astimezone(ZoneInfo(site.settings.timezone))
    return site.page(visit, "try.html", text=text, near=near, found=found, time=f"{local:%A %H:%M}")


def rows_of(site: Site, listings: Sequence[Listing]) -> list[Row]:
    now, today, settings = site.now(), site.today(), site.settings
    rows = []
    for listing in listings:
        service = listing.service
        assured = service.assured_date
        rows.append(
            Row(
                listing=listing,
                needs=tuple((need, site.labels.get(need, need)) for need in service.needs),
                now=hours_in_words(service, now, zone=settings.timezone, stale_days=settings.stale_days),
                week=week_in_words(service.schedules),
                checked=day_in_words(assured) if assured else "not yet",
                overdue=is_stale(service, today, settings.stale_days),
            )
        )
    return rows


def _fits(listing: Listing, need: str, text: str) -> bool:
    service = listing.service
    said = " ".join([service.name, service.organisation.name, service.summary, service.description]).lower()
    return (not need or need in service.needs) and all(word in said for word in text.lower().split())
