"""One conversation: the whole story, and what a peer worker can do with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from channels.conversation import Channel, Delivery, EscalationState, Reply, Sender
from channels.desk.access import Opened, Standing, find_escalation, open_conversation, standing_of
from channels.desk.guard import Site, missing, policy, posted, unsent_words
from channels.desk.queue import PRESENT_SECONDS, concern_words, show_list
from channels.desk.sessions import Visit
from channels.desk.story import Telling
from channels.desk.words import age_in_words, moment_in_words
from channels.errors import NotTaken, StreamsUnavailable
from channels.escalation import CapReached, EmptyReply, NotYours
from channels.fitting import fit
from channels.gsm7 import BASIC, EXTENSION, PLAIN, WELSH
from channels.ledger.records import ConversationRecord, MessageRecord

LATEST: Final = 200
"""Messages shown at first; the page offers the ones before."""

LONGEST_REPLY: Final = 2000
"""Letters: seven text messages of two segments each, more than anybody should have to read at once."""

LETTERS: Final = {
    "basic": "".join(sorted(BASIC)),
    "extension": "".join(sorted(EXTENSION)),
    "kept": "".join(sorted(WELSH)),
    "plain": PLAIN,
}
"""What the page counts text messages with: the same letters that `gsm7` counts with."""

REPEATED_WITHIN: Final = timedelta(seconds=10)


async def show(site: Site, visit: Visit) -> Response:
    """GET /desk/conversations/ID; `?before=SEQ` shows what came before a message."""
    opened = await open_conversation(site, visit)
    return await _page(site, visit, opened) if opened else missing(site, visit)


async def show_part(site: Site, visit: Visit) -> Response:
    """GET .../log: how it stands and the messages, for an open page."""
    opened = await open_conversation(site, visit)
    if opened is None:
        return PlainTextResponse("", 404)
    return site.page_for(visit, "_conversation.html", **await _told(site, visit, opened))


async def take(site: Site, visit: Visit) -> Response:
    """POST .../take: of several who press it one gets the conversation, the others are told who has it."""
    escalation = await find_escalation(site, visit.request.path_params["conversation"])
    if escalation is None:
        return await _refused(site, visit, "gone")
    try:
        await site.escalations.claim(escalation.id, visit.peer)
    except NotTaken as taken:
        key = "taken" if taken.holder_name else "gone"
        return await _refused(site, visit, key, name=taken.holder_name)
    except CapReached as reached:
        key = "cap_with_concern" if reached.with_concern else "cap"
        return await _refused(site, visit, key, held=reached.held)
    opened = await open_conversation(site, visit)
    if opened and unsent_words(visit.request):
        return await _page(site, visit, opened)
    return RedirectResponse(f"/desk/conversations/{escalation.conversation_id}#latest", 303)


async def reply(site: Site, visit: Visit) -> Response:
    """POST .../reply with text. Whatever is wrong, the words come back in the box."""
    opened = await open_conversation(site, visit)
    if opened is None or opened.standing is not Standing.MINE:
        return await _not_yours(site, visit, opened)
    text = posted(visit.request, "text").replace("\r\n", "\n")
    if len(text) > LONGEST_REPLY:
        said = site.words.say("refused", "too_long", limit=LONGEST_REPLY)
        return await _page(site, visit, opened, 422, refused=said)
    fitted = fit(opened.conversation.channel, Reply(text=text), site.escalations.wording, whole=True)
    texts = [part.text for part in fitted]
    if not texts or not await _is_repeated(site, opened, texts):
        try:
            await site.escalations.reply(opened.escalation.id, visit.peer, *texts)
        except EmptyReply:
            return await _page(site, visit, opened, 422, refused=site.words.say("refused", "empty"))
        except NotYours:
            return await _not_yours(site, visit, await open_conversation(site, visit))
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
        return await _not_yours(site, visit, opened)
    try:
        await site.escalations.offer_code(opened.escalation.id, visit.peer)
    except NotYours:
        return await _not_yours(site, visit, await open_conversation(site, visit))
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
    escalation = await find_escalation(site, visit.request.path_params["conversation"])
    if escalation is None or standing_of(escalation, visit) is not Standing.MINE:
        return Response(status_code=409)
    await site.streams.typing(escalation.conversation_id)
    return Response(status_code=204)


async def _renew(site: Site, visit: Visit) -> bool:
    escalation = await find_escalation(site, visit.request.path_params["conversation"])
    if escalation is None or escalation.state is not EscalationState.HELD:
        return False
    with suppress(StreamsUnavailable):
        await site.streams.present(visit.peer.id, PRESENT_SECONDS)
    return await site.escalations.renew(escalation.id, visit.peer.id)


async def _end(site: Site, visit: Visit, how: str) -> Response:
    opened = await open_conversation(site, visit)
    if opened is None or opened.standing is not Standing.MINE:
        return await _not_yours(site, visit, opened)
    act = {
        "released": site.escalations.release,
        "passed_on": site.escalations.pass_on,
        "closed": site.escalations.close,
    }[how]
    try:
        await act(opened.escalation.id, visit.peer)
    except NotYours:
        return await _not_yours(site, visit, await open_conversation(site, visit))
    hard = "&said=hard" if opened.escalation.concerns else ""
    return RedirectResponse(f"/desk?said={how}{hard}", 303)


async def _not_yours(site: Site, visit: Visit, opened: Opened | None) -> Response:
    """The lease ran out, or it was never theirs: nothing was sent, and the words are still there."""
    if opened is not None:
        return await _page(site, visit, opened, 409, refused=site.words.say("refused", "not_yours"))
    escalation = await find_escalation(site, visit.request.path_params["conversation"])
    if escalation is None or not escalation.claimed_name:
        return missing(site, visit)
    return await _refused(site, visit, "not_yours_taken", name=escalation.claimed_name)


async def _refused(site: Site, visit: Visit, key: str, **values: object) -> Response:
    """The list as it is now, with why nothing was done at its top."""
    said = site.words.say("refused", key, **values)
    return await show_list(site, visit, 409, refused=said, unsent=unsent_words(visit.request))


async def _is_repeated(site: Site, opened: Opened, texts: Sequence[str]) -> bool:
    """A form sent twice (a double press, a page loaded again) sends its words once."""
    last = await site.ledger.messages(opened.conversation.id, opened.conversation.last_seq - len(texts))
    said = [message.text for message in last if message.sender is Sender.PEER]
    return bool(last) and said == list(texts) and site.now() - last[0].created_at < REPEATED_WITHIN


async def _page(site: Site, visit: Visit, opened: Opened, status: int = 200, *, refused: str = "") -> Response:
    told = await _told(site, visit, opened)
    return site.page_for(
        visit,
        "conversation.html",
        status,
        refused=refused,
        unsent=unsent_words(visit.request),
        longest=LONGEST_REPLY,
        renew_every=max(5, round(site.settings.lease_seconds / 3)),
        letters=LETTERS if opened.person.channel is Channel.SMS else None,
        **told,
    )


async def _told(site: Site, visit: Visit, opened: Opened) -> dict[str, Any]:
    """What the page and its live part show of a conversation."""
    conversation, person = opened.conversation, opened.person
    messages = await _messages(site, visit, conversation)
    now = site.now()
    telling = Telling(words=site.words, zone=site.zone, now=now, channel=conversation.channel)
    return {
        "opened": opened,
        "standing": opened.standing.value,
        "lines": telling.lines(messages),
        "earlier": messages[0].seq if messages and messages[0].seq > 1 else None,
        "is_latest": not messages or messages[-1].seq == conversation.last_seq,
        "address": site.words.address(person.channel, person.address),
        "concerns": concern_words(site, opened.escalation.concerns | conversation.concerns),
        "needs": tuple(dict.fromkeys((*opened.escalation.needs, *conversation.needs))),
        "opened_age": age_in_words(opened.escalation.opened_at, now),
        "first_time": moment_in_words(conversation.created_at, now, site.zone),
        "undelivered": sum(message.delivery is Delivery.FAILED for message in messages),
    }


async def _messages(site: Site, visit: Visit, conversation: ConversationRecord) -> list[MessageRecord]:
    """The latest, or those before the one that the address names."""
    before = visit.request.query_params.get("before", "")
    end = int(before) - 1 if re.fullmatch(r"[0-9]{1,9}", before) else conversation.last_seq
    start = max(0, end - LATEST)
    return await site.ledger.messages(conversation.id, start, max(0, end - start))
