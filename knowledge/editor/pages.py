"""Looking through the listings, one listing, and trying a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.responses import Response

from knowledge.editing.drafts import OPEN, State
from knowledge.editing.overview import Wanted, read_page, shows
from knowledge.editor.assistant import Tried, ask_assistant
from knowledge.editor.sessions import Visit
from knowledge.editor.site import Site, see_other
from knowledge.errors import KnowledgeError
from knowledge.hours import day_in_words, hours_in_words, is_stale, week_in_words
from knowledge.search import Found
from knowledge.store import Listing

LONGEST_TEXT = 2000
MOST_TRIED = 10
PAGE = 50
"""Listings on a page."""
SHOWS = {
    "": "everything",
    "overdue": "checks that are overdue",
    "unpublished": "not published",
    "drafts": "drafts",
    "review": "waiting for review",
    "problems": "problems reported",
    "never": "never suggested (3 months)",
    "closed": "suggested and closed",
    "published": "published",
}
FOR_READERS = ("", "overdue", "problems", "published")
"""What does not lead to drafts, which are between editors."""
WITH_NEW = {"drafts": OPEN, "review": (State.REVIEW,)}
"""Where drafts are shown of what is no listing yet."""


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
    """GET /: by need, by words, and by what there is to do."""
    choices = {key: words for key, words in SHOWS.items() if visit.editor.may_edit or key in FOR_READERS}
    show = said if (said := visit.said("show")) in choices else ""
    wanted = Wanted(show=show, need=visit.said("need"), text=visit.said("text")[:LONGEST_TEXT])
    page = max(1, int(asked)) if (asked := visit.said("page")[:6]).isdecimal() else 1
    test = shows(site.asked, site.today(), site.settings.stale_days).get(wanted.show)
    shown = read_page(site.store, wanted, test, page, PAGE)
    new = site.drafts.open_new(WITH_NEW.get(wanted.show, ()))
    note = "Marked as checked today." if visit.said("checked") else ""
    return site.page(
        visit,
        "catalogue.html",
        rows=rows_of(site, shown.listings),
        drafts=site.drafts.open_of([listing.service.id for listing in shown.listings]),
        new=new,
        found=shown.found + len(new),
        count=shown.count,
        query={"need": wanted.need, "text": wanted.text, "show": wanted.show},
        page=page,
        pages=max(1, -(-shown.found // PAGE)),
        shows=choices,
        needs=sorted(site.labels.items(), key=lambda item: item[1]),
        said=note,
    )


def show_service(site: Site, visit: Visit) -> Response:
    """GET /listings/ID"""
    service_id = visit.path("service_id")
    listing = site.store.listing(service_id)
    if listing is None:
        if site.drafts.open(service_id):
            return see_other(visit, "edit", service_id=service_id)
        return site.message(visit, "There is no listing with that name.", 404)
    said = {
        "checked": "Marked as checked today.",
        "reported": "Thank you. It is in the list of problems.",
        "same": "That revision says what this listing says now, so there is nothing to change.",
    }
    return site.page(
        visit,
        "service.html",
        row=rows_of(site, [listing])[0],
        draft=site.drafts.open(service_id),
        suggested=site.asked.suggested().get(service_id, 0),
        reports=site.reports.open(service_id),
        waits_for=site.waits_for(listing),
        kinds=site.words.reports,
        languages=[site.words.languages.get(code, code) for code in listing.service.languages],
        area=site.words.choices["area"][listing.service.area.value],
        who=site.name_of(listing.updated_by),
        said=said.get(visit.said("said"), ""),
    )


def show_try(site: Site, visit: Visit) -> Response:
    """GET /try. It takes nothing from its address: what somebody wrote would stay in the browser's history."""
    return _tried(site, visit)


def try_message(site: Site, visit: Visit) -> Response:
    """POST /try"""
    text, near = visit.said("text")[:LONGEST_TEXT], visit.said("near")[:100]
    if not text:
        return _tried(site, visit, near=near)
    try:
        found = site.finder.open().find(text, near=near or None, now=site.now(), limit=MOST_TRIED)
    except KnowledgeError as error:
        return site.message(visit, str(error), 503)
    return _tried(site, visit, text=text, near=near, found=found, heard=ask_assistant(site.settings, text))


def _tried(
    site: Site, visit: Visit, *, text: str = "", near: str = "", found: Found | None = None, heard: Tried | None = None
) -> Response:
    local = site.now().astimezone(ZoneInfo(site.settings.timezone))
    return site.page(visit, "try.html", text=text, near=near, found=found, heard=heard, time=f"{local:%A %H:%M}")


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
