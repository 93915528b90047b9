"""One conversation: the whole story, and what a peer worker can do with it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from channels.conversation import EscalationState, Reply, Sender
from channels.desk.access import WRITES, Opened, Standing, find_escalation, may_write, open_conversation
from channels.desk.guard import Site, missing, posted, unsent_words
from channels.desk.page import LONGEST_REPLY, not_yours, refused_list, show_opened, told_of
from channels.desk.queue import PRESENT_SECONDS
from channels.desk.sessions import Visit
from channels.desk.words import moment_in_words
from channels.errors import NotTaken, StreamsUnavailable
from channels.escalation import CapReached, EmptyReply, Leaving, NotYours
from channels.fitting import fit
from channels.ledger.talk_records import IntroductionState, NoteKind
from channels.pages import policy
from channels.resting import NeedsRest

REPLYING: Final = "replying"
"""News that a colleague is writing in a conversation: ids only."""
REPEATED_WITHIN: Final = timedelta(seconds=10)


async def show(site: Site, visit: Visit) -> Response:
    """GET /desk/conversations/ID; `?before=SEQ` shows what came before a message."""
    opened = await open_conversation(site, visit)
    if opened is None:
        return missing(site, visit)
    await note_read(site, opened, latest="before" not in visit.request.query_params)
    return await show_opened(site, visit, opened)


async def show_part(site: Site, visit: Visit) -> Response:
    """GET .../log: how it stands and the messages, for an open page."""
    opened = await open_conversation(site, visit)
    if opened is None:
        return PlainTextResponse("", 404)
    await note_read(site, opened, latest="seen" in visit.request.query_params)
    return site.page_for(visit, "_conversation.html", **await told_of(site, visit, opened))


async def note_read(site: Site, opened: Opened, *, latest: bool) -> None:
    """Whoever holds it has the newest messages before them: the web chat says so to the person."""
    if latest and opened.standing is Standing.MINE:
        await site.streams.has_read(opened.conversation.id, opened.conversation.last_seq)


async def take(site: Site, visit: Visit) -> Response:
    """POST .../take: of several who press it one gets the conversation, the others are told who has it."""
    escalation = await find_escalation(site, visit, visit.request.path_params["conversation"])
    if escalation is None:
        return await refused_list(site, visit, "gone")
    try:
        await site.escalations.claim(escalation.id, visit.peer, anyway=bool(posted(visit.request, "anyway")))
    except NotTaken as taken:
        key = "taken" if taken.holder_name else "gone"
        return await refused_list(site, visit, key, name=taken.holder_name)
    except CapReached as reached:
        key = "cap_with_concern" if reached.with_concern else "cap"
        return await refused_list(site, visit, key, held=reached.held)
    except Leaving:
        return await refused_list(site, visit, "leaving")
    except NeedsRest as rest:
        return show_rest(site, visit, escalation.conversation_id, rest)
    return await show_taken(site, visit, escalation.conversation_id)


async def show_taken(site: Site, visit: Visit, conversation_id: str) -> Response:
    """To the page; words that came with the press are in its box."""
    opened = await open_conversation(site, visit)
    if opened and unsent_words(visit.request):
        return await show_opened(site, visit, opened)
    return RedirectResponse(f"/desk/conversations/{conversation_id}#latest", 303)


def show_rest(site: Site, visit: Visit, wanted: str, rest: NeedsRest) -> Response:
    """They are resting, or have had several hard ones: said kindly, and theirs to decide."""
    until = moment_in_words(rest.until, site.now(), site.zone) if rest.until else ""
    return site.page_for(
        visit, "resting.html", 409, until=until, count=rest.in_a_row, wanted=wanted,
        unsent=unsent_words(visit.request),
    )  # fmt: skip


async def reply(site: Site, visit: Visit) -> Response:
    """POST .../reply with text. Whatever is wrong, the words come back in the box."""
    opened = await open_conversation(site, visit)
    if opened is None or opened.standing not in WRITES:
        return await not_yours(site, visit, opened)
    text = posted(visit.request, "text").replace("\r\n", "\n")
    if len(text) > LONGEST_REPLY:
        said = site.words.say("refused", "too_long", limit=LONGEST_REPLY)
        return await show_opened(site, visit, opened, 422, refused=said)
    fitted = fit(opened.conversation.channel, Reply(text=text), site.escalations.wording, whole=True)
    texts = [part.text for part in fitted]
    other = await answered_meanwhile(site, visit, opened)
    if texts and other:
        said = site.words.say("refused", "answered_meanwhile", name=other)
        return await show_opened(site, visit, opened, 409, refused=said)
    if not texts or not await _is_repeated(site, opened, texts):
        try:
            await site.escalations.reply(opened.escalation.id, visit.peer, *texts)
        except EmptyReply:
            return await show_opened(site, visit, opened, 422, refused=site.words.say("refused", "empty"))
        except NotYours:
            return await not_yours(site, visit, await open_conversation(site, visit))
    await site.ledger.talk.keep_draft(opened.conversation.id, visit.peer.id, "")
    return RedirectResponse(f"/desk/conversations/{opened.conversation.id}#latest", 303)


async def hand_back(site: Site, visit: Visit) -> Response:
    """POST .../hand-back: to the assistant."""
    return await _end(site, visit, "released")


async def pass_on(site: Site, visit: Visit) -> Response:
    """POST .../pass-on: to whoever takes it next, without a reason."""
    return await _end(site, visit, "passed_on")


async def close(site: Site, visit: Visit) -> Response:
    """POST .../close"""
    return await _end(site, visit, "closed")


async def offer_code(site: Site, visit: Visit) -> Response:
    """POST .../offer-code: a code with which they can carry on over another channel, in the same hands."""
    opened = await open_conversation(site, visit)
    if opened is None or opened.standing is not Standing.MINE:
        return await not_yours(site, visit, opened)
    try:
        await site.escalations.offer_code(opened.escalation.id, visit.peer)
    except NotYours:
        return await not_yours(site, visit, await open_conversation(site, visit))
    return RedirectResponse(f"/desk/conversations/{opened.conversation.id}#latest", 303)


async def renew(site: Site, visit: Visit) -> Response:
    """POST .../renew: the page is still open. 409 when the conversation is not theirs any more."""
    return Response(status_code=204 if await _renew(site, visit) else 409)


async def keep(site: Site, visit: Visit) -> Response:
    """GET .../keep: `renew` for a page without scripts, which holds this one in a frame that loads itself again."""
    kept = await _renew(site, visit)
    every = max(5, round(site.settings.lease_seconds / 3))
    response = site.page_for(visit, "keep.html", kept=kept, every=every)
    response.headers["Content-Security-Policy"] = policy(frame_ancestors="'self'")
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    if kept:
        response.headers["Refresh"] = str(every)
    return response


async def show_typing(site: Site, visit: Visit) -> Response:
    """POST .../typing: something is being written in the box. Not what; and nothing depends on it."""
    escalation = await find_escalation(site, visit, visit.request.path_params["conversation"])
    if escalation is None or not await may_write(site, visit, escalation):
        return Response(status_code=409)
    await site.streams.typing(escalation.conversation_id)
    await site.streams.changed(f"{REPLYING}:{escalation.conversation_id}.{visit.peer.id}")
    return Response(status_code=204)


async def _renew(site: Site, visit: Visit) -> bool:
    """Whoever looks at one person's page is still there for the others they are with."""
    await site.escalations.renew_all(visit.peer.id)
    escalation = await find_escalation(site, visit, visit.request.path_params["conversation"])
    if escalation is None or escalation.state is not EscalationState.HELD:
        return False
    with suppress(StreamsUnavailable):
        await site.streams.present(visit.peer.id, PRESENT_SECONDS)
    return await site.escalations.renew(escalation.id, visit.peer.id)


async def _end(site: Site, visit: Visit, how: str) -> Response:
    opened = await open_conversation(site, visit)
    if opened is None or opened.standing is not Standing.MINE:
        return await not_yours(site, visit, opened)
    if how != "passed_on" and opened.introduction and opened.introduction.state is IntroductionState.JOINED:
        said = site.words.say("refused", "guest_here", name=opened.introduction.guest_name)
        return await show_opened(site, visit, opened, 409, refused=said)
    act = {
        "released": site.escalations.release,
        "passed_on": site.escalations.pass_on,
        "closed": site.escalations.close,
    }[how]
    try:
        await act(opened.escalation.id, visit.peer)
    except NotYours:
        return await not_yours(site, visit, await open_conversation(site, visit))
    return await leave(site, visit, opened, how)


async def leave(site: Site, visit: Visit, opened: Opened, how: str) -> Response:
    """To the list, with what has been done. A hard one is counted; the list asks how they are."""
    since = opened.escalation.claimed_at
    hard = bool(opened.escalation.concerns) or any(
        note.kind is NoteKind.SAFEGUARDING and since is not None and note.at >= since for note in opened.notes
    )
    await site.ledger.care.note_ended(visit.peer.id, hard=hard)
    await site.shifts.freed_up(visit.peer)
    return RedirectResponse(f"/desk?said={how}", 303)


async def answered_meanwhile(site: Site, visit: Visit, opened: Opened) -> str:
    """The name of a colleague who has written since the page was last read; empty for nobody."""
    read = posted(visit.request, "read")
    if not read.isdecimal():
        return ""
    later = await site.ledger.messages(opened.conversation.id, int(read))
    others = (message.sender_name for message in later if message.sender is Sender.PEER)
    return next((name for name in others if name != visit.peer.name), "")


async def _is_repeated(site: Site, opened: Opened, texts: Sequence[str]) -> bool:
    """A form sent twice (a double press, a page loaded again) sends its words once."""
    last = await site.ledger.messages(opened.conversation.id, opened.conversation.last_seq - len(texts))
    said = [message.text for message in last if message.sender is Sender.PEER]
    return bool(last) and said == list(texts) and site.now() - last[0].created_at < REPEATED_WITHIN
