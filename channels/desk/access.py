"""Which conversations somebody may open. Nothing else of the desk reads one.

waiting or lapsed    every peer worker who may see it may read before taking it; who did is in the audit
held                 whoever holds it; a coordinator may read along, which is in the audit
anything else        nobody: it is between the person and the assistant, or over

Whoever is of another organisation sees only people who said yes to it (`channels.teams`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from channels.conversation import EscalationState
from channels.desk.guard import MOST_VIEWINGS, Site
from channels.desk.sessions import Visit
from channels.ledger.records import ConversationRecord, EscalationRecord, PersonRecord
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


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A conversation that may be shown, with whom it is and why it is on the desk."""

    conversation: ConversationRecord
    person: PersonRecord
    escalation: EscalationRecord
    standing: Standing


async def open_conversation(site: Site, visit: Visit) -> Opened | None:
    """The conversation that the address names, if this peer worker may see it; records who looked."""
    conversation_id = visit.request.path_params["conversation"]
    escalation = await find_escalation(site, visit, conversation_id)
    standing = standing_of(escalation, visit) if escalation else None
    if escalation is None or standing is None:
        return None
    if standing is not Standing.MINE:
        await record_viewing(site, visit, escalation)
    conversation = await site.ledger.conversation(conversation_id)
    person = await site.ledger.person(conversation.person_id)
    return Opened(conversation=conversation, person=person, escalation=escalation, standing=standing)


async def find_escalation(site: Site, visit: Visit, conversation_id: str) -> EscalationRecord | None:
    """The open one, if this peer worker may know of it: theirs, or one that their teams may see."""
    escalation = await site.ledger.escalation_of(conversation_id) if ID.fullmatch(conversation_id) else None
    if escalation is None or escalation.claimed_by == visit.peer.id:
        return escalation
    return escalation if await site.escalations.may_see(visit.peer, escalation) else None


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
