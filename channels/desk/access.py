"""Which conversations somebody may open. Nothing else of the desk reads one.

waiting or lapsed    every peer worker who may see it may read before taking it; who did is in the audit
held                 whoever holds it, and whoever they brought in; who was asked to look, and a coordinator, may read
                     along, which is in the audit
anything else        nobody: it is between the person and the assistant, or over

Whoever is of another organisation sees only people who said yes to it (`channels.teams`), and whom they were asked to
join. Asked in, they read what came after that. What was said in an earlier talk with somebody else is read only when
the person has said that it is fine, or when something worries us now.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from channels.conversation import EscalationState
from channels.desk.guard import MOST_VIEWINGS, Site
from channels.desk.sessions import Visit
from channels.desk.teams import is_asked
from channels.ledger.records import ConversationRecord, EscalationRecord, PersonRecord
from channels.ledger.talk_records import IntroductionRecord, NoteKind, NoteRecord
from channels.roles import Permission, may

ID: Final = re.compile(r"[0-9a-z_-]{1,64}")


class Standing(StrEnum):
    """How somebody stands to a conversation they may open."""

    MINE = "mine"
    """They hold it."""
    OPEN = "open"
    """It waits, and they may take it."""
    WATCHED = "watched"
    """A colleague holds it; they may read."""
    GUEST = "guest"
    """A colleague holds it and has brought them in: both share the thread."""
    ASKED = "asked"
    """A colleague holds it and has asked them to come."""


WRITES: Final = frozenset({Standing.MINE, Standing.GUEST})


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A conversation that may be shown, with whom it is and why it is on the desk."""

    conversation: ConversationRecord
    person: PersonRecord
    escalation: EscalationRecord
    standing: Standing
    introduction: IntroductionRecord | None = None
    notes: tuple[NoteRecord, ...] = ()
    earlier: tuple[EscalationRecord, ...] = ()
    """Talks with peer workers that have ended, newest first."""
    reads_after: int = 0
    """What may be read begins after this message."""
    partly: bool = False
    """Somebody of another organisation: they read what came after they were asked in, and no notes from before."""

    @property
    def page(self) -> str:
        return f"/desk/conversations/{self.conversation.id}"


async def open_conversation(site: Site, visit: Visit) -> Opened | None:
    """The conversation that the address names, if this peer worker may see it; records who looked."""
    conversation_id = visit.request.path_params["conversation"]
    escalation = await find_escalation(site, visit, conversation_id)
    introduction = await site.ledger.introductions.current(escalation.id) if escalation else None
    standing = await find_standing(site, visit, escalation, introduction) if escalation else None
    if escalation is None or standing is None:
        return None
    if standing is not Standing.MINE:
        await record_viewing(site, visit, escalation)
    conversation = await site.ledger.conversation(conversation_id)
    opened = Opened(
        conversation=conversation,
        person=await site.ledger.person(conversation.person_id),
        escalation=escalation,
        standing=standing,
        introduction=introduction,
        notes=tuple(await site.ledger.talk.notes(conversation_id)),
        earlier=tuple(await site.ledger.talk.earlier(conversation_id)),
    )
    asked_in = introduction if standing is Standing.ASKED else None
    brought = await site.ledger.introductions.reads_after(escalation.id, visit.peer.id)
    start = max(brought, asked_in.reads_after if asked_in else 0)
    begins = await find_beginning(site, visit, opened, start)
    return replace(opened, reads_after=begins, partly=start > 0)


async def find_beginning(site: Site, visit: Visit, opened: Opened, start: int) -> int:
    """The message after which this peer worker may read; never before `start`."""
    if not opened.earlier or opened.escalation.concerns or opened.conversation.concerns:
        return start
    agreed = newest(opened.notes, NoteKind.EARLIER)
    known = any(talk.claimed_by == visit.peer.id for talk in opened.earlier)
    ended = opened.earlier[0].closed_at
    if known or ended is None or (agreed and agreed.body.get("agreed")):
        return start
    return max(start, await site.ledger.talk.seq_at(opened.conversation.id, ended))


def newest(notes: Iterable[NoteRecord], kind: NoteKind) -> NoteRecord | None:
    """Of its kind."""
    return next((note for note in reversed(tuple(notes)) if note.kind is kind), None)


async def find_standing(
    site: Site, visit: Visit, escalation: EscalationRecord, introduction: IntroductionRecord | None
) -> Standing | None:
    """As `standing_of`, and for those a colleague has asked to come or to look."""
    plain = standing_of(escalation, visit)
    if plain in (Standing.MINE, Standing.OPEN):
        return plain
    if introduction and introduction.guest_id == visit.peer.id:
        return Standing.GUEST
    if introduction and is_asked(introduction, visit.peer, await site.escalations.sight(visit.peer)):
        return Standing.ASKED
    if plain is None and await site.ledger.care.pinged(visit.peer.id, escalation.conversation_id):
        return Standing.WATCHED
    return plain


async def may_write(site: Site, visit: Visit, escalation: EscalationRecord) -> bool:
    """Whoever holds it, or was brought in by who does."""
    if standing_of(escalation, visit) is Standing.MINE:
        return True
    introduction = await site.ledger.introductions.current(escalation.id)
    return introduction is not None and introduction.guest_id == visit.peer.id


async def find_escalation(site: Site, visit: Visit, conversation_id: str) -> EscalationRecord | None:
    """The open one, if this peer worker may know of it: theirs, one that their teams may see, or asked to join."""
    escalation = await site.ledger.escalation_of(conversation_id) if ID.fullmatch(conversation_id) else None
    if escalation is None:
        return None
    if escalation.claimed_by == visit.peer.id:
        return escalation if await site.escalations.may_stay(escalation) else None
    if await site.escalations.may_see(visit.peer, escalation):
        return escalation
    introduction = await site.ledger.introductions.current(escalation.id)
    if introduction is None:
        return None
    asked = is_asked(introduction, visit.peer, await site.escalations.sight(visit.peer))
    return escalation if asked or introduction.guest_id == visit.peer.id else None


def standing_of(escalation: EscalationRecord, visit: Visit) -> Standing | None:
    """Of an escalation that is not closed."""
    if escalation.state is not EscalationState.HELD:
        return Standing.OPEN
    if escalation.claimed_by == visit.peer.id:
        return Standing.MINE
    return Standing.WATCHED if may(visit.peer.role, Permission.WATCH) else None


async def record_viewing(site: Site, visit: Visit, escalation: EscalationRecord) -> None:
    """Once for each session and state: a page that is left open does not fill the audit."""
    viewing = (visit.form_token, escalation.id, escalation.state.value)
    if viewing in site.viewings:
        return
    await site.ledger.audit(visit.peer.id, "conversation_viewed", escalation.conversation_id, escalation.state)
    if len(site.viewings) >= MOST_VIEWINGS:
        site.viewings.clear()
    site.viewings.add(viewing)
