"""What the page shows of a conversation. Pure: records in, a drawing list out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from channels.conversation import Choice, EscalationState, Holder, Sender, ServiceCard
from channels.ledger.records import ConversationRecord, EscalationRecord, MessageRecord
from channels.webchat.cards import hours_to_show

CHOICES_REACH: Final = 5
"""How many of our last messages keep their buttons: as far back as the ledger takes a press."""

SIDES: Final = {
    Sender.PERSON: "you",
    Sender.ASSISTANT: "assistant",
    Sender.PEER: "peer",
    Sender.NOTICE: "notice",
}


@dataclass(frozen=True, kw_only=True)
class Bubble:
    """One message. `side` is you, assistant, peer or notice; `name` is a peer worker's first name."""

    seq: int
    side: str
    name: str
    text: str
    cards: tuple[ServiceCard, ...]
    detail: bool
    choices: tuple[Choice, ...]
    at: datetime
    same_day: bool = True
    """Whether it is still the day it was said."""

    def hours_of(self, card: ServiceCard) -> str:
        return hours_to_show(card, same_day=self.same_day)

    def details_of(self, card: ServiceCard) -> Choice | None:
        """The button that belongs on this card."""
        return next((choice for choice in self.choices if choice.payload == f"details:{card.service_id}"), None)

    @property
    def other_choices(self) -> tuple[Choice, ...]:
        on_cards = {f"details:{card.service_id}" for card in self.cards}
        return tuple(choice for choice in self.choices if choice.payload not in on_cards)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Who the person is talking to. `kind` is new, assistant, waiting, lapsed or peer; `place` 1 means next.

    `opens` is set while nobody is there to come: when somebody is again, "9am tomorrow".
    """

    kind: str
    name: str = ""
    place: int | None = None
    opens: str = ""
    here: int | None = None
    """Peer workers at the desk who take people, while somebody waits within hours; None when nobody can know."""
    wait: str = ""
    """What most people have waited lately, "20 minutes"; empty when too little is known."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """Everything the page needs. `gone`: this browser had a conversation and it has been erased."""

    standing: Standing
    bubbles: tuple[Bubble, ...] = ()
    open_seq: int = 0
    """The message whose buttons can still be pressed; 0 for none."""
    last_seq: int = 0
    thinking: bool = False
    gone: bool = False
    earlier: int = 0
    """Where to look for what came before; 0 when everything is here."""
    kept: tuple[str, ...] = ()
    """Services in the person's list."""
    read: bool = False
    """The peer worker who is with them has their newest words on the screen."""


def standing_of(
    conversation: ConversationRecord, escalation: EscalationRecord | None, place: int | None, opens: str = ""
) -> Standing:
    if conversation.holder is Holder.PEER:
        return Standing(kind="peer", name=escalation.claimed_name if escalation else "")
    if escalation is not None and escalation.state is EscalationState.WAITING:
        return Standing(kind="waiting", place=place, opens=opens)
    if escalation is not None and escalation.state is EscalationState.LAPSED:
        return Standing(kind="lapsed", place=place, opens=opens)
    return Standing(kind="assistant")


def open_seq_of(messages: Sequence[MessageRecord]) -> int:
    ours = [message for message in messages if message.sender is not Sender.PERSON][-CHOICES_REACH:]
    return next((message.seq for message in reversed(ours) if message.choices), 0)


def bubbles_of(messages: Sequence[MessageRecord], open_seq: int, now: datetime, zone: ZoneInfo) -> tuple[Bubble, ...]:
    today = now.astimezone(zone).date()
    return tuple(
        Bubble(
            seq=message.seq,
            side=SIDES[message.sender],
            name=message.sender_name,
            text=message.text,
            cards=message.reply.cards if message.reply else (),
            detail=bool(message.reply and message.reply.detail),
            choices=message.choices if message.seq == open_seq else (),
            at=message.created_at,
            same_day=message.created_at.astimezone(zone).date() == today,
        )
        for message in messages
    )


def is_thinking(conversation: ConversationRecord, messages: Sequence[MessageRecord]) -> bool:
    """The assistant has something to answer. A peer worker's silence is theirs and is not drawn."""
    waiting = [message for message in messages if message.sender is Sender.PERSON and not message.answered]
    return bool(waiting) and conversation.holder is Holder.BOT


def is_read(conversation: ConversationRecord, messages: Sequence[MessageRecord], read_upto: int) -> bool:
    """Only while a peer worker is with them and has not answered yet: an answer says it better."""
    last = messages[-1] if messages else None
    theirs = last is not None and last.sender is Sender.PERSON and last.seq <= read_upto
    return theirs and conversation.holder is Holder.PEER


def title_of(messages: Sequence[MessageRecord], payload: str) -> str | None:
    """The words on a button we once offered."""
    offered = (choice for message in reversed(messages) for choice in message.choices)
    return next((choice.title for choice in offered if choice.payload == payload), None)
