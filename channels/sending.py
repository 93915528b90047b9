"""Messages to people, in order within a conversation, once each as far as a provider lets us.

    QUEUED -> mark SENDING -> provider -> mark SENT          a failure: QUEUED again for later, or FAILED on the desk

A message found SENDING was interrupted between those two marks: nobody knows whether the provider took it. Where
the provider can say (SMS), it is asked before anything is sent again; where it can not (Telegram), the message goes
again, because twice is better than never. On the web the ledger is the channel: the page reads it from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

import structlog

from channels.conversation import Channel, Delivery
from channels.conversation import Sender as Author
from channels.errors import SendFailed
from channels.gsm7 import segments
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord, PersonRecord
from channels.pacing import Pacer
from channels.safety import SAFETY
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics

MOST_TRIES: Final = 48
LONGEST_TRYING: Final = timedelta(hours=4)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
SEND_SECONDS: Final = 15.0
"""Longer than the providers' own clients wait."""
IN_FLIGHT_MARGIN: Final = 5.0
CLOCK_SKEW: Final = timedelta(seconds=30)
"""How far a provider's clock may be behind ours when a message is looked up."""
OPTED_OUT: Final = frozenset({"opted_out", "opted_out_after_concern"})
LOOKED_BACK: Final = 20
"""Messages among which an id must be new."""

T = TypeVar("T")


class Sender(Protocol):
    """How one channel's messages go out. Raises SendFailed."""

    async def send(self, person: PersonRecord, message: MessageRecord) -> str:
        """Gives the provider's id."""

    async def find_sent(self, person: PersonRecord, message: MessageRecord, since: datetime) -> str | None:
        """The id of this very message if the provider has it already; None where nobody can tell."""


@dataclass(frozen=True, kw_only=True)
class Sending:
    """`patience`: seconds that one call to a provider may take; for a little longer than that, a message that is
    SENDING is taken to be on its way in another worker's hands. `pacers`: channels that take only so much a second.

    Raises LedgerUnavailable: the work is then announced again later.
    """

    ledger: Ledger
    streams: Streams
    senders: Mapping[Channel, Sender]
    metrics: WorkerMetrics
    clock: Callable[[], datetime]
    patience: float = SEND_SECONDS
    pacers: Mapping[Channel, Pacer] = field(default_factory=dict)

    async def work_through(self, conversation_id: str) -> None:
        """Send until nothing is due. The first message that has to wait holds back those after it."""
        while (message := await self.ledger.next_unsent(conversation_id)) is not None:
            if not await self._deal_with(message):
                return

    async def _deal_with(self, message: MessageRecord) -> bool:
        """Whether the next message may go."""
        if message.delivery is Delivery.SENDING and self._in_other_hands(message):
            return False
        conversation = await self.ledger.conversation(message.conversation_id)
        if conversation.channel is Channel.WEB:
            await self._sent(message, Channel.WEB, f"web-{message.id}", "sent")
            return True
        person = await self.ledger.person(conversation.person_id)
        try:
            return await self._send(await self._sender_for(person, message), person, message)
        except SendFailed as failure:
            return await self._fail(message, person.channel, failure)

    async def _sender_for(self, person: PersonRecord, message: MessageRecord) -> Sender:
        """Raises SendFailed when there is no way, or no wish, to have this message."""
        if not person.address:
            raise SendFailed("forgotten", "Erased.", retryable=False)
        # A peer worker's own words go: a person decides that.
        quiet = person.channel is Channel.SMS and person.do_not_text_first and message.sender is not Author.PEER
        if quiet and is_unwanted(message, await self._written_by_them(message)):
            raise SendFailed("opted_out", "They asked for no more texts before this one went.", retryable=False)
        sender = self.senders.get(person.channel)
        if sender is None:
            raise SendFailed("not_set_up", "This channel is not set up.", retryable=False)
        return sender

    async def _written_by_them(self, message: MessageRecord) -> list[MessageRecord]:
        around = await self.ledger.messages(message.conversation_id, max(0, message.seq - LOOKED_BACK))
        return [one for one in around if one.sender is Author.PERSON]

    async def _send(self, sender: Sender, person: PersonRecord, message: MessageRecord) -> bool:
        """Raises SendFailed."""
        if message.attempts:
            found = await self._find_sent(sender, person, message)
            if found is not None:
                await self._sent(message, person.channel, found, "found")
                return True
        if message.delivery is Delivery.SENDING:
            await self.ledger.mark_failed(message.id, "interrupted", "", self.clock())
        await self._wait_for_turn(person.channel, message)
        if not await self.ledger.mark_sending(message.id):
            return False
        provider_id = await self._in_time(sender.send(person, message))
        await self._sent(message, person.channel, provider_id, "sent")
        return True

    async def _wait_for_turn(self, channel: Channel, message: MessageRecord) -> None:
        """Before it is marked: a message that waits for its turn is not on its way. Networks count segments."""
        if pacer := self.pacers.get(channel):
            urgent = await self.ledger.has_urgent(message.conversation_id)
            await pacer.turn(max(1, segments(message.text)), urgent=urgent)

    async def _find_sent(self, sender: Sender, person: PersonRecord, message: MessageRecord) -> str | None:
        """Two messages may have the same words, so an id that another one carries is not this one's."""
        since = (message.sending_since or message.created_at) - CLOCK_SKEW
        found = await self._in_time(sender.find_sent(person, message, since))
        if found is None:
            return None
        around = await self.ledger.messages(message.conversation_id, message.seq - LOOKED_BACK)
        return None if any(other.provider_id == found for other in around) else found

    async def _sent(self, message: MessageRecord, channel: Channel, provider_id: str, result: str) -> None:
        await self.ledger.mark_sent(message.id, provider_id)
        self.metrics.count_sent(channel, result)
        await self.streams.changed(message.conversation_id)

    async def _fail(self, message: MessageRecord, channel: Channel, failure: SendFailed) -> bool:
        """Try again later, or end it where the desk shows it. What comes after a final failure may go."""
        tries = message.attempts + 1
        now = self.clock()
        again = failure.retryable and tries < MOST_TRIES and now - message.created_at < LONGEST_TRYING
        retry_at = now + pause_before(tries, failure.retry_after) if again else None
        await self.ledger.mark_failed(message.id, failure.code, failure.explanation, retry_at)
        self.metrics.count_sent(channel, "retry" if again else "failed")
        structlog.get_logger().warning(
            "send_failed", message_id=message.id, code=failure.code, tries=tries, final=not again
        )
        await self.streams.changed(message.conversation_id)
        return not again

    def _in_other_hands(self, message: MessageRecord) -> bool:
        in_flight = timedelta(seconds=self.patience + IN_FLIGHT_MARGIN)
        return message.sending_since is not None and self.clock() - message.sending_since < in_flight

    async def _in_time(self, call: Awaitable[T]) -> T:
        """Raises SendFailed when it takes too long; what was begun may have happened all the same."""
        try:
            async with asyncio.timeout(self.patience):
                return await call
        except TimeoutError:
            explanation = "The provider did not answer in time; the message may have gone out."
            raise SendFailed("timeout", explanation, retryable=True) from None


def is_unwanted(message: MessageRecord, theirs: Sequence[MessageRecord]) -> bool:
    """A text of ours that still waited when STOP came, or the word that it is not safe to write.

    `theirs` are the last messages of somebody who asked not to be texted first. An answer to what they have written
    since goes: they were told that they can write. Where they wrote nothing lately it answers nothing.
    """
    stopped = not theirs or theirs[-1].outcome in OPTED_OUT
    return stopped or any(one.seq > message.seq and one.outcome in (*OPTED_OUT, SAFETY) for one in theirs)


def pause_before(tries: int, asked_for: float | None) -> timedelta:
    """5 s, 10 s, 20 s ... 5 min; longer when the provider asks for it."""
    pause = min(FIRST_PAUSE * (1 << min(tries - 1, 10)), LONGEST_PAUSE)
    return max(pause, timedelta(seconds=asked_for or 0.0))
