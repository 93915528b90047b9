"""For coordinators: the wall (how it stands now) and reports (how it went; there no count is small)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from starlette.responses import Response

from channels.desk import closed_doors, counts, helped
from channels.desk.guard import Site, missing
from channels.desk.knowing import known_of
from channels.desk.roles import may_coordinate
from channels.desk.sessions import Visit
from channels.desk.words import age_in_words
from channels.errors import StreamsUnavailable
from channels.ledger.counting import Days
from channels.ledger.duties import Duty, DutyState
from channels.ledger.records import EscalationRecord
from channels.teams import Sight

LONGEST: Final = 366
USUAL: Final = 14
"""Days of a report."""
CHART: Final = (640, 120)
"""Width and height of a chart."""


@dataclass(frozen=True, kw_only=True)
class Wall:
    """How it stands. `longest` is the age of whoever has waited longest."""

    waiting: int
    with_concern: int
    longest: str
    longest_with_concern: str
    within: dict[int, str]
    held: int
    here: int
    away: int


async def show_wall(site: Site, visit: Visit) -> Response:
    """GET /desk/wall"""
    if not may_coordinate(visit):
        return missing(site, visit)
    if fix := await site.no_team(visit):
        return site.page_for(visit, "refused.html", 403, said=fix, unsent="")
    return site.page_for(visit, "wall.html", wall=await _wall(site, visit))


async def show_wall_part(site: Site, visit: Visit) -> Response:
    """GET /desk/wall/now: for an open page."""
    if not may_coordinate(visit):
        return missing(site, visit)
    return site.page_for(visit, "_wall.html", wall=await _wall(site, visit))


async def show_reports(site: Site, visit: Visit) -> Response:
    """GET /desk/reports?from=2026-11-01&to=2026-11-14: of whoever runs the service."""
    if refused := await _not_theirs(site, visit):
        return refused
    first, last = _period(site, visit)
    lines = await _tallies(site, first, last)
    doors = await site.ledger.check_ins.closed_doors(*_moments(site, first, last))
    told = await site.ledger.check_ins.told(*_moments(site, first, last))
    return site.page_for(
        visit,
        "reports.html",
        first=first,
        last=last,
        span=_span(first, last),
        rows=[counts.row_of(line) for line in lines],
        totals=counts.totals(lines),
        columns=counts.COLUMNS,
        charts=[(name, _chart(counts.bars(lines, name), first, last)) for name in ("contacts", "asked", "answered")],
        chart=CHART,
        doors=closed_doors.rows_of(doors, site.words),
        doors_total=closed_doors.total(doors),
        door_columns=closed_doors.COLUMNS,
        helped=helped.rows_of(told, site.words),
        helped_totals=helped.totals(told),
        helped_columns=helped.COLUMNS,
    )


async def export(site: Site, visit: Visit) -> Response:
    """GET /desk/reports.csv, of the same days; that somebody took it along is in the audit."""
    if refused := await _not_theirs(site, visit):
        return refused
    first, last = _period(site, visit)
    rows = [counts.row_of(line) for line in await _tallies(site, first, last)]
    await site.ledger.audit(visit.peer.id, "report_exported", visit.peer.id, f"{first} {last}")
    return _file(f"report-{first}-{last}.csv", counts.as_csv(rows))


async def export_doors(site: Site, visit: Visit) -> Response:
    """GET /desk/closed-doors.csv, of the same days; in the audit as well."""
    if refused := await _not_theirs(site, visit):
        return refused
    first, last = _period(site, visit)
    doors = await site.ledger.check_ins.closed_doors(*_moments(site, first, last))
    await site.ledger.audit(visit.peer.id, "closed_doors_exported", visit.peer.id, f"{first} {last}")
    return _file(f"closed-doors-{first}-{last}.csv", closed_doors.as_csv(closed_doors.rows_of(doors, site.words)))


async def export_helped(site: Site, visit: Visit) -> Response:
    """GET /desk/helped.csv, of the same days; in the audit as well."""
    if refused := await _not_theirs(site, visit):
        return refused
    first, last = _period(site, visit)
    told = await site.ledger.check_ins.told(*_moments(site, first, last))
    await site.ledger.audit(visit.peer.id, "helped_exported", visit.peer.id, f"{first} {last}")
    return _file(f"helped-{first}-{last}.csv", helped.as_csv(helped.rows_of(told, site.words)))


async def _not_theirs(site: Site, visit: Visit) -> Response | None:
    """Reports are of whoever runs the service: for anybody else there are none. In no team is a thing to be mended."""
    if not may_coordinate(visit):
        return missing(site, visit)
    if fix := await site.no_team(visit):
        return site.page_for(visit, "refused.html", 403, said=fix, unsent="")
    return None if (await site.escalations.sight(visit.peer)).home else missing(site, visit)


def _file(name: str, words: str) -> Response:
    return Response(
        words,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _wall(site: Site, visit: Visit) -> Wall:
    sight = await site.escalations.sight(visit.peer)
    return await _whole_wall(site) if sight.home else await _their_wall(site, visit, sight)


async def _their_wall(site: Site, visit: Visit, sight: Sight) -> Wall:
    """Of another organisation: people who said yes to it, and its own colleagues."""
    now, line = site.now(), await site.escalations.waiting_for(sight)
    worried = [one for one in line if one.concerns]
    duties = await site.ledger.queue.duties()
    holders = [one.claimed_by for one in await site.ledger.held_escalations() if one.claimed_by]
    present = await _present(site)
    known = await known_of(site, visit, [*holders, *present])
    here = [one for one in present if one in known]
    on = sum(duties.get(one, Duty(peer_id=one)).state is DutyState.ON for one in here)
    return Wall(
        waiting=len(line),
        with_concern=len(worried),
        longest=_longest(line, now),
        longest_with_concern=_longest(worried, now),
        within=counts.within(()),
        held=sum(one in known for one in holders),
        here=on,
        away=len(here) - on,
    )


def _longest(line: Sequence[EscalationRecord], now: datetime) -> str:
    return age_in_words(min(one.opened_at for one in line), now) if line else ""


async def _present(site: Site) -> list[str]:
    try:
        return await site.streams.presence()
    except StreamsUnavailable:
        return []


async def _whole_wall(site: Site) -> Wall:
    now = site.now()
    line = await site.ledger.queue.oldest()
    midnight = datetime.combine(now.astimezone(site.zone).date(), time(), site.zone).astimezone(UTC)
    today = await site.ledger.queue.asked(midnight, now + timedelta(seconds=1))
    present = await _present(site)
    duties = await site.ledger.queue.duties()
    here = sum(duties.get(one, Duty(peer_id=one)).state is DutyState.ON for one in present)
    return Wall(
        waiting=await site.ledger.queue.count(),
        with_concern=line.urgent,
        longest=age_in_words(line.oldest, now) if line.oldest else "",
        longest_with_concern=age_in_words(line.oldest_urgent, now) if line.oldest_urgent else "",
        within=counts.within(today),
        held=len(await site.ledger.held_escalations()),
        here=here,
        away=len(present) - here,
    )


async def _tallies(site: Site, first: date, last: date) -> list[counts.Tally]:
    return counts.tallies(await site.ledger.queue.counted(Days.of(first, last, site.zone)), site.zone)


def _moments(site: Site, first: date, last: date) -> tuple[datetime, datetime]:
    start = datetime.combine(first, time(), site.zone).astimezone(UTC)
    return start, datetime.combine(last + timedelta(days=1), time(), site.zone).astimezone(UTC)


def _period(site: Site, visit: Visit) -> tuple[date, date]:
    """The days asked for, as far as they make sense; else the last fortnight."""
    today = site.now().astimezone(site.zone).date()
    last = _day(visit.request.query_params.get("to", "")) or today
    first = _day(visit.request.query_params.get("from", "")) or last - timedelta(days=USUAL - 1)
    first = min(first, last)
    return max(first, last - timedelta(days=LONGEST - 1)), last


def _day(words: str) -> date | None:
    try:
        day = date.fromisoformat(words) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", words) else None
    except ValueError:
        return None
    return day if day is None or (day.year > 2000 and day.year < 9000) else None


def _chart(points: list[tuple[str, int]], first: date, last: date) -> list[dict[str, Any]]:
    """Rectangles of a bar chart, in the chart's own units: each at its own day of the period."""
    width, height = CHART
    most = max((number for _, number in points), default=0) or 1
    step = width / max(USUAL, (last - first).days + 1)
    return [
        {
            "day": day,
            "number": number,
            "x": round((date.fromisoformat(day) - first).days * step + step * 0.1, 1),
            "width": round(step * 0.8, 1),
            "height": round(height * number / most, 1),
            "y": round(height - height * number / most, 1),
        }
        for day, number in points
    ]


def _span(first: date, last: date) -> tuple[str, str]:
    """'10 November', '23 November 2026'."""
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%B}{year}", f"{last.day} {last:%B %Y}"
