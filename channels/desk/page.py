"""The page of one conversation, and what is said where somebody may not act on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from channels.conversation import Channel, Delivery, ServiceCard
from channels.desk import passed_over
from channels.desk.access import Opened, Standing, find_escalation
from channels.desk.agreed import agreed_of
from channels.desk.beside import gather
from channels.desk.guard import BESIDE, Site, missing, unsent_words, words_beside
from channels.desk.queue import asked_for_words, concern_words, show_list
from channels.desk.replies import SavedReply
from channels.desk.sessions import Visit
from channels.desk.story import Telling
from channels.desk.words import age_in_words, moment_in_words
from channels.gsm7 import BASIC, EXTENSION, PLAIN, WELSH
from channels.ledger.records import MessageRecord
from channels.teams import Team

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


SAID: Final = frozenset(
    {
        "summary_asked", "summary_kept", "summary_agreed", "brought_in", "draft_kept", "note_kept", "snoozed",
        "planned", "plan_changed", "plan_withdrawn", "safe_kept", "redacted", "safeguarding_kept", "named_asked",
        "named_kept", "card_sent", "taken_back",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Extra:
    """What an answer to a form adds to the page."""

    text: str | None = None
    """For the box, in the place of what was sent or kept."""
    looked: str = ""
    """What was looked for."""
    services: tuple[ServiceCard, ...] = ()
    replies: tuple[SavedReply, ...] = ()
    catalogue_away: bool = False
    address: str = ""
    """The whole number, for whoever asked to see it."""


NOTHING: Final = Extra()
NO_WORDS: Final = dict.fromkeys(BESIDE, "")


async def show_opened(
    site: Site, visit: Visit, opened: Opened, status: int = 200, *, refused: str = "", extra: Extra = NOTHING
) -> Response:
    told = await told_of(site, visit, opened)
    return site.page_for(
        visit,
        "conversation.html",
        status,
        refused=refused,
        unsent=extra.text if extra.text is not None else unsent_words(visit.request) or told["beside"].draft,
        extra=extra,
        kept=words_beside(visit.request) if status >= 400 else NO_WORDS,
        said=await _said(site, visit, opened),
        spoken=site.wording.within(opened.person.language).language,
        longest=LONGEST_REPLY,
        letters=LETTERS if opened.person.channel is Channel.SMS else None,
        **told,
    )


async def _said(site: Site, visit: Visit, opened: Opened) -> list[str]:
    """What has just been done, and whom it left waiting."""
    asked = visit.request.query_params.getlist("said")
    left = await passed_over.in_words(site, visit, opened.escalation) if passed_over.SAID in asked else ""
    return [*(site.words.say("said", key) for key in asked if key in SAID), *([left] if left else [])]


async def told_of(site: Site, visit: Visit, opened: Opened) -> dict[str, Any]:
    """What the page and its live part show of a conversation."""
    conversation, person = opened.conversation, opened.person
    messages = await _messages(site, visit, opened)
    now = site.now()
    telling = Telling(words=site.words, zone=site.zone, now=now, channel=conversation.channel)
    return {
        "opened": opened,
        "standing": opened.standing.value,
        "lines": telling.lines(messages),
        "earlier": messages[0].seq if messages and messages[0].seq > opened.reads_after + 1 else None,
        "beside": await gather(site, visit, opened, messages),
        "is_latest": not messages or messages[-1].seq == conversation.last_seq,
        "address": site.words.address(person.channel, person.address),
        "concerns": concern_words(site, opened.escalation.concerns | conversation.concerns),
        "check_later": await check_later_words(site, opened),
        "needs": tuple(dict.fromkeys((*opened.escalation.needs, *conversation.needs))),
        "asked_for": asked_for_words(site, conversation),
        "opened_age": age_in_words(opened.escalation.opened_at, now),
        "first_time": moment_in_words(conversation.created_at, now, site.zone),
        "agreed": await agreed_of(site, opened),
        "partners": await _partners(site, visit, opened),
        "undelivered": sum(message.delivery is Delivery.FAILED for message in messages),
    }


async def check_later_words(site: Site, opened: Opened) -> str:
    """Whether they hear from us by themselves after something that worried us; empty where nothing did."""
    if opened.partly or not opened.escalation.concerns | opened.conversation.concerns:
        return ""
    state = await site.ledger.check_ins.concern_state(opened.conversation.id)
    return site.words.say("check_later", state or "never")


async def _partners(site: Site, visit: Visit, opened: Opened) -> list[tuple[Team, bool]]:
    """Other teams it could be passed on to without a meeting, and whether the person said yes to each organisation.

    In line is in one's own team's sight too: that is passing on to whoever is free.
    """
    if opened.standing is not Standing.MINE or opened.introduction:
        return []
    mine = (await site.escalations.sight(visit.peer)).teams
    teams = [team for team in site.escalations.teams.all if team not in mine]
    conversation_id = opened.conversation.id
    agreed = (await site.ledger.queue.agreed([conversation_id])).get(conversation_id, frozenset()) if teams else ()
    return [(team, team.home or team.organisation in agreed) for team in teams]


async def _messages(site: Site, visit: Visit, opened: Opened) -> list[MessageRecord]:
    """The latest, or those before the one that the address names; never more than this peer worker may read."""
    before = visit.request.query_params.get("before", "")
    end = int(before) - 1 if re.fullmatch(r"[0-9]{1,9}", before) else opened.conversation.last_seq
    start = max(opened.reads_after, end - LATEST)
    return await site.ledger.messages(opened.conversation.id, start, max(0, end - start))


async def not_yours(site: Site, visit: Visit, opened: Opened | None) -> Response:
    """The lease ran out, or it was never theirs: nothing was sent, and the words are still there."""
    if opened is not None:
        return await show_opened(site, visit, opened, 409, refused=site.words.say("refused", "not_yours"))
    escalation = await find_escalation(site, visit, visit.request.path_params["conversation"])
    if escalation is None or not escalation.claimed_name:
        return missing(site, visit)
    return await refused_list(site, visit, "not_yours_taken", name=escalation.claimed_name)


async def refused_list(site: Site, visit: Visit, key: str, **values: object) -> Response:
    """The list as it is now, with why nothing was done at its top."""
    said = site.words.say("refused", key, **values)
    return await show_list(site, visit, 409, refused=said, unsent=unsent_words(visit.request))
