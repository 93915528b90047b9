"""Bringing in somebody new, warmly: the person hears names and times, and nobody leaves before they have met.

    offer ("may I bring in Ana?") -> join ("Ana is here now") -> Ana writes, the person says ok -> finish

Everything is decided in the ledger (`ledger.introductions`); here are the words, and telling every open page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from channels.conversation import Sender
from channels.escalation import QUEUE, Escalations
from channels.ledger import Ledger
from channels.ledger.introductions import Leaving
from channels.ledger.records import Draft, EscalationRecord, PeerRecord
from channels.ledger.talk_records import IntroductionRecord, Whom
from channels.pages import clock
from channels.settings import Settings
from channels.streams import Streams


class Introducing:
    """Raises LedgerUnavailable, and what the ledger's verbs raise: NotTaken, Unread, NotYet."""

    def __init__(
        self,
        ledger: Ledger,
        streams: Streams,
        escalations: Escalations,
        settings: Settings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._streams = streams
        self._escalations = escalations
        self._zone = ZoneInfo(settings.timezone)
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._clock = now

    async def offer(self, escalation: EscalationRecord, peer: PeerRecord, whom: Whom, read: int) -> None:
        say = self._escalations.words_for(escalation).say
        words = say("introduction_offered", to=whom.to_name, name=peer.name)
        said = Draft(sender=Sender.PEER, text=words, sender_name=peer.name, urgent=bool(escalation.concerns))
        await self._ledger.introductions.offer(escalation.id, peer, whom, read, said)
        await self._tell(escalation)

    async def join(self, escalation: EscalationRecord, introduction: IntroductionRecord, guest: PeerRecord) -> None:
        say = self._escalations.words_for(escalation).say
        words = say("introduction_joined", to=guest.name, name=introduction.from_name, time=self._time())
        await self._ledger.introductions.join(introduction.id, guest, notice(escalation, words))
        await self._tell(escalation)

    async def finish(self, escalation: EscalationRecord, peer: PeerRecord, read: int, *, agreed: bool) -> None:
        """From now on the guest holds it. Their page keeps the lease alive, as for one they took themselves."""
        introduction = await self._ledger.introductions.current(escalation.id)
        to = introduction.guest_name if introduction else ""
        say = self._escalations.words_for(escalation).say
        words = say("introduction_done", to=to, name=peer.name, time=self._time())
        leaving = Leaving(
            read=read, agreed=agreed, lease_until=self._clock() + self._lease, told=notice(escalation, words)
        )
        done = await self._ledger.introductions.finish(escalation.id, peer, leaving)
        if done.guest_id:
            await self._escalations.renew(escalation.id, done.guest_id)
        await self._tell(escalation)

    async def withdraw(self, escalation: EscalationRecord, peer: PeerRecord) -> None:
        introduction = await self._ledger.introductions.current(escalation.id)
        if introduction is None:
            return
        to = introduction.guest_name or introduction.to_name
        say = self._escalations.words_for(escalation).say
        words = say("introduction_withdrawn", to=to, name=introduction.from_name)
        await self._ledger.introductions.withdraw(escalation.id, peer, notice(escalation, words))
        await self._tell(escalation)

    def _time(self) -> str:
        return clock(self._clock().astimezone(self._zone))

    async def _tell(self, escalation: EscalationRecord) -> None:
        """Have what was said sent, and every open page look again."""
        conversation = await self._ledger.conversation(escalation.conversation_id)
        urgent = bool(escalation.concerns)
        await self._streams.announce_outbound(conversation.shard, conversation.id, urgent=urgent)
        await self._streams.changed(conversation.id)
        await self._streams.changed(QUEUE)


def notice(escalation: EscalationRecord, words: str) -> Draft:
    return Draft(sender=Sender.NOTICE, text=words, urgent=bool(escalation.concerns))
