"""The nouns of a conversation. Pure: no input or output happens here.

Everything that crosses a boundary inside `channels` (a provider's webhook, the
ledger, the assistant, the desk) is one of these frozen values, so each part can
be read and tested alone. `bot` may import this module, and only this one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias


class Channel(StrEnum):
    """How a person reaches us."""

    SMS = "sms"
    TELEGRAM = "telegram"
    WEB = "web"
    CANARY = "canary"
    """Nobody: our own test messages, which never leave the machine and are removed after each round."""


class Holder(StrEnum):
    """Who has the turn. Exactly one of these holds a conversation at any time."""

    BOT = "bot"
    PEER = "peer"


class Sender(StrEnum):
    """Who wrote a message, in the words shown beside it."""

    PERSON = "person"
    ASSISTANT = "assistant"
    PEER = "peer"
    NOTICE = "notice"
    """The service itself: where you are in the queue, who has joined, who has left."""


class Concern(StrEnum):
    """A reason to put someone first. Reason words, never a score (product rule 4)."""

    SUICIDE = "suicide"
    SELF_HARM = "self_harm"
    METHOD_SEEKING = "method_seeking"
    ATTEMPT = "attempt"
    ABUSE = "abuse"
    CHILD_AT_RISK = "child_at_risk"
    DANGER_NOW = "danger_now"
    EATING_DISORDER = "eating_disorder"
    SOMEONE_ELSE = "someone_else"


CONCERNS_OF_NEEDS: Final = {
    "suicidal_thoughts": Concern.SUICIDE,
    "self_harm": Concern.SELF_HARM,
    "domestic_abuse": Concern.ABUSE,
    "sexual_violence": Concern.ABUSE,
    "eating_disorder": Concern.EATING_DISORDER,
}
"""The assistant's own recogniser adds to the concern check; it never takes away."""


class AskedFor(StrEnum):
    """Whom help is asked for, as far as they have said."""

    THEMSELVES = "for_themselves"
    SOMEBODY_ELSE = "for_someone_else"
    A_CLIENT = "asked_by_a_worker"
    """The writer works with them."""


class Consent(StrEnum):
    """What a person said yes to, and may take back at any time in their own words."""

    SHARING = "sharing"
    """Somebody beside us reads what they write: another organisation, or what was said in earlier talks."""
    CHECK_INS = "check_ins"
    """We write first: to ask how it went, at a time, or when somebody is here."""


class EscalationState(StrEnum):
    """Where an escalation stands; the diagram is in the package README."""

    WAITING = "waiting"
    HELD = "held"
    LAPSED = "lapsed"
    CLOSED = "closed"


class Delivery(StrEnum):
    """What is known of an outbound message, in the order it can only move forward."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Media:
    """Something other than words that a person sent. Kept as a reference, never fetched by itself.

    `kind` is one of picture, voice, video, sticker, location, contact, file.
    `reference` is the provider's own id or address; `size` is in bytes where the provider says.
    """

    kind: str
    reference: str = ""
    content_type: str = ""
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """One message from a person, as a provider adapter parsed it.

    `address` is the channel's own address: an E.164 number, a Telegram chat id, a web visitor id.
    `provider_id` is unique within the channel and is what makes redelivery harmless.
    `payload` is set only when the person pressed one of our buttons: it never comes from typed text.
    """

    channel: Channel
    address: str
    provider_id: str
    text: str = ""
    payload: str | None = None
    media: tuple[Media, ...] = ()
    language: str | None = None
    opt_out: str | None = None
    """The provider's own opt-out marker (Twilio's OptOutType: STOP, START or HELP)."""
    came_from: str | None = None
    """What a link said that brought them here (Telegram's /start poster-library): short, letters, digits, - and _."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a provider says became of a message we sent."""

    channel: Channel
    provider_id: str
    state: Delivery
    error_code: str = ""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A numbered option or a button. `payload` is `name` or `name:value`, at most 64 bytes (Telegram's limit)."""

    title: str
    payload: str


@dataclass(frozen=True, kw_only=True)
class ServiceCard:
    """A service as a person sees it: only words an editor published, already put in plain form.

    `channels` treats `service_id` as opaque. `hours` reads like "open now until 5pm";
    `checked` reads like "checked 14 October 2026".
    """

    service_id: str
    name: str
    phone: str
    summary: str = ""
    hours: str = ""
    place: str = ""
    cost: str = ""
    good_to_know: str = ""
    how_to: str = ""
    checked: str = ""
    website: str = ""
    email: str = ""
    why: str = ""
    """Why it was suggested, for the peer worker; never sent to the person."""
    call: str = ""
    """What a tap on the phone number does: "tel:01632960112", "sms:85258?&body=SHOUT"."""
    usual_hours: str = ""
    """Opening in words that are as true next week: "Monday to Friday 9am to 5pm". For what is kept or printed."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One channel-neutral answer. `fitting` turns it into what a channel can carry.

    `detail` cards are rendered whole; otherwise a card is one line with its phone number.
    """

    text: str = ""
    cards: tuple[ServiceCard, ...] = ()
    choices: tuple[Choice, ...] = ()
    detail: bool = False


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """The assistant asks for a person. The worker does it; the assistant never says it is done."""

    reason: str
    """A reason word: asked, complaint, nothing_found, silent, language, concern."""
    need: str | None = None
    language: str | None = None
    """The language somebody writes in (ISO 639-1), when it was recognised and is not English."""


@dataclass(frozen=True, kw_only=True)
class ForgetMe:
    """Erase the person. `confirmed` is False until they have said yes to the question."""

    confirmed: bool = False


@dataclass(frozen=True, kw_only=True)
class MyInfo:
    """Tell the person what is held about them."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """What the assistant understood, for the peer worker and for the next turn."""

    needs: tuple[str, ...] = ()
    place: str | None = None
    intent: str = ""
    """A word of AskedFor, or nothing."""


@dataclass(frozen=True, kw_only=True)
class StartAgain:
    """The person wants a clean start: the next turn gets a new episode."""


@dataclass(frozen=True, kw_only=True)
class ReportWrong:
    """Something in a listing is wrong, by what the person says: the editors are told what, and not by whom.

    `wrong` is a word of the editors' queue: phone, hours, place, closed, full, unkind, other.
    """

    service_id: str
    wrong: str


@dataclass(frozen=True, kw_only=True)
class Withdraw:
    """The person takes back what they had agreed to. It takes effect with the answer to the message."""

    what: Consent


@dataclass(frozen=True, kw_only=True)
class Remember:
    """What the assistant should know again in the next episode, in place of what it knew before. Ids, and no words."""

    need: str = ""
    query: str = ""
    """What the need is called; empty when nothing was asked for."""
    shown: tuple[str, ...] = ()
    """Ids of services."""
    offered: tuple[str, ...] = ()
    basket: tuple[str, ...] = ()
    """Needs that were mentioned and not looked at yet."""
    about: str = ""
    preferences: tuple[str, ...] = ()
    place_asked: bool = False


Request: TypeAlias = HandOver | ForgetMe | MyInfo | Note | StartAgain | ReportWrong | Withdraw | Remember


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Everything the assistant answered to one message."""

    replies: tuple[Reply, ...] = ()
    requests: tuple[Request, ...] = ()
    understood: dict[str, Any] = field(default_factory=dict)
