"""What is passed on, and what may be read: the person sees the summary first, and says whether earlier talks are open.

picked from their words -> corrected by the peer worker -> asked -> agreed
"""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from channels.conversation import Consent, Reply
from channels.desk.access import Opened, newest
from channels.desk.acting import back, refuse, say, their_words
from channels.desk.agreed import agreed_of
from channels.desk.agreeing import answers_after
from channels.desk.guard import Site, posted
from channels.desk.sessions import Visit
from channels.ledger.records import MessageRecord
from channels.ledger.talk_records import NoteKind

LONGEST_SUMMARY: Final = 600


async def keep_summary(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../summary: the words as corrected, for colleagues; with `ask` the person is shown them first."""
    words = " ".join(posted(visit.request, "summary").split())[:LONGEST_SUMMARY]
    if not words:
        return await refuse(site, visit, opened, "no_summary")
    asking = bool(posted(visit.request, "ask"))
    if asking:
        await say(site, visit, opened, Reply(text=their_words(site, opened).say("summary_ask", summary=words)))
    body = {"text": words, "state": "asked" if asking else "ours", "seq": await last_seq(site, opened)}
    await site.ledger.talk.add(opened.conversation.id, NoteKind.SUMMARY, visit.peer.id, body)
    return back(opened, said=["summary_asked" if asking else "summary_kept"])


async def agree_summary(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../summary-agreed: they have answered, and said that it is right."""
    note = newest(opened.notes, NoteKind.SUMMARY)
    if note is None or note.body.get("state") != "asked" or not await answered(site, opened, int(note.body["seq"])):
        return await refuse(site, visit, opened, "not_answered")
    await site.ledger.talk.add(
        opened.conversation.id, NoteKind.SUMMARY, visit.peer.id, {**note.body, "state": "agreed"}
    )
    return back(opened, said=["summary_agreed"])


async def ask_earlier(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../earlier-ask"""
    await say(site, visit, opened, Reply(text=their_words(site, opened).say("earlier_ask")))
    body = {"agreed": False, "seq": await last_seq(site, opened)}
    await site.ledger.talk.add(opened.conversation.id, NoteKind.EARLIER, visit.peer.id, body)
    return back(opened)


async def agree_earlier(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../earlier-agreed: they have answered, and it is fine with them. Who says so is in the audit."""
    note = newest(opened.notes, NoteKind.EARLIER)
    if note is None or not await answered(site, opened, int(note.body.get("seq", 0))):
        return await refuse(site, visit, opened, "not_answered")
    body = {"agreed": True, "seq": note.body.get("seq", 0)}
    await site.ledger.talk.add(opened.conversation.id, NoteKind.EARLIER, visit.peer.id, body)
    return back(opened)


async def take_back(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../taken-back with what: they said so, in whatever words; it ends at once, and they are told so."""
    try:
        what = Consent(posted(visit.request, "what"))
    except ValueError:
        return await refuse(site, visit, opened, "nothing_agreed")
    if all(one.what is not what for one in await agreed_of(site, opened)):
        return await refuse(site, visit, opened, "nothing_agreed")
    await site.ledger.consents.withdraw(opened.conversation.id, what, visit.peer.id)
    await say(site, visit, opened, Reply(text=their_words(site, opened).say(f"took_back_{what}")))
    if await site.escalations.end_unshared(opened.conversation.id):
        return RedirectResponse("/desk?said=taken_back", 303)
    return back(opened, said=["taken_back"])


async def last_seq(site: Site, opened: Opened) -> int:
    return (await site.ledger.conversation(opened.conversation.id)).last_seq


async def answered(site: Site, opened: Opened, seq: int) -> bool:
    """Whether they have said anything since."""
    later: list[MessageRecord] = await site.ledger.messages(opened.conversation.id, seq)
    return bool(answers_after(later, seq))
