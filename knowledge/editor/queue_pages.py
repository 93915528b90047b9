"""What waits for an editor: reports of mistakes, overdue checks, and what people ask for that nothing answers."""

from __future__ import annotations

from starlette.responses import Response

from knowledge.asked import FEWEST
from knowledge.editing.drafts import Gone
from knowledge.editing.overview import names_of
from knowledge.editor.sessions import Visit
from knowledge.editor.site import Site, see_other


def still_right(site: Site, visit: Visit) -> Response:
    """POST /listings/ID/still-right: one click; the date is live a moment later."""
    service_id = visit.path("service_id")
    try:
        site.publisher.still_right(service_id, visit.editor, site.today())
    except Gone as gone:
        return site.message(visit, str(gone), 404)
    site.live.soon()
    if visit.said("show"):
        return see_other(visit, "catalogue", f"?show=overdue&checked={service_id}")
    return see_other(visit, "service", "?said=checked", service_id=service_id)


def report_here(site: Site, visit: Visit) -> Response:
    """POST /listings/ID/report: an editor heard that something is wrong."""
    service_id = visit.path("service_id")
    if site.store.listing(service_id) is None:
        return site.message(visit, "There is no listing with that name.", 404)
    try:
        site.reports.add(service_id, visit.said("wrong"), "editor")
    except ValueError:
        return site.message(visit, "Choose what is wrong, then send it again.", 422)
    return see_other(visit, "service", "?said=reported", service_id=service_id)


def show_reports(site: Site, visit: Visit) -> Response:
    """GET /problems: the oldest first."""
    listed = site.reports.open()
    names = names_of(site.store, [report.service_id for report in listed])
    rows = [
        {
            "report": report,
            "name": names.get(report.service_id, report.service_id),
            "listed": report.service_id in names,
        }
        for report in listed
    ]
    said = "Done." if visit.said("said") else ""
    return site.page(visit, "reports.html", rows=rows, words=site.words.reports, said=said)


def settle_report(site: Site, visit: Visit) -> Response:
    """POST /problems/N/done"""
    site.reports.settle(visit.number("number"), visit.editor.login)
    return see_other(visit, "reports", "?said=done")


def show_asked(site: Site, visit: Visit) -> Response:
    """GET /asked: needs and places without a good match, as counts."""
    found, hidden = site.asked.unanswered()
    return site.page(visit, "asked.html", rows=found, hidden=hidden, labels=site.labels, fewest=FEWEST)
