"""The list: who waits, in the order they should be taken, and who is with whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from starlette.responses import Response

from channels.conversation import CONCERNS_OF_NEEDS, AskedFor, Concern, EscalationState, Sender
from channels.desk import for_you
from channels.desk.guard import Site
from channels.desk.knowing import known_of
from channels.desk.sessions import Visit
from channels.desk.words import Words, age_in_words
from channels.errors import KeyLost, StreamsUnavailable
from channels.ledger.duties import LARGEST_MOST, Duty, DutyState
from channels.ledger.records import ConversationRecord, EscalationRecord, MessageRecord
from channels.pages import clock
from channels.teams import Sight

MOST_SHOWN: Final = 30
"""Rows of a list. Nobody reads further, and everybody moves up."""

PRESENT_SECONDS: Final = 90.0
LOOKED_BACK: Final = 10
SAID: Final = frozenset(
    {
        "released", "closed", "passed_on", "transferred", "nobody_waits", "options", "introduced", "left_again", "over",
        "resting", "rested", "debriefed", "keys_kept", "break_begun", "taken_back",
    }
    | {f"shift_{state}" for state in DutyState}
)  # fmt: skip
BREAKS: Final = (10, 30, 60)
"""Minutes."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Somebody on the list, in words."""

    conversation_id: str
    place: int
    since: datetime
    age: str
    channel: str
    reason: str
    concerns: tuple[str, ...]
    needs: tuple[str, ...]
    language: str
    lapsed: bool
    holder: str
    unanswered: bool
    """The last word is theirs."""
    stopped: bool
    """They wrote STOP after something that worries us."""
    unread: int = 0
    """Their newest message, where whoever holds them has not had it on a page in front yet; 0 for none."""
    begun: bool = True
    """Whoever holds them has written to them."""
    asked_for: str = ""
    """That they ask for somebody else, in words; empty for somebody who asks for themselves."""
    closed: bool = False
    """Nothing of theirs can be opened here: there is no page of theirs."""


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Everybody on the desk, each in one list. The counts are of all, also those not shown."""

    mine: list[Row]
    waiting: list[Row]
    waiting_count: int
    others: list[Row]
    others_count: int
    here: int
    """Peer workers at the desk now."""
    duty: Duty
    until: str
    """When a break is over."""

    @property
    def attention(self) -> int:
        """The number in the page's title: people waiting, and people of mine who wait for an answer."""
        return self.waiting_count + sum(row.unanswered for row in self.mine)


async def show(site: Site, visit: Visit) -> Response:
    """GET /desk"""
    asked = visit.request.query_params.getlist("said")
    said = [site.words.say("said", key) for key in asked if key in SAID]
    return await show_list(site, visit, said=said)


async def show_part(site: Site, visit: Visit) -> Response:
    """GET /desk/queue: the list alone, for an open page."""
    return site.page_for(visit, "_queue.html", lists=await make_lists(site, visit))


async def show_list(
    site: Site, visit: Visit, status: int = 200, *, said: Iterable[str] = (), refused: str = "", unsent: str = ""
) -> Response:
    lists = await make_lists(site, visit)
    return site.page_for(
        visit,
        "desk.html",
        status,
        lists=lists,
        said=list(said),
        refused=refused,
        unsent=unsent,
        for_you=await for_you.gather(site, visit),
        no_team=await site.no_team(visit),
        breaks=BREAKS,
        largest_most=LARGEST_MOST,
    )


async def make_lists(site: Site, visit: Visit) -> Lists:
    duty = await site.ledger.queue.duty(visit.peer.id)
    sight = Sight.of(site.escalations.teams, duty.teams)
    waiting, waiting_count = await _waiting(site, sight)
    held = await _visible(site, sight, await site.ledger.held_escalations(with_unreadable=True), visit)
    mine = [escalation for escalation in held if escalation.claimed_by == visit.peer.id]
    others = [escalation for escalation in held if escalation.claimed_by != visit.peer.id]
    return Lists(
        mine=[await _my_row(site, one) for one in mine],
        waiting=[await _row(site, escalation, place) for place, escalation in enumerate(waiting[:MOST_SHOWN], 1)],
        waiting_count=waiting_count,
        others=[await _row(site, escalation) for escalation in others[:MOST_SHOWN]],
        others_count=len(others),
        here=await _count_present(site, visit),
        duty=duty,
        until=clock(duty.until.astimezone(site.zone)) if duty.until else "",
    )


async def _waiting(site: Site, sight: Sight) -> tuple[list[EscalationRecord], int]:
    """The first of those they may see, and how many those are."""
    if sight.home:
        return await site.escalations.waiting(MOST_SHOWN), await site.ledger.queue.count()
    seen = await site.escalations.waiting_for(sight)
    return seen, len(seen)


async def _visible(
    site: Site, sight: Sight, escalations: list[EscalationRecord], visit: Visit | None = None
) -> list[EscalationRecord]:
    """Those that somebody may see; what they hold themselves is theirs while the person agrees to it."""
    if sight.home:
        return escalations
    agreed = await site.ledger.queue.agreed([one.conversation_id for one in escalations])
    mine = {one.id for one in escalations if visit is not None and one.claimed_by == visit.peer.id}
    return [
        one
        for one in escalations
        if (one.id in mine and await site.escalations.may_stay(one))
        or sight.sees(one, agreed.get(one.conversation_id, ()))
    ]


async def _row(site: Site, escalation: EscalationRecord, place: int = 0) -> Row:
    conversation = None if escalation.is_unreadable else await _conversation(site, escalation)
    if conversation is None:
        return closed_row(site, escalation, place)
    held = escalation.state is EscalationState.HELD
    since = escalation.claimed_at if held and escalation.claimed_at else escalation.opened_at
    words, concerns = site.words, escalation.concerns | conversation.concerns
    return Row(
        conversation_id=escalation.conversation_id,
        place=place,
        since=since,
        age=age_in_words(since, site.now()),
        channel=words.say("channel", conversation.channel),
        reason=words.say("reason", escalation.reason),
        concerns=concern_words(site, concerns),
        needs=need_words(words, (*escalation.needs, *conversation.needs), concerns),
        language=words.say("language", escalation.language) if escalation.language else "",
        lapsed=escalation.state is EscalationState.LAPSED,
        holder=escalation.claimed_name,
        unanswered=held and await _is_unanswered(site, conversation),
        stopped=escalation.reason == "stopped",
        asked_for=asked_for_words(site, conversation),
    )


async def _conversation(site: Site, escalation: EscalationRecord) -> ConversationRecord | None:
    """None where what is known of them cannot be opened."""
    try:
        return await site.ledger.conversation(escalation.conversation_id)
    except KeyLost:
        structlog.get_logger().error(
            "words_closed", escalation_id=escalation.id, conversation_id=escalation.conversation_id
        )
        return None


def closed_row(site: Site, escalation: EscalationRecord, place: int) -> Row:
    """They keep their place where everybody sees it, with why nothing of theirs is shown."""
    return Row(
        conversation_id=escalation.conversation_id,
        place=place,
        since=escalation.opened_at,
        age=age_in_words(escalation.opened_at, site.now()),
        channel=site.words.say("closed_words", "why"),
        reason=site.words.say("closed_words", "head"),
        concerns=(),
        needs=(),
        language="",
        lapsed=False,
        holder=escalation.claimed_name,
        unanswered=False,
        stopped=False,
        closed=True,
    )


def concern_words(site: Site, concerns: Iterable[Concern]) -> tuple[str, ...]:
    """In the order of the enumeration, so that a page does not change by itself."""
    return tuple(site.words.say("concern", concern) for concern in Concern if concern in frozenset(concerns))


async def _my_row(site: Site, escalation: EscalationRecord) -> Row:
    """Somebody who was taken and has not had a word since must not look as if all were said."""
    row = await _row(site, escalation)
    if row.closed:
        return row
    latest = await _latest(site, escalation.conversation_id)
    since = escalation.claimed_at
    begun = any(one.sender is Sender.PEER and (since is None or one.created_at >= since) for one in latest)
    return replace(row, unread=await _unread(site, escalation.conversation_id, latest), begun=begun)


def need_words(words: Words, needs: Iterable[str], concerns: Collection[Concern]) -> tuple[str, ...]:
    """Each once, without those that a concern beside them says already."""
    said = {need for need, concern in CONCERNS_OF_NEEDS.items() if concern in concerns}
    return tuple(words.say("need", need) for need in dict.fromkeys(needs) if need not in said)


def asked_for_words(site: Site, conversation: ConversationRecord) -> str:
    """Whom they ask for, where it is not themselves: the first question is another one then."""
    elsewhere = conversation.asked_for not in (None, AskedFor.THEMSELVES)
    return site.words.say("asked_for", str(conversation.asked_for)) if elsewhere else ""


async def _is_unanswered(site: Site, conversation: ConversationRecord) -> bool:
    last = await site.ledger.messages(conversation.id, conversation.last_seq - 1)
    return bool(last) and last[-1].sender is Sender.PERSON


async def _latest(site: Site, conversation_id: str) -> list[MessageRecord]:
    last_seq = (await site.ledger.conversation(conversation_id)).last_seq
    return await site.ledger.messages(conversation_id, max(0, last_seq - LOOKED_BACK))


async def _unread(site: Site, conversation_id: str, latest: Iterable[MessageRecord]) -> int:
    theirs = max((message.seq for message in latest if message.sender is Sender.PERSON), default=0)
    return theirs if theirs > await site.streams.read_upto(conversation_id) else 0


async def _count_present(site: Site, visit: Visit) -> int:
    """How many peer workers whom they know of have the desk open, this one included."""
    try:
        await site.streams.present(visit.peer.id, PRESENT_SECONDS)
        return len(await known_of(site, visit, await site.streams.presence()))
    except StreamsUnavailable:
        return 0
