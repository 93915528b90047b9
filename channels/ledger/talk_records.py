"""What peer workers add to a conversation, as the ledger gives it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class NoteKind(StrEnum):
    """What a note is about. Of all but NOTE and SAFEGUARDING the newest one counts."""

    NOTE = "note"
    """For colleagues, never sent."""
    SUMMARY = "summary"
    """What would be passed on: the words, and whether the person has said that they are right."""
    EARLIER = "earlier"
    """Whether what was said in earlier talks may be read."""
    SAFE_CONTACT = "safe_contact"
    """Whether, when and in which words to text them first."""
    SAFEGUARDING = "safeguarding"
    """What worried us, who was told, and when."""
    OUTCOME = "outcome"
    """What a talk led to."""
    NAMED_PEER = "named_peer"
    """Who is there for somebody who writes often."""
    PAUSE = "pause"
    """Until when peer workers take a break from this chat; the person was told."""


@dataclass(frozen=True, kw_only=True)
class NoteRecord:
    """`body` is what its kind holds; words in it are encrypted at rest."""

    id: str
    conversation_id: str
    kind: NoteKind
    author_id: str
    body: Mapping[str, Any]
    at: datetime


def safe_contact(notes: Iterable[NoteRecord]) -> bool | None:
    """What they said last about being texted first; None when nobody has asked."""
    asked = [note for note in notes if note.kind is NoteKind.SAFE_CONTACT]
    return asked[-1].body.get("ok") == "yes" if asked else None


class IntroductionState(StrEnum):
    """offered -> joined -> done; either of the first two may be withdrawn."""

    OFFERED = "offered"
    """Asked for: nobody has come yet."""
    JOINED = "joined"
    """Both peer workers and the person share the thread."""
    DONE = "done"
    """The new one holds it."""
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class IntroductionRecord:
    """One peer worker bringing in another. `to_kind` is person, team or lead; `to_id` a peer worker's or a team's."""

    id: str
    escalation_id: str
    conversation_id: str
    from_id: str
    from_name: str
    to_kind: str
    to_id: str
    to_name: str
    guest_id: str | None
    guest_name: str
    reads_after: int
    """The guest reads what comes after this message: 0 is everything."""
    state: IntroductionState
    offered_at: datetime
    joined_at: datetime | None
    spoke_seq: int | None
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Whom:
    """Whom to bring in. Without `reads_all` they read what comes from here on."""

    to_kind: str
    to_id: str
    to_name: str
    reads_all: bool = True


class PlanKind(StrEnum):
    """What is to happen later."""

    MESSAGE = "message"
    """A peer worker's words, which the person agreed to get."""
    CHECK_IN = "check_in"
    """How are things? The person agreed to be asked."""
    SNOOZE = "snooze"
    """A peer worker wants to look again; nothing is sent."""


class PlanState(StrEnum):
    """waiting -> sent, withdrawn or held."""

    WAITING = "waiting"
    SENT = "sent"
    """For a snooze: its time came."""
    WITHDRAWN = "withdrawn"
    HELD = "held"
    """Its time came and it was not right to send it: it may not be safe, is not wanted, or somebody is with them."""


@dataclass(frozen=True, kw_only=True)
class NewPlan:
    """What is to be planned."""

    kind: PlanKind
    due_at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class PlanRecord:
    """`text` is what goes out, or the reason of a snooze."""

    id: str
    conversation_id: str
    peer_id: str
    peer_name: str
    kind: PlanKind
    text: str
    state: PlanState
    due_at: datetime
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class PingRecord:
    """Somebody of ours should look. `kind` is mention, buddy, lead or safeguarding."""

    id: str
    from_name: str
    kind: str
    conversation_id: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CareRecord:
    """How the queue should treat a peer worker. `hard_at` is when their last hard conversation ended."""

    hard_in_a_row: int = 0
    hard_at: datetime | None = None
    debrief_due: bool = False
    resting_until: datetime | None = None
    single_keys: bool = True
