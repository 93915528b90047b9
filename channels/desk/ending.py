"""How a talk ends and what stays of it: an outcome, a check-in if agreed; breaks; a person of one's own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from channels.conversation import Reply
from channels.desk.access import Opened, newest
from channels.desk.acting import back, chosen, number_posted, refuse, say, their_words
from channels.desk.beside import signposted
from channels.desk.conversations import leave
from channels.desk.guard import Site, posted
from channels.desk.later import unsafe_at
from channels.desk.page import Extra, show_opened
from channels.desk.sessions import Visit
from channels.desk.sharing import answered, last_seq
from channels.desk.words import moment_in_words
from channels.ledger.ending import Leaves
from channels.ledger.talk_records import IntroductionState, NewPlan, NoteKind, PlanKind

CONNECTED: Final = ("yes", "no", "later")
CHECK_IN_DAYS: Final = (1, 2, 3, 7, 14)
LONGEST_BREAK: Final = 24
"""Hours. A break is short, is told, and ends by itself."""
REVEAL_WHY: Final = ("danger", "call_agreed", "number_wrong")


async def finish(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../finish: what it led to, a check-in if they agreed to one, and back to the assistant."""
    if opened.introduction and opened.introduction.state is IntroductionState.JOINED:
        return await refuse(site, visit, opened, "guest_here", name=opened.introduction.guest_name)
    connected = posted(visit.request, "connected")
    if connected not in CONNECTED:
        return await refuse(site, visit, opened, "no_outcome")
    due = check_in_due(site, visit, opened) if posted(visit.request, "check_in") else None
    if isinstance(due, str):
        return await refuse(site, visit, opened, due)
    known = {*opened.escalation.needs, *opened.conversation.needs}
    messages = await site.ledger.messages(opened.conversation.id, opened.reads_after)
    body = {
        "escalation": opened.escalation.id,
        "connected": connected,
        "needs": [need for need in chosen(visit, "need") if need in known],
        "signposted": list(signposted(messages)),
    }
    leaves = Leaves(
        by=visit.peer, kind=NoteKind.OUTCOME, body=body, check_in=check_in(site, opened, due) if due else None
    )
    await site.escalations.end_with(opened.escalation.id, visit.peer, "left", leaves=leaves)
    return await leave(site, visit, opened, "closed")


def check_in_due(site: Site, visit: Visit, opened: Opened) -> datetime | str:
    """When, by day and as the person said about their phone; or why it is not right."""
    days = number_posted(visit, "days")
    if days not in CHECK_IN_DAYS:
        return "no_time"
    safe = newest(opened.notes, NoteKind.SAFE_CONTACT)
    said = (int(safe.body.get("from", 0)), int(safe.body.get("to", 24))) if safe else (0, 24)
    due = site.writing_first.day_for(site.now() + timedelta(days=days), site.zone, said)
    return unsafe_at(site, opened, due) or due


def check_in(site: Site, opened: Opened, due: datetime) -> NewPlan:
    """In words that suit what the person said about their phone."""
    safe = newest(opened.notes, NoteKind.SAFE_CONTACT)
    say_it = their_words(site, opened).say
    text = say_it("check_in_neutral") if safe and safe.body.get("neutral") else say_it("check_in")
    return NewPlan(kind=PlanKind.CHECK_IN, due_at=due, text=text)


async def reveal(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../reveal with why: the whole number, on this one answer only. Who saw it and why is in the audit first."""
    why = posted(visit.request, "why")
    if why not in REVEAL_WHY or not opened.person.address or opened.person.channel == "web":
        return await refuse(site, visit, opened, "no_reveal_reason")
    await site.ledger.audit(visit.peer.id, "address_revealed", opened.person.id, why)
    return await show_opened(site, visit, opened, extra=Extra(address=opened.person.address))


async def take_break(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../break with hours: told to the person with its end, and who is there meanwhile. A concern ends it."""
    if opened.introduction and opened.introduction.state is IntroductionState.JOINED:
        return await refuse(site, visit, opened, "guest_here", name=opened.introduction.guest_name)
    hours = number_posted(visit, "hours")
    if not 1 <= hours <= LONGEST_BREAK:
        return await refuse(site, visit, opened, "no_time")
    if opened.escalation.concerns or opened.conversation.concerns:
        return await refuse(site, visit, opened, "no_break")
    until = site.now() + timedelta(hours=hours)
    ends = moment_in_words(until, site.now(), site.zone)
    leaves = Leaves(by=visit.peer, kind=NoteKind.PAUSE, body={"until": until.isoformat(), "name": visit.peer.name})
    await site.escalations.end_with(opened.escalation.id, visit.peer, "break_told", leaves=leaves, ends=ends)
    await site.ledger.audit(visit.peer.id, "break_began", opened.conversation.id, str(hours))
    return await leave(site, visit, opened, "break_begun")


async def offer_named_peer(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../named-peer: for somebody who writes often. Asked first; `agreed` says that they want it."""
    note = newest(opened.notes, NoteKind.NAMED_PEER)
    body = {"peer": visit.peer.id, "name": visit.peer.name}
    if not posted(visit.request, "agreed"):
        words = their_words(site, opened).say("named_peer_offer", name=visit.peer.name)
        await say(site, visit, opened, Reply(text=words))
        body = {**body, "agreed": "", "seq": str(await last_seq(site, opened))}
        await site.ledger.talk.add(opened.conversation.id, NoteKind.NAMED_PEER, visit.peer.id, body)
        return back(opened, said=["named_asked"])
    if note is None or not await answered(site, opened, int(note.body.get("seq", 0))):
        return await refuse(site, visit, opened, "not_answered")
    await site.ledger.talk.add(opened.conversation.id, NoteKind.NAMED_PEER, visit.peer.id, {**body, "agreed": "yes"})
    return back(opened, said=["named_kept"])
