"""Saved replies, kept by leads: every language beside English, checked before they are kept, with who changed them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from channels.desk.guard import Site, missing, posted
from channels.desk.page import LETTERS
from channels.desk.replies import ENGLISH, SavedReplies, SavedReply
from channels.desk.reply_rules import problems
from channels.desk.sessions import Visit
from channels.desk.words import moment_in_words
from channels.ledger.database import new_id
from channels.ledger.saved_replies import ChangedMeanwhile, ReplyChange, ReplyWords

HERE: Final = "/desk/replies"
NEW: Final = "new"
LONGEST: Final = {"title": 80, "about": 200, "text": 1000}


async def replies_now(site: Site) -> SavedReplies:
    """Those that came with the product, as they have been changed since."""
    return site.replies.with_changes(await site.ledger.saved_replies.newest())


def languages_of(site: Site) -> tuple[str, ...]:
    return (ENGLISH, *(one for one in site.wording.others if one != ENGLISH))


def language_of(site: Site, spoken: str | None) -> str:
    """That of the conversation, where there can be replies in it."""
    return site.wording.within(spoken).language


async def show_list(site: Site, visit: Visit) -> Response:
    """GET /desk/replies?find=..."""
    words = visit.request.query_params.get("find", "")[: LONGEST["about"]]
    changes = await site.ledger.saved_replies.newest()
    replies = site.replies.with_changes(changes)
    found = [
        (reply, [language for language in languages_of(site) if language not in replies.words_of(reply.id)])
        for reply in replies.every(words)
    ]
    gone = {change.reply_id: change.title for change in changes if not replies.words_of(change.reply_id)}
    said = site.words.groups["replies"].get(visit.request.query_params.get("said", ""), "")
    return site.page_for(visit, "replies.html", found=found, gone=gone, looked=words, said=said)


async def show_one(site: Site, visit: Visit) -> Response:
    """GET /desk/replies/REPLY, or .../new"""
    return await _page(site, visit, visit.request.path_params["reply"])


async def keep(site: Site, visit: Visit) -> Response:
    """POST /desk/replies/REPLY/LANGUAGE with title, about, text and seen; `remove` takes the words away."""
    reply_id, language = visit.request.path_params["reply"], visit.request.path_params["language"]
    known = (await replies_now(site)).words_of(reply_id)
    history = await site.ledger.saved_replies.history(reply_id)
    if language not in languages_of(site) or not (known or history or reply_id == NEW):
        return missing(site, visit)
    removing = bool(posted(visit.request, "remove"))
    if removing and language not in known:
        return missing(site, visit)
    typed = {name: posted(visit.request, name).strip()[:most] for name, most in LONGEST.items()}
    text = re.sub(r"[ \t]*\r?\n", "\n", typed["text"])
    reply = SavedReply(id=reply_id, title=typed["title"], about=typed["about"], text=text, language=language)
    wrong = [] if removing else list(problems(reply, site.rules, samples(site)))
    if wrong:
        said = [site.words.say("replies", key, **values) for key, values in wrong]
        return await _page(site, visit, reply_id, 422, wrong=said, typed=reply)
    kept_id = new_id() if reply_id == NEW else reply_id
    words = ReplyWords(
        reply_id=kept_id, language=language, title=reply.title, about=reply.about, text=reply.text, removed=removing
    )
    seen = posted(visit.request, "seen")
    try:
        await site.ledger.saved_replies.keep(words, visit.peer, int(seen) if re.fullmatch("[0-9]{1,9}", seen) else 0)
    except ChangedMeanwhile:
        return await _page(site, visit, reply_id, 409, wrong=[site.words.say("replies", "meanwhile")], typed=reply)
    return RedirectResponse(f"{HERE}?said={'removed' if removing else 'kept'}", 303)


def samples(site: Site) -> Mapping[str, str]:
    """A long value for each variable: what is counted with them fits with any."""
    crisis = site.wording.crisis
    return {
        "name": "Bartholomew",
        "service": "Wrenbridge Community Advice Centre",
        "emergency": crisis.emergency,
        "line": max((line.say for line in crisis.lines), key=len),
    }


async def _page(site: Site, visit: Visit, reply_id: str, status: int = 200, **values: Any) -> Response:
    """One reply in every language, English first; `typed` stands in the place of what is kept."""
    known = (await replies_now(site)).words_of(reply_id)
    history = await site.ledger.saved_replies.history(reply_id)
    if not (known or history or reply_id == NEW):
        return missing(site, visit)
    typed: SavedReply | None = values.pop("typed", None)
    seen = {change.language: change.number for change in reversed(history)}
    empty = SavedReply(id=reply_id, title="", text="")
    forms = [
        (language, typed if typed and typed.language == language else known.get(language, empty), seen.get(language, 0))
        for language in languages_of(site)
    ]
    return site.page_for(
        visit,
        "reply.html",
        status,
        reply_id=reply_id,
        title=next((reply.title for reply in known.values()), history[0].title if history else ""),
        forms=forms,
        kept=frozenset(known),
        history=[_told(site, change) for change in history],
        letters=LETTERS,
        samples=dict(samples(site)),
        longest=LONGEST,
        **{"wrong": [], **values},
    )


def _told(site: Site, change: ReplyChange) -> str:
    key = "change_removed" if change.removed else "change_made"
    when = moment_in_words(change.at, site.now(), site.zone)
    return site.words.say(
        "replies", key, name=change.by_name, when=when, language=site.words.say("language", change.language)
    )
