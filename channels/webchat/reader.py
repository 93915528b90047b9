"""Reads one visitor's conversation out of the ledger. A visitor only ever reaches their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from channels.conversation import Channel, Choice, Holder, ServiceCard
from channels.errors import KeyLost, NotFound
from channels.hours import StaffedHours
from channels.ledger.lists import CopyLimits
from channels.ledger.records import ConversationRecord, EscalationRecord, MessageRecord, PersonRecord, SavedService
from channels.webchat import view
from channels.webchat.visitor import Visitor
from channels.wording import Wording

PAGE: Final = 200
"""Messages on one page; earlier ones are a link away."""


class ChatLists(Protocol):
    """People's own lists."""

    async def save(self, conversation_id: str, kept: SavedService) -> None: ...

    async def remove(self, conversation_id: str, service_id: str) -> None: ...

    async def saved(self, conversation_id: str) -> list[SavedService]: ...

    async def count_copy(self, conversation_id: str, destination: str, limits: CopyLimits) -> str | None: ...

    async def uncount_copy(self, copy_id: str) -> None: ...


class Attends(Protocol):
    """Who is really there, and how long people really wait."""

    async def here(self) -> int | None: ...

    async def wait(self, *, urgent: bool) -> str: ...


class Reads(Protocol):
    """How far the peer worker who is with somebody has read."""

    async def read_upto(self, conversation_id: str) -> int: ...


class ChatLedger(Protocol):
    """The ledger, as far as the chat needs it."""

    @property
    def lists(self) -> ChatLists: ...

    async def person_at(self, channel: Channel, address: str) -> PersonRecord | None: ...

    async def conversation_of(self, person_id: str) -> ConversationRecord: ...

    async def messages(self, conversation_id: str, after_seq: int = 0, limit: int = 500) -> list[MessageRecord]: ...

    async def last_choices(self, conversation_id: str) -> tuple[Choice, ...]: ...

    async def escalation_of(self, conversation_id: str) -> EscalationRecord | None: ...

    async def place_in_queue(self, conversation_id: str | None, has_concern: bool) -> int: ...

    async def make_return_code(self, person_id: str, visit: str) -> str: ...

    async def use_return_code(self, code: str) -> str | None: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Every method raises LedgerUnavailable. `hours` are those of the peer workers, and say which day it is here."""

    ledger: ChatLedger
    hours: StaffedHours
    wording: Wording
    clock: Callable[[], datetime] = utc_now
    attendance: Attends | None = None
    reads: Reads | None = None

    async def conversation(self, visitor: Visitor) -> ConversationRecord | None:
        if visitor.fresh:
            return None
        try:
            person = await self.ledger.person_at(Channel.WEB, visitor.address)
            return await self.ledger.conversation_of(person.id) if person else None
        except NotFound:
            return None
        except KeyLost:  # Their next message begins anew.
            return None

    async def talk(self, visitor: Visitor, *, after: int = 0, before: int = 0, glance: bool = False) -> view.Talk:
        """The conversation after message `after`, or the page that ends just before message `before`.

        With `glance`, only as much as it takes to tell that something changed.
        """
        conversation = await self.conversation(visitor)
        if conversation is None:
            return view.Talk(standing=view.Standing(kind="new"), gone=after > 0)
        last = min(before - 1, conversation.last_seq) if before > 1 else conversation.last_seq
        first = max(0, last - (view.CHOICES_REACH if glance else PAGE))
        messages = await self.ledger.messages(conversation.id, after_seq=first, limit=PAGE)
        open_seq = 0 if before else view.open_seq_of(messages)
        shown = [message for message in messages if message.seq > after and (not before or message.seq <= last)]
        return view.Talk(
            standing=await self._standing(conversation, glance=glance),
            bubbles=view.bubbles_of(shown, open_seq, self.clock(), self.hours.zone),
            open_seq=open_seq,
            last_seq=messages[-1].seq if messages else conversation.last_seq,
            thinking=view.is_thinking(conversation, messages),
            kept=() if glance else tuple(one.card.service_id for one in await self.ledger.lists.saved(conversation.id)),
            earlier=first + 1 if first and not after else 0,
            read=view.is_read(conversation, messages, await self._read_upto(conversation)),
        )

    async def pressed(self, visitor: Visitor, payload: str) -> tuple[str, str | None] | None:
        """A press as (words, payload).

        A button that is out of date counts as its words, typed; one that we never offered counts as nothing.
        """
        conversation = await self.conversation(visitor) if payload else None
        if conversation is None:
            return None
        choices = await self.ledger.last_choices(conversation.id)
        title = next((choice.title for choice in choices if choice.payload == payload), None)
        if title is not None:
            return title, payload
        recent = await self.ledger.messages(conversation.id, after_seq=max(0, conversation.last_seq - PAGE))
        old = view.title_of(recent, payload)
        return (old, None) if old is not None else None

    async def card_at(self, conversation_id: str, seq: int, place: int) -> ServiceCard | None:
        """A service of the visitor's own conversation: the one at `place` in message `seq`."""
        found = await self.ledger.messages(conversation_id, after_seq=seq - 1, limit=1)
        cards = found[0].reply.cards if found and found[0].seq == seq and found[0].reply else ()
        return cards[place] if place < len(cards) else None

    async def _read_upto(self, conversation: ConversationRecord) -> int:
        held = conversation.holder is Holder.PEER
        return await self.reads.read_upto(conversation.id) if held and self.reads else 0

    async def _standing(self, conversation: ConversationRecord, *, glance: bool) -> view.Standing:
        """With `glance` without how long people wait: it costs more to know than it is worth every few seconds."""
        escalation = await self.ledger.escalation_of(conversation.id)
        place = None
        if escalation is not None:
            place = await self.ledger.place_in_queue(conversation.id, bool(escalation.concerns))
        now = self.clock()
        opens = "" if self.hours.open_at(now) else self.hours.next_opening(now, self.wording)
        standing = view.standing_of(conversation, escalation, place, opens)
        if self.attendance is None or escalation is None or standing.kind != "waiting" or opens:
            return standing
        urgent = bool(escalation.concerns)
        # Somebody in danger is told a place, and no time: as in the texts.
        wait = "" if glance or urgent else await self.attendance.wait(urgent=urgent)
        return replace(standing, here=await self.attendance.here(), wait=wait)
