"""What is written beside a conversation and not sent: notes, mentions, safeguarding; and taking one message back."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from channels.conversation import EscalationState
from channels.desk.access import ID, Opened
from channels.desk.acting import back, chosen, leads_told, refuse
from channels.desk.guard import Site, posted
from channels.desk.knowing import may_be_asked
from channels.desk.sessions import Visit
from channels.desk.teams import answers, is_lead
from channels.escalation import QUEUE
from channels.ledger.records import PeerRecord
from channels.ledger.talk_records import NoteKind

LONGEST_NOTE: Final = 4000
MENTION: Final = re.compile(r"(?<!\w)@([^\W_]{2,40})")
TOLD: Final = ("lead", "emergency", "children", "adults", "police", "doctor", "family", "nobody_yet")


async def keep_note(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../note: for colleagues, never sent. @name asks that colleague to look."""
    text = posted(visit.request, "note").strip()[:LONGEST_NOTE]
    if not text:
        return await refuse(site, visit, opened, "empty_note")
    await site.ledger.talk.add(opened.conversation.id, NoteKind.NOTE, visit.peer.id, {"text": text})
    if MENTION.search(text):
        for peer in mentioned(text, await may_be_asked(site, visit, opened.escalation)):
            await site.ledger.care.ping(visit.peer, peer.id, "mention", opened.conversation.id)
    await site.streams.changed(QUEUE)
    return back(opened, "notes", said=["note_kept"])


def mentioned(text: str, peers: list[PeerRecord]) -> list[PeerRecord]:
    """By login or first name; a name that two share asks both."""
    names = {name.casefold() for name in MENTION.findall(text)}
    return [peer for peer in peers if answers(peer) and names & {peer.login.casefold(), peer.name.casefold()}]


async def keep_safeguarding(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../safeguarding: what worries us, who was told and when. Every lead is asked to look."""
    text = posted(visit.request, "worry").strip()[:LONGEST_NOTE]
    told = [one for one in chosen(visit, "told") if one in TOLD]
    if not text or not told:
        return await refuse(site, visit, opened, "safeguarding_missing")
    body = {"text": text, "told": told, "told_at": posted(visit.request, "told_at")[:40]}
    await site.ledger.talk.add(opened.conversation.id, NoteKind.SAFEGUARDING, visit.peer.id, body)
    for lead in await leads_told(site):
        if lead.id != visit.peer.id:
            await site.ledger.care.ping(visit.peer, lead.id, "safeguarding", opened.conversation.id)
    await site.streams.changed(QUEUE)
    return back(opened, "notes", said=["safeguarding_kept"])


async def redact(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../messages/MESSAGE/redact: its words are gone for good, for everybody. Who did it is in the audit."""
    message_id = visit.request.path_params["message"]
    mine = opened.escalation.state is EscalationState.HELD and opened.escalation.claimed_by == visit.peer.id
    if not ID.fullmatch(message_id) or not (mine or is_lead(visit.peer)):
        return await refuse(site, visit, opened, "gone")
    message = await site.ledger.message(message_id)
    readable = message is not None and message.seq > opened.reads_after
    if not readable or not await site.ledger.talk.redact(message_id, opened.conversation.id, visit.peer.id):
        return await refuse(site, visit, opened, "not_redacted")
    await site.streams.changed(opened.conversation.id)
    return back(opened, f"m-{message_id}", said=["redacted"])
