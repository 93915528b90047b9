"""Everything that stands beside a conversation, gathered for its page. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from channels.conversation import Sender
from channels.desk.access import Opened, Standing, newest
from channels.desk.agreeing import agreed_after, answers_after
from channels.desk.guard import Site
from channels.desk.knowing import colleagues_of
from channels.desk.sessions import Visit
from channels.desk.summary import summarise
from channels.desk.words import moment_in_words
from channels.ledger.records import MessageRecord, PeerRecord
from channels.ledger.talk_records import CareRecord, IntroductionState, NoteKind, NoteRecord, PlanRecord
from channels.teams import Team

OFTEN: Final = 4
"""Times somebody was brought to a person within OFTEN_WITHIN, after which a person of their own is offered."""
OFTEN_WITHIN: Final = timedelta(days=14)


UNASKED: Final = {"ok": "", "from": 0, "to": 24, "neutral": False}
"""What we know of whether it is safe to text them first, before anybody has asked."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`state`: picked (from their words), ours (corrected), asked, answered (they wrote since), agreed."""

    text: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A talk that has ended, in words."""

    when: str
    name: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """An introduction that is going on. `step`: offered, joined, spoken, answered, agreed."""

    step: str
    from_name: str
    to_name: str
    since: str
    mine: bool


@dataclass(frozen=True, kw_only=True)
class Note:
    """A private note or a safeguarding note, in words."""

    kind: str
    author: str
    when: str
    text: str
    told: tuple[str, ...] = ()
    told_at: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Something planned. `held`: its time came and it was not sent."""

    id: str
    kind: str
    name: str
    text: str
    when: str
    held: bool


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What the templates draw."""

    summary: Summary
    earlier: tuple[Earlier, ...]
    earlier_state: str
    """none, hidden, asked, answered or open."""
    meeting: Meeting | None
    colleagues: tuple[PeerRecord, ...]
    teams: tuple[Team, ...]
    notes: tuple[Note, ...]
    plans: tuple[Plan, ...]
    safe: dict[str, Any]
    named_peer: str
    often: bool
    break_until: str
    signposted: tuple[str, ...]
    draft: str
    last_seq: int
    care: CareRecord


async def gather(site: Site, visit: Visit, opened: Opened, messages: Sequence[MessageRecord]) -> Beside:
    conversation_id = opened.conversation.id
    peers = {peer.id: peer for peer in await site.ledger.peers()}
    since = site.now() - OFTEN_WITHIN
    named = newest(opened.notes, NoteKind.NAMED_PEER)
    safe = newest(opened.notes, NoteKind.SAFE_CONTACT)
    plans = await site.ledger.planned.waiting(conversation_id)
    return Beside(
        summary=summary_of(opened, messages),
        earlier=() if opened.partly else tuple(earlier_of(site, opened)),
        earlier_state=earlier_state(opened, messages),
        meeting=meeting_of(site, opened, messages),
        colleagues=tuple(await colleagues_of(site, visit)),
        teams=site.escalations.teams.all,
        notes=tuple(note_of(site, note, peers) for note in opened.notes if may_read(note, opened)),
        plans=tuple(plan_of(site, plan) for plan in plans),
        safe={**UNASKED, **(safe.body if safe else {})},
        named_peer=str(named.body.get("name", "")) if named and named.body.get("agreed") else "",
        often=await site.ledger.talk.times_asked(conversation_id, since) >= OFTEN,
        break_until=break_of(site, opened),
        signposted=signposted(messages),
        draft=await site.ledger.talk.draft(conversation_id, visit.peer.id),
        last_seq=messages[-1].seq if messages else opened.conversation.last_seq,
        care=await site.ledger.care.of(visit.peer.id),
    )


def may_read(note: NoteRecord, opened: Opened) -> bool:
    """Notes follow the words they are about; what worried us stays in sight of everybody of ours."""
    if opened.partly:
        return False
    if note.kind is NoteKind.SAFEGUARDING:
        return True
    return note.kind is NoteKind.NOTE and not (opened.reads_after and is_older(note, opened))


def summary_of(opened: Opened, messages: Sequence[MessageRecord]) -> Summary:
    """The newest words that somebody corrected, else what is picked now from what may be read."""
    note = newest(opened.notes, NoteKind.SUMMARY)
    if note is None or is_older(note, opened):
        return Summary(text=summarise(messages), state="picked")
    state = str(note.body.get("state", "ours"))
    if state == "asked" and answers_after(messages, int(note.body.get("seq", 0))):
        state = "agreed?" if agreed_after(messages, int(note.body.get("seq", 0))) else "answered"
    return Summary(text=str(note.body.get("text", "")), state=state)


def is_older(note: NoteRecord, opened: Opened) -> bool:
    """From a talk before this one."""
    ended = opened.earlier[0].closed_at if opened.earlier else None
    return ended is not None and note.at <= ended


def earlier_of(site: Site, opened: Opened) -> list[Earlier]:
    outcomes = [note for note in opened.notes if note.kind is NoteKind.OUTCOME]
    found = []
    for talk in opened.earlier:
        outcome = next((note for note in outcomes if note.body.get("escalation") == talk.id), None)
        connected = str(outcome.body.get("connected", "")) if outcome else ""
        found.append(
            Earlier(
                when=moment_in_words(talk.closed_at or talk.opened_at, site.now(), site.zone),
                name=talk.claimed_name,
                outcome=site.words.say("connected", connected) if connected else "",
            )
        )
    return found


def earlier_state(opened: Opened, messages: Sequence[MessageRecord]) -> str:
    """Whether what was said then can be read, and if not how far asking has come."""
    if not opened.earlier or opened.partly:
        return "none"
    if not opened.reads_after:
        return "open"
    note = newest(opened.notes, NoteKind.EARLIER)
    if note is None or is_older(note, opened):
        return "hidden"
    return "answered" if answers_after(messages, int(note.body.get("seq", 0))) else "asked"


def meeting_of(site: Site, opened: Opened, messages: Sequence[MessageRecord]) -> Meeting | None:
    introduction = opened.introduction
    if introduction is None:
        return None
    step = introduction.state.value
    if introduction.state is IntroductionState.JOINED and introduction.spoke_seq is not None:
        answers = answers_after(messages, introduction.spoke_seq)
        agreed = agreed_after(messages, introduction.spoke_seq)
        step = "agreed" if agreed else "answered" if answers else "spoken"
    return Meeting(
        step=step,
        from_name=introduction.from_name,
        to_name=introduction.guest_name or introduction.to_name,
        since=moment_in_words(introduction.joined_at or introduction.offered_at, site.now(), site.zone),
        mine=opened.standing is Standing.MINE,
    )


def note_of(site: Site, note: NoteRecord, peers: dict[str, PeerRecord]) -> Note:
    author = peers.get(note.author_id)
    return Note(
        kind=note.kind.value,
        author=author.name if author else "",
        when=moment_in_words(note.at, site.now(), site.zone),
        text=str(note.body.get("text", "")),
        told=tuple(site.words.say("told", str(one)) for one in note.body.get("told", ())),
        told_at=told_at(site, note),
    )


def told_at(site: Site, note: NoteRecord) -> str:
    """When somebody was told, in words; nothing where nobody has said."""
    try:
        moment = datetime.fromisoformat(str(note.body.get("told_at", "")))
    except ValueError:
        return ""
    moment = moment.replace(tzinfo=site.zone) if moment.tzinfo is None else moment
    return moment_in_words(moment, site.now(), site.zone)


def plan_of(site: Site, plan: PlanRecord) -> Plan:
    return Plan(
        id=plan.id,
        kind=plan.kind.value,
        name=plan.peer_name,
        text=plan.text,
        when=moment_in_words(plan.due_at, site.now(), site.zone),
        held=plan.state.value == "held",
    )


def break_of(site: Site, opened: Opened) -> str:
    """Until when a break lasts, in words; a concern since then has ended it."""
    note = newest(opened.notes, NoteKind.PAUSE)
    if note is None:
        return ""
    moment = datetime.fromisoformat(str(note.body["until"]))
    worried = opened.conversation.concern_at is not None and opened.conversation.concern_at > note.at
    if moment <= site.now() or worried:
        return ""
    return moment_in_words(moment, site.now(), site.zone)


def signposted(messages: Sequence[MessageRecord]) -> tuple[str, ...]:
    """Services they were given in what may be read, each once."""
    cards = (card.name for message in messages if message.sender is not Sender.PERSON and message.reply
             for card in message.reply.cards)  # fmt: skip
    return tuple(dict.fromkeys(cards))
