"""Somebody who writes very much very fast is answered more slowly and in one; nothing they write is lost or unseen.

    concern                         -> answered at once, always
    more than so many in a minute   -> all but the newest are answered together with it, at most every few seconds
    the same words again and again  -> a person is asked for, said once; then quiet: two machines in a loop
    very many answers in an hour    -> the same: whoever it is, a person should look

Every message is in the ledger before this is asked, stays in the story, and gets an outcome of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from channels.conversation import Choice, Holder, Sender
from channels.ledger.records import ConversationRecord, EscalationRecord, MessageRecord, Pace, PersonRecord
from channels.routing import AskPerson, NoWords, OptIn, ToBot, decide
from channels.settings import Settings

MERGED: Final = "merged"
QUIET: Final = frozenset({"repeated", "quiet"})
"""Outcomes of messages that were stored and shown and not answered."""

SAME_WORDS: Final = 4
"""The same words for the fourth time in a row are, for a machine, the fourth round of a loop."""
SAME_WORDS_WITH_CONCERN: Final = 20
"""Other services' automatic answers name suicide too, so even these must come to an end; a person has them by then."""
LOOKED_BACK: Final = 60
"""Messages of both sides among which words are compared."""
LOOP_RESTS: Final = timedelta(hours=6)
FEWEST_WORDS: Final = 4
"""From so many words on, a text that differs in its numbers only says the same."""
RIGHTS: Final = frozenset({"forget me", "my info", "start again"})


class Verdict(StrEnum):
    """What becomes of a message."""

    ANSWER = "answer"
    MERGE = "merge"
    """Its words are answered with those that came after it."""
    WAIT = "wait"
    """It is answered, a little later."""
    HAND_OVER = "hand_over"
    """Say that a person will look, and say no more by itself."""
    KEEP_QUIET = "keep_quiet"
    HOLD = "hold"
    """More of the same thought is about to come: look again in some seconds, or when it has."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """`words`: what to answer when earlier messages are answered with this one; empty for its own.

    `seconds`: how long to hold it.
    """

    verdict: Verdict
    words: str = ""
    seconds: float = 0.0


class Reads(Protocol):
    """The ledger, as far as pace goes."""

    async def conversation(self, conversation_id: str) -> ConversationRecord: ...

    async def person(self, person_id: str) -> PersonRecord: ...

    async def escalation_of(self, conversation_id: str) -> EscalationRecord | None: ...

    async def last_choices(self, conversation_id: str) -> tuple[Choice, ...]: ...

    async def messages(self, conversation_id: str, after_seq: int = 0, limit: int = 500) -> list[MessageRecord]: ...

    async def pace(self, conversation_id: str) -> Pace: ...


@dataclass(frozen=True, kw_only=True)
class Slowing:
    """Reads, and changes nothing. Raises LedgerUnavailable."""

    ledger: Reads
    settings: Settings
    clock: Callable[[], datetime]

    async def judge(self, message: MessageRecord, *, concerned: bool) -> Judgement:
        """What to do with the earliest message that is not answered yet. `concerned`: either layer found a concern."""
        conversation = await self.ledger.conversation(message.conversation_id)
        if conversation.holder is Holder.PEER:
            return Judgement(verdict=Verdict.ANSWER)
        pace = await self.ledger.pace(conversation.id)
        if pace.replied >= SAME_WORDS - 1:
            looped = await self._looped(message, pace, SAME_WORDS_WITH_CONCERN if concerned else SAME_WORDS)
            if looped is not None:
                return Judgement(verdict=looped)
        most = self.settings.person_per_minute
        if concerned or most <= 0 or pace.written <= most or not await self._may_merge(message, conversation):
            return Judgement(verdict=Verdict.ANSWER)
        if message.seq < pace.newest_unanswered:
            return Judgement(verdict=Verdict.MERGE)
        if pace.last_reply_at and self.clock() - pace.last_reply_at < self._pause:
            return Judgement(verdict=Verdict.WAIT)
        return Judgement(verdict=Verdict.ANSWER, words=await self._together(message, conversation))

    async def is_fast(self, conversation_id: str) -> bool:
        """Whether this is more in a minute than is answered singly."""
        most = self.settings.person_per_minute
        return 0 < most < (await self.ledger.pace(conversation_id)).written

    @property
    def _pause(self) -> timedelta:
        return timedelta(seconds=self.settings.slow_reply_seconds)

    async def _looped(self, message: MessageRecord, pace: Pace, most: int) -> Verdict | None:
        """None while nothing goes round in circles."""
        earlier = await self._before(message, LOOKED_BACK)
        theirs = [one for one in earlier if one.sender is Sender.PERSON]
        limit = self.settings.replies_per_hour
        too_many = most == SAME_WORDS and 0 < limit <= pace.replied
        if not too_many and repeats(message, theirs) < most - 1:
            return None
        told = bool(theirs) and theirs[-1].outcome in QUIET
        return Verdict.KEEP_QUIET if told else Verdict.HAND_OVER

    async def _may_merge(self, message: MessageRecord, conversation: ConversationRecord) -> bool:
        """Plain words, and what asks for nothing new. A right, STOP, HELP and the first PERSON stand by themselves."""
        choices = await self.ledger.last_choices(conversation.id)
        escalation = await self.ledger.escalation_of(conversation.id)
        match decide(conversation, message, (), escalation, choices):
            case ToBot(payload=payload):
                return not (payload or "").startswith("forget") and same_words(message.text) not in RIGHTS
            case AskPerson(again=again):
                return again
            case OptIn():
                return not (await self.ledger.person(conversation.person_id)).do_not_text_first
            case NoWords():
                return True
        return False

    async def _together(self, message: MessageRecord, conversation: ConversationRecord) -> str:
        """The words of those before it that were put off, and its own; empty when it is a choice or holds no words."""
        choices = await self.ledger.last_choices(conversation.id)
        if decide(conversation, message, (), None, choices) != ToBot():
            return ""
        words = [message.text]
        for earlier in reversed(await self._before(message, LOOKED_BACK)):
            if earlier.sender is Sender.PERSON and earlier.outcome != MERGED:
                break
            if earlier.sender is Sender.PERSON and earlier.text.strip():
                words.append(earlier.text)
        return " ".join(reversed(words))

    async def _before(self, message: MessageRecord, count: int) -> list[MessageRecord]:
        start = max(0, message.seq - 1 - count)
        return await self.ledger.messages(message.conversation_id, start, message.seq - 1 - start)


def repeats(message: MessageRecord, earlier: Sequence[MessageRecord]) -> int:
    """How often in a row the same was said before it. Buttons, short answers and media are nobody's loop."""
    words = same_words(message.text)
    if message.payload or len(words) < 4:
        return 0
    count = 0
    for one in reversed(earlier):
        if same_words(one.text) != words or message.created_at - one.created_at > LOOP_RESTS:
            break
        # Only what got an answer of its own can have been an answer to one.
        count += one.outcome != MERGED
    return count


def same_words(text: str) -> str:
    """Without capitals and marks, and in a sentence without numbers: automatic answers differ in a ticket's number."""
    plain = text.casefold()
    words = re.findall(r"[^\W\d_]+", plain)
    return " ".join(words if len(words) >= FEWEST_WORDS else re.findall(r"\w+", plain))
