"""Looking through the listings, one listing, and trying a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.responses import Response

from knowledge.catalogue import Status
from knowledge.editing.drafts import Draft, State
from knowledge.editor.assistant import ask_assistant
from knowledge.editor.sessions import Visit
from knowledge.editor.site import Site, see_other
from knowledge.errors import KnowledgeError
from knowledge.hours import day_in_words, hours_in_words, is_stale, week_in_words
from knowledge.store import Listing

LONGEST_TEXT = 2000
MOST_TRIED = 10
PAGE = 50
"""Listings on a page."""
SHOWS = {
    "": "everything",
    "overdue": "checks that are overdue",
    "drafts": "drafts",
    "review": "waiting for review",
    "problems": "problems reported",
    "never": "never suggested (3 months)",
    "closed": "suggested and closed",
    "published": "published",
}


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
    need, text, show = visit.said("need"), visit.said("text")[:LONGEST_TEXT], visit.said("show")
    listings = site.store.listings()
    drafts = {draft.service_id: draft for draft in site.drafts.all_open()}
    chosen = _chosen(site, show, listings, drafts)
    found = [listing for listing in chosen if _fits(listing, need, text)]
    page = max(1, int(asked)) if (asked := visit.said("page")[:6]).isdecimal() else 1
    shown = found[(page - 1) * PAGE : page * PAGE]
    new = [draft for draft in drafts.values() if show in {"drafts", "review"} and _is_new(draft, show, listings)]
    said = "Marked as checked today." if visit.said("checked") else ""
    return site.page(
        visit,
        "catalogue.html",
        rows=rows_of(site, shown),
        drafts=drafts,
        new=new,
        found=len(found) + len(new),
        count=len(listings),
        query={"need": need, "text": text, "show": show},
        page=page,
        pages=max(1, -(-len(found) // PAGE)),
        shows=SHOWS,
        needs=sorted(site.labels.items(), key=lambda item: item[1]),
        said=said,
    )


def _chosen(site: Site, show: str, listings: Sequence[Listing], drafts: Mapping[str, Draft]) -> list[Listing]:
    """The listings of one of SHOWS; all of them for anything else."""
    given = site.asked.suggested() if show in {"never", "closed"} else {}
    troubled = {report.service_id for report in site.reports.open()} if show == "problems" else set()
    today, stale = site.today(), site.settings.stale_days
    tests: dict[str, Callable[[Listing], bool]] = {
        "overdue": lambda each: (
            each.published and (each.service.assured_date is None or is_stale(each.service, today, stale))
        ),
        "drafts": lambda each: each.service.id in drafts,
        "review": lambda each: each.service.id in drafts and drafts[each.service.id].state is State.REVIEW,
        "problems": lambda each: each.service.id in troubled,
        "never": lambda each: each.published and each.service.id not in given,
        "closed": lambda each: (
            each.service.id in given and (not each.published or each.service.status is not Status.ACTIVE)
        ),
        "published": lambda each: each.published,
    }
    test = tests.get(show)
    return [listing for listing in listings if test is None or test(listing)]


def _is_new(draft: Draft, show: str, listings: Sequence[Listing]) -> bool:
    """A draft of something that is no listing yet."""
    known = {listing.service.id for listing in listings}
    return draft.service_id not in known and (show == "drafts" or draft.state is State.REVIEW)


def show_service(site: Site, visit: Visit) -> Response:
    """GET /listings/ID"""
    service_id = visit.path("service_id")
    listing = site.store.listing(service_id)
    if listing is None:
        if site.drafts.open(service_id):
            return see_other(visit, "edit", service_id=service_id)
        return site.message(visit, "There is no listing with that name.", 404)
    said = {"checked": "Marked as checked today.", "reported": "Thank you. It is in the list of problems."}
    return site.page(
        visit,
        "service.html",
        row=rows_of(site, [listing])[0],
        draft=site.drafts.open(service_id),
        suggested=site.asked.suggested().get(service_id, 0),
        reports=site.reports.open(service_id),
        kinds=site.words.reports,
        languages=[site.words.languages.get(code, code) for code in listing.service.languages],
        area=site.words.choices["area"][listing.service.area.value],
        who=site.name_of(listing.updated_by),
        said=said.get(visit.said("said"), ""),
    )


def try_message(site: Site, visit: Visit) -> Response:
    """GET /try"""
    text, near = visit.said("text")[:LONGEST_TEXT], visit.said("near")[:100]
    found, heard, now = None, None, site.now()
    if text:
        try:
            found = site.finder.open().find(text, near=near or None, now=now, limit=MOST_TRIED)
        except KnowledgeError as error:
            return site.message(visit, str(error), 503)
        heard = ask_assistant(site.settings, text)
    local = now.astimezone(ZoneInfo(site.settings.timezone))
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


def _fits(listing: Listing, need: str, text: str) -> bool:
    service = listing.service
    said = " ".join([service.name, service.organisation.name, service.summary, service.description]).lower()
    return (not need or need in service.needs) and all(word in said for word in text.lower().split())
