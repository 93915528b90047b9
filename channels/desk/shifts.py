"""What a peer worker says of their shift, and the next person for them."""

from __future__ import annotations

from contextlib import suppress

from starlette.responses import RedirectResponse, Response

from channels.conversation import EscalationState
from channels.desk import passed_over
from channels.desk.access import find_escalation
from channels.desk.acting import number_posted
from channels.desk.guard import Site, missing, posted
from channels.desk.queue import PRESENT_SECONDS, show_list
from channels.desk.sessions import Visit
from channels.desk.words import moment_in_words
from channels.errors import StreamsUnavailable
from channels.escalation import CapReached, Leaving, NotAgreed, NotYours
from channels.ledger.duties import LARGEST_MOST, DutyState
from channels.resting import NeedsRest


async def take_next(site: Site, visit: Visit) -> Response:
    """POST /desk/take-next: whoever is first in line for them. Who should rest first can still choose from the list."""
    try:
        taken = await site.escalations.take_next(visit.peer)
    except CapReached as reached:
        key = "cap_with_concern" if reached.with_concern else "cap"
        return await refuse(site, visit, key, held=reached.held)
    except Leaving:
        return await refuse(site, visit, "leaving")
    except NeedsRest as rest:
        until = moment_in_words(rest.until, site.now(), site.zone) if rest.until else ""
        if until:
            return await refuse(site, visit, "resting", until=until)
        first = next(iter(await passed_over.front(site, visit, 1)), None)
        who = await passed_over.who_can(site, visit, first)
        return await refuse(site, visit, "several_hard", count=rest.in_a_row, who=who)
    if taken is None:
        return RedirectResponse("/desk?said=nobody_waits", 303)
    said = f"?said={passed_over.SAID}" if await passed_over.before(site, visit, taken) else ""
    return RedirectResponse(f"/desk/conversations/{taken.conversation_id}{said}#latest", 303)


async def change(site: Site, visit: Visit) -> Response:
    """POST /desk/shift with state, and minutes for a break."""
    wanted = posted(visit.request, "state")
    if wanted not in set(DutyState):
        return await refuse(site, visit, "unknown_shift")
    duty = await site.shifts.change(visit.peer, DutyState(wanted), minutes=number_posted(visit, "minutes"))
    await site.shifts.freed_up(visit.peer)
    return RedirectResponse(f"/desk?said=shift_{duty.state}", 303)


async def set_options(site: Site, visit: Visit) -> Response:
    """POST /desk/shift/options with most, and automatic when people should come by themselves."""
    most = number_posted(visit, "most")
    if not 1 <= most <= LARGEST_MOST:
        return await refuse(site, visit, "most", largest=LARGEST_MOST)
    await site.shifts.set_options(visit.peer, most, automatic=posted(visit.request, "automatic") == "on")
    await site.shifts.freed_up(visit.peer)
    return RedirectResponse("/desk?said=options", 303)


async def hand_back_rest(site: Site, visit: Visit) -> Response:
    """POST /desk/shift/hand-back: the end of a shift for whoever is left."""
    await site.shifts.hand_back_rest(visit.peer)
    return RedirectResponse("/desk?said=shift_off", 303)


async def show_sign_of_life(site: Site, visit: Visit) -> Response:
    """POST /desk/presence: a page of theirs is open, so whoever they are with stays with them."""
    with suppress(StreamsUnavailable):
        await site.streams.present(visit.peer.id, PRESENT_SECONDS)
    await site.escalations.renew_all(visit.peer.id)
    return Response(status_code=204)


async def ask_to_share(site: Site, visit: Visit) -> Response:
    """POST /desk/conversations/ID/ask-to-share with organisation: may they read this? The person decides."""
    escalation = await find_escalation(site, visit, visit.request.path_params["conversation"])
    if escalation is None or escalation.state is not EscalationState.HELD:
        return missing(site, visit)
    try:
        await site.agreeing.ask(escalation, visit.peer, posted(visit.request, "organisation"))
    except (NotAgreed, NotYours):
        return await refuse(site, visit, "not_yours")
    return RedirectResponse(f"/desk/conversations/{escalation.conversation_id}#latest", 303)


async def transfer(site: Site, visit: Visit) -> Response:
    """POST /desk/conversations/ID/transfer with team: back in line for that team, if the person agreed to it."""
    escalation = await find_escalation(site, visit, visit.request.path_params["conversation"])
    if escalation is None:
        return missing(site, visit)
    try:
        await site.escalations.transfer(escalation.id, visit.peer, posted(visit.request, "team"))
    except NotAgreed:
        return await refuse(site, visit, "not_agreed")
    except NotYours:
        return await refuse(site, visit, "not_yours")
    await site.ledger.care.note_ended(visit.peer.id, hard=bool(escalation.concerns))
    await site.shifts.freed_up(visit.peer)
    return RedirectResponse("/desk?said=transferred", 303)


async def refuse(site: Site, visit: Visit, key: str, **values: object) -> Response:
    return await show_list(site, visit, 409, refused=site.words.say("refused", key, **values))
