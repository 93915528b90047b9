"""A conversation as a peer worker reads it. Pure: records in, lines out; the template escapes every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from channels.concern import find_concerns
from channels.conversation import Channel, Delivery, Sender, ServiceCard
from channels.desk.words import Words, day_in_words
from channels.ledger.records import MessageRecord
from channels.media import is_fetchable
from channels.pages import clock
from channels.sms.explaining import explain

REMARKED: Final = frozenset(
    {"fallback", "merged", "repeated", "quiet", "moved", "wrong_code", "took_back_sharing", "took_back_check_ins"}
)
"""Outcomes that a peer worker should know of."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Something that is not words. `number` is set where it can be looked at."""

    words: str
    number: int | None
    kind: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One message. `day` is set where a new day begins."""

    id: str
    kind: str
    """person, assistant, peer or notice."""
    who: str
    at: datetime
    time: str
    day: str
    text: str
    language: str
    pressed: str
    media: tuple[Sent, ...]
    cards: tuple[ServiceCard, ...]
    choices: tuple[str, ...]
    """What else was offered; the cards are choices already."""
    delivery: str
    failed: bool
    remark: str
    seq: int = 0
    worries: tuple[str, ...] = ()
    """What in it worries us, in words."""
    redactable: bool = False


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How a story is told: in which words, and seen from where and when."""

    words: Words
    zone: ZoneInfo
    now: datetime
    channel: Channel

    def lines(self, messages: Sequence[MessageRecord]) -> list[Line]:
        """Every message in order."""
        lines: list[Line] = []
        pressed: dict[str, str] = {}
        day = ""
        for message in messages:
            today = day_in_words(message.created_at, self.now, self.zone)
            lines.append(self._line(message, pressed, day=today if today != day else ""))
            pressed |= {choice.payload: choice.title for choice in message.choices}
            day = today
        return lines

    def _line(self, message: MessageRecord, pressed: dict[str, str], *, day: str) -> Line:
        cards = message.reply.cards if message.reply else ()
        named = {card.name for card in cards}
        return Line(
            id=message.id,
            kind=message.sender.value,
            who=self._who(message),
            at=message.created_at,
            time=clock(message.created_at.astimezone(self.zone)),
            day=day,
            text=message.text,
            language=message.language or "",
            pressed=pressed.get(message.payload, "") if message.payload else "",
            media=tuple(
                Sent(words=self.words.media(item), number=number if is_fetchable(item) else None, kind=item.kind)
                for number, item in enumerate(message.media)
            ),
            cards=cards,
            choices=tuple(choice.title for choice in message.choices if choice.title not in named),
            delivery=self._delivery(message),
            failed=message.delivery is Delivery.FAILED,
            remark=self._remark(message),
            seq=message.seq,
            worries=self._worries(message),
            redactable=bool(message.text) and message.delivery not in (Delivery.QUEUED, Delivery.SENDING),
        )

    def _who(self, message: MessageRecord) -> str:
        who = self.words.say("sender", message.sender)
        return f"{message.sender_name}, {who}" if message.sender is Sender.PEER and message.sender_name else who

    def _delivery(self, message: MessageRecord) -> str:
        """What became of an outbound message: 'Delivered', 'Not delivered: The phone is switched off.'"""
        if message.delivery is None:
            return ""
        said = self.words.say("delivery", message.delivery)
        if message.delivery is not Delivery.FAILED:
            return said
        why = message.error_text or self._explained(message.error_code)
        return f"{said}: {why}" if why else said

    def _explained(self, code: str) -> str:
        """A receipt brings only a code; the provider's table has the words."""
        if not code:
            return ""
        return explain(code) if self.channel is Channel.SMS else f"Error {code}."

    def _worries(self, message: MessageRecord) -> tuple[str, ...]:
        """Reasons, never a score: what the patterns found in words of theirs."""
        if message.sender is not Sender.PERSON or not message.text:
            return ()
        return tuple(dict.fromkeys(found.reason for found in find_concerns(message.text)))

    def _remark(self, message: MessageRecord) -> str:
        """What a peer worker should know about an inbound message beyond its words."""
        if message.outcome == "redacted":
            return self.words.say("remark", "redacted")
        if message.rest:
            return self.words.say("remark", "more")
        if message.outcome == "opted_out_after_concern":
            return self.words.say("remark", "stopped")
        if message.opt_out == "STOP" or message.outcome == "opted_out":
            return self.words.say("remark", "opt_out", word=message.opt_out or message.text.strip())
        if message.sender is Sender.PERSON and not (message.text or message.media or message.payload):
            return self.words.say("remark", "no_words")
        return self.words.say("remark", message.outcome) if message.outcome in REMARKED else ""
