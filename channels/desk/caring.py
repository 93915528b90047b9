"""Looking after whoever answers people: a two-minute debrief, a rest that the queue respects, a colleague to ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.responses import RedirectResponse, Response

from channels.desk.access import find_escalation, find_standing
from channels.desk.acting import number_posted
from channels.desk.guard import Site, posted
from channels.desk.knowing import colleague, colleagues_of
from channels.desk.queue import show_list
from channels.desk.sessions import Visit
from channels.escalation import QUEUE
from channels.resting import is_debrief_due

RESTS: Final = (5, 15, 30, 60)
"""Minutes."""


async def show_debrief(site: Site, visit: Visit) -> Response:
    """GET /desk/debrief: three questions to oneself. Nothing of the answers is asked for, sent or kept."""
    colleagues = await colleagues_of(site, visit)
    care = await site.ledger.care.of(visit.peer.id)
    hard = is_debrief_due(care, site.now())
    return site.page_for(visit, "debrief.html", colleagues=colleagues, care=care, hard=hard, rests=RESTS)


async def finish_debrief(site: Site, visit: Visit) -> Response:
    """POST /desk/debrief: done, with a rest and a colleague asked to ring or look in, if wanted."""
    await site.ledger.care.debriefed(visit.peer.id)
    minutes = number_posted(visit, "minutes")
    if minutes in RESTS:
        await site.ledger.care.rest(visit.peer.id, site.now() + timedelta(minutes=minutes))
    buddy = await colleague(site, visit, posted(visit.request, "buddy"))
    if buddy is not None:
        await site.ledger.care.ping(visit.peer, buddy.id, "buddy")
    await site.streams.changed(QUEUE)
    return RedirectResponse(f"/desk?said={'resting' if minutes in RESTS else 'debriefed'}", 303)


async def rest(site: Site, visit: Visit) -> Response:
    """POST /desk/rest: for so many minutes; none ends it."""
    minutes = number_posted(visit, "minutes")
    until = site.now() + timedelta(minutes=minutes) if minutes in RESTS else None
    await site.ledger.care.rest(visit.peer.id, until)
    await site.streams.changed(QUEUE)
    return RedirectResponse(f"/desk?said={'resting' if until else 'rested'}", 303)


async def use_keys(site: Site, visit: Visit) -> Response:
    """POST /desk/keys: whether single letters do something for this peer worker."""
    await site.ledger.care.use_single_keys(visit.peer.id, bool(posted(visit.request, "on")))
    return RedirectResponse("/desk?said=keys_kept", 303)


async def see_ping(site: Site, visit: Visit) -> Response:
    """POST /desk/pings/PING: seen; one that has a conversation leads there."""
    ping_id = visit.request.path_params["ping"]
    found = next((ping for ping in await site.ledger.care.pings(visit.peer.id) if ping.id == ping_id), None)
    if found is None:
        return await show_list(site, visit, 409, refused=site.words.say("refused", "gone"))
    await site.ledger.care.seen(ping_id, visit.peer.id)
    if not found.conversation_id:
        return RedirectResponse("/desk", 303)
    return await lead_to(site, visit, found.conversation_id)


async def end_snooze(site: Site, visit: Visit) -> Response:
    """POST /desk/snoozes/PLAN: looked at; leads to the conversation."""
    plan_id = visit.request.path_params["plan"]
    found = [plan for plan in await site.ledger.planned.snoozes(visit.peer.id, site.now()) if plan.id == plan_id]
    if not found:
        return await show_list(site, visit, 409, refused=site.words.say("refused", "gone"))
    await site.ledger.planned.withdraw(plan_id, found[0].conversation_id, visit.peer.id)
    return await lead_to(site, visit, found[0].conversation_id)


async def lead_to(site: Site, visit: Visit, conversation_id: str) -> Response:
    """To the conversation; where it is over, or not theirs to see, the list says so."""
    escalation = await find_escalation(site, visit, conversation_id)
    introduction = await site.ledger.introductions.current(escalation.id) if escalation else None
    if escalation is None or await find_standing(site, visit, escalation, introduction) is None:
        return RedirectResponse("/desk?said=over", 303)
    return RedirectResponse(f"/desk/conversations/{conversation_id}", 303)
