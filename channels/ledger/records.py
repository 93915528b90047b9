"""What the ledger gives back and takes in: frozen rows, decrypted, with times in UTC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from channels.conversation import (
    AskedFor,
    Channel,
    Choice,
    Concern,
    Consent,
    Delivery,
    EscalationState,
    Holder,
    Media,
    Remember,
    Reply,
    ReportWrong,
    Sender,
    ServiceCard,
)

PLACE: Final = "{place}"
"""Stands in a draft for a place in the queue, which is known when the draft is committed and not before."""


@dataclass(frozen=True, kw_only=True)
class PersonRecord:
    """Someone looking for help, on one channel. `id` is opaque and safe in logs, keys and URLs."""

    id: str
    channel: Channel
    address: str
    """Decrypted. Empty once the person has been forgotten."""
    language: str | None
    do_not_text_first: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class ConversationRecord:
    """One person's conversation. `episode` is Rasa's sender id: opaque and rotated."""

    id: str
    person_id: str
    """Whom it reaches: the person as they are on the channel they wrote on last."""
    channel: Channel
    holder: Holder
    shard: int
    episode: str
    episode_turns: int
    turns: int
    """Inbound messages answered so far, over all episodes: 0 means the next reply is the first."""
    concerns: frozenset[Concern]
    needs: tuple[str, ...]
    place: str | None
    last_inbound_at: datetime | None
    created_at: datetime
    last_seq: int
    came_from: str | None = None
    """What the first link said that brought them here."""
    blocked: bool = False
    """They have shut us out at their provider: nothing reaches them until they write again."""
    concern_at: datetime | None = None
    """When a concern was last found."""
    asked_for: AskedFor | None = None
    """Whom help is for, as far as they said."""
    remembered: Remember | None = None
    """What the assistant should know again, and since when."""
    remembered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MessageRecord:
    """One message, in or out. `seq` numbers the messages of a conversation from 1 without gaps."""

    id: str
    conversation_id: str
    seq: int
    sender: Sender
    sender_name: str
    """Who is shown beside it: a peer worker's first name, otherwise empty."""
    text: str
    """For outbound, exactly what the person's channel shows."""
    reply: Reply | None
    """For outbound, the channel-neutral answer it was made from (cards, choices)."""
    choices: tuple[Choice, ...]
    payload: str | None
    media: tuple[Media, ...]
    opt_out: str | None
    language: str | None
    episode: str
    answered: bool
    """Inbound only: every consequence has been committed."""
    outcome: str
    """Inbound only: bot, peer, fallback, opted_out, forgotten, ... ; why nothing was said when nothing was."""
    delivery: Delivery | None
    """Outbound only."""
    attempts: int
    sending_since: datetime | None
    provider_id: str
    error_code: str
    error_text: str
    created_at: datetime
    rest: str = ""
    """Outbound only: what did not fit a text message and has been kept."""
    held: tuple[Reply, ...] = ()
    """Outbound only: answers that were not given yet, because something else came first."""
    channel: Channel = Channel.SMS
    """Where it was written, or goes to."""


@dataclass(frozen=True, kw_only=True)
class EscalationRecord:
    """A person waiting for, or with, a peer worker."""

    id: str
    conversation_id: str
    state: EscalationState
    reason: str
    concerns: frozenset[Concern]
    needs: tuple[str, ...]
    language: str | None
    opened_at: datetime
    claimed_by: str | None
    claimed_name: str
    claimed_at: datetime | None
    lease_until: datetime | None
    closed_at: datetime | None
    answered_at: datetime | None = None
    """When the first peer worker came."""
    told_count: int = 0
    """Updates they have had while waiting."""
    follow_up: bool = False
    """They want to hear from us when somebody is here."""
    team: str | None = None
    """The team they were passed on to."""
    is_unreadable: bool = False
    """What is known of them cannot be opened: the key of this person is not here."""


@dataclass(frozen=True, kw_only=True)
class PeerRecord:
    """Somebody who works here and can sign in. `role` is one of `channels.roles.ROLES`."""

    id: str
    name: str
    """First name as people see it."""
    login: str
    role: str
    password_hash: str
    """Empty for somebody who signs in with a passkey or through the organisation only."""
    ended: bool = False
    """They work here no more."""


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """Who did what to which record, in order; each row holds the hash of the one before it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    chain: str


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of an inbound message. `duplicate` is True when it was here already."""

    message_id: str
    conversation_id: str
    shard: int
    duplicate: bool


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An outbound message about to be committed."""

    sender: Sender
    text: str
    reply: Reply | None = None
    choices: tuple[Choice, ...] = ()
    sender_name: str = ""
    urgent: bool = False
    """Goes before other conversations' messages (a concern, a fallback)."""
    rest: str = ""
    """What did not fit; sent when the person asks for more."""
    held: tuple[Reply, ...] = ()
    """Answers that can wait; given when the person asks for them."""


@dataclass(frozen=True, kw_only=True)
class OpenEscalation:
    """Ask for a person, in the same transaction as the reply that says so."""

    reason: str
    need: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Everything one inbound message led to; committed at once or not at all.

    `expected_holder` is who held the turn when work began: if that has changed meanwhile,
    nothing is committed and the worker decides again.
    """

    message_id: str
    expected_holder: Holder
    kind: str
    """bot, peer, fallback, opted_out, forgotten, ignored: a recorded reason, always."""
    drafts: tuple[Draft, ...] = ()
    concerns: frozenset[Concern] = frozenset()
    needs: tuple[str, ...] = ()
    place: str | None = None
    language: str | None = None
    """What they write in, when it was recognised: it replaces what the channel says of their device."""
    escalation: OpenEscalation | None = None
    new_episode: bool = False
    do_not_text_first: bool | None = None
    intent: str = ""
    code: str = ""
    """A code that the drafts give to the person, with which they can carry on elsewhere."""
    say_place: Callable[[int], str] | None = None
    """Set when drafts hold PLACE: puts it into words."""
    reports: tuple[ReportWrong, ...] = ()
    """Mistakes in listings that the person noticed."""
    check_in_at: datetime | None = None
    """They agreed that we write first, then."""
    offers_check: bool = False
    """The drafts ask whether we may write later to ask how they are, because something worries us."""
    concern_check_at: datetime | None = None
    """They agreed to that: ask then, if nobody has come by then."""
    declines_check: bool = False
    """They would rather not be asked."""
    no_check_in: bool = False
    """They would rather we did not after all."""
    remember: Remember | None = None
    """What the assistant should know again in its next episode."""
    told: str = ""
    """How what they were pointed to went: helped, partly, no."""
    withdraw: frozenset[Consent] = frozenset()
    """What they had agreed to and have taken back."""
    asked_for: AskedFor | None = None
    """Whom help is for, if this message says so."""


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What a committed outcome left to announce."""

    conversation_id: str
    shard: int
    outbound: int
    """How many messages now wait to be sent."""
    escalation_id: str | None


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A conversation that goes on where its code was typed; `left` is the one that the code was typed into."""

    conversation_id: str
    left: str
    shard: int
    outbound: int


@dataclass(frozen=True, kw_only=True)
class Held:
    """What we hold about a person, in counts and dates, for MY INFO."""

    since: datetime
    messages: int
    needs: tuple[str, ...]
    place: str | None
    saved: int
    """Services in their list."""
    keep_until: datetime
    noted: int = 0
    """Notes that peer workers made about their talks."""


@dataclass(frozen=True, kw_only=True)
class Unconfirmed:
    """A message that its provider took, and of which nothing has been heard since."""

    message_id: str
    conversation_id: str
    provider_id: str
    sent_at: datetime


@dataclass(frozen=True, kw_only=True)
class SavedService:
    """A service in a person's list: the card as it was shown, in message `seq`, at `place` (0 is the first)."""

    card: ServiceCard
    seq: int
    place: int


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a conversation goes."""

    written: int
    """By the person, in the last minute."""
    replied: int
    """By ourselves, in the last hour; a peer worker's words do not count."""
    last_reply_at: datetime | None
    newest_unanswered: int
    """`seq` of the newest message still to be answered; 0 for none."""


@dataclass(frozen=True, kw_only=True)
class Stalled:
    """Conversations, as (shard, id), with a message that nothing has happened to for too long."""

    inbound: list[tuple[int, str]]
    outbound: list[tuple[int, str]]
