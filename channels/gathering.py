"""One thought in several messages gets one answer.

    a concern, in a piece or in all of them together  -> answered at once, always
    something waits and more has come after it        -> read together with that, oldest first
    a text that looks unfinished, and nothing after it -> waits a little for the next piece

A right, a choice, a number, a code, STOP, HELP, PERSON, yes and no are answered by themselves and at once. Where a
concern is known nothing waits and nothing is joined: what we asked there is answered in single words. Nothing is kept
here: what waits is unanswered in the ledger, so when a worker dies the sweeper brings it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from channels.codes import read_code
from channels.conversation import Channel, Choice, Holder, Sender
from channels.ending import cut_short
from channels.ledger.records import ConversationRecord, EscalationRecord, MessageRecord
from channels.pieces import OFF, Pieces
from channels.routing import AGREE, DECLINE, ToBot, asks_for_rest, decide, whole
from channels.slowing import MERGED, RIGHTS, Judgement, Verdict, same_words

HELD_ON: Final = frozenset({Channel.SMS, Channel.TELEGRAM})
"""The web chat shows at once that it was heard, and an answer late by seconds looks like none."""
ONE_THOUGHT: Final = timedelta(minutes=2)
"""Between two pieces. What was written longer apart, and waited while we were away, is answered singly."""
MOST_HOLDS: Final = 4
"""Holds that a thought may take in all, from its first piece on."""
LOOKED_BACK, LOOKED_ON = 24, 24
"""Messages of both sides."""


class Reads(Protocol):
    """The ledger, as far as pieces go."""

    async def conversation(self, conversation_id: str) -> ConversationRecord: ...

    async def escalation_of(self, conversation_id: str) -> EscalationRecord | None: ...

    async def last_choices(self, conversation_id: str) -> tuple[Choice, ...]: ...

    async def messages(self, conversation_id: str, after_seq: int = 0, limit: int = 500) -> list[MessageRecord]: ...


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """Reads, and changes nothing. Raises LedgerUnavailable."""

    ledger: Reads
    pieces: Pieces
    clock: Callable[[], datetime]

    async def judge(self, message: MessageRecord, *, concerned: bool) -> Judgement:
        """What to do with the earliest message that is not answered yet."""
        alone = Judgement(verdict=Verdict.ANSWER)
        start = max(0, message.seq - 1 - LOOKED_BACK)
        around = await self.ledger.messages(message.conversation_id, start, message.seq - start + LOOKED_ON)
        theirs = [one for one in around if one.sender is Sender.PERSON]
        earlier = joined_to(message, [one for one in theirs if one.seq < message.seq])
        after = next((one for one in theirs if one.seq > message.seq), None)
        looks_open = self.pieces.is_open(message.text, goes_on=bool(earlier))
        if not (earlier or after or looks_open):
            return alone
        conversation = await self.ledger.conversation(message.conversation_id)
        if conversation.holder is Holder.PEER or conversation.concerns or not await self._is_plain(message):
            return alone
        if after and not concerned and within(message, after) and await self._is_plain(after):
            return Judgement(verdict=Verdict.MERGE)
        words = self.pieces.join([one.text for one in (*earlier, message)]) if earlier else ""
        left = OFF
        if looks_open and not after and not concerned and message.channel in HELD_ON:
            left = self._left(message, (*earlier, message)[0])
        if left > OFF:
            return Judgement(verdict=Verdict.HOLD, words=words, seconds=left.total_seconds())
        return Judgement(verdict=Verdict.ANSWER, words=words)

    def _left(self, newest: MessageRecord, first: MessageRecord) -> timedelta:
        """How much longer to wait for more. Nothing when clocks disagree, or when the thought has taken long."""
        now, hold = self.clock(), self.pieces.hold
        age, since = now - newest.created_at, now - first.created_at
        return hold - age if OFF <= age < hold and since < MOST_HOLDS * hold else OFF

    async def _is_plain(self, message: MessageRecord) -> bool:
        """Words for the assistant, and nothing that stands by itself."""
        text = message.text
        if message.payload or message.media or asks_for_rest(message) or not self.pieces.may_join(text):
            return False
        if same_words(text) in RIGHTS or whole(text) in AGREE | DECLINE or read_code(text) is not None:
            return False
        conversation = await self.ledger.conversation(message.conversation_id)
        choices = await self.ledger.last_choices(conversation.id)
        return decide(conversation, message, (), await self.ledger.escalation_of(conversation.id), choices) == ToBot()


def joined_to(message: MessageRecord, before: Sequence[MessageRecord]) -> list[MessageRecord]:
    """The pieces just before it that were put off until it is answered, oldest first."""
    found: list[MessageRecord] = []
    for one in reversed(before):
        if one.outcome != MERGED or not within(one, found[0] if found else message):
            break
        found.insert(0, one)
    return found


def within(one: MessageRecord, following: MessageRecord) -> bool:
    return following.created_at - one.created_at <= ONE_THOUGHT


class Announces(Protocol):
    """The streams: says whether it was told."""

    async def announce_inbound(self, shard: int, conversation_id: str) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class LookAgain:
    """Has a conversation looked at again a little later, once. Lost with the process: then the sweeper does it."""

    streams: Announces
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def after(self, seconds: float, shard: int, conversation_id: str) -> None:
        if (earlier := self._tasks.get(conversation_id)) is not None:
            earlier.cancel()
        task = asyncio.create_task(self._announce(seconds, shard, conversation_id))
        self._tasks[conversation_id] = task
        task.add_done_callback(lambda done: self._forget(conversation_id, done))

    async def close(self) -> None:
        await cut_short(set(self._tasks.values()))

    async def _announce(self, seconds: float, shard: int, conversation_id: str) -> None:
        await asyncio.sleep(seconds)
        await self.streams.announce_inbound(shard, conversation_id)

    def _forget(self, conversation_id: str, done: asyncio.Task[None]) -> None:
        if self._tasks.get(conversation_id) is done:
            del self._tasks[conversation_id]
