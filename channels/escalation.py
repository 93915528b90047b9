"""People who asked for a person: who waits, who is with somebody, and what they are told when that changes.

    ask -> WAITING --claim--> HELD --close, release--> CLOSED      Holder:  BOT <------> PEER   (exactly one)
            |  ^  ^             |
            |  |  +-- pass on --+
            |  +- lease ran out +
          lapse
            v
          LAPSED --claim--> HELD      (told so, with who can help now; keeps the place in the queue)

The ledger is the truth and makes every change in one transaction. Redis holds the order of the queue and the
leases, so that neither a desk nor a count needs SQL; whatever Redis loses, `sweep` puts back. Asking again (the
worker, through `Ledger.commit`) reuses the escalation that is open.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from channels.codes import new_code, shown
from channels.conversation import EscalationState, Sender
from channels.errors import ChannelsError, NotTaken, StreamsUnavailable
from channels.ledger import Ledger
from channels.ledger.records import ConversationRecord, Draft, EscalationRecord, PeerRecord
from channels.resting import check_rested
from channels.settings import Settings
from channels.streams import Streams

MOST_HELD: Final = 2
MOST_HELD_WITH_CONCERN: Final = 1
"""Talks last most of an hour. Two at once is what people manage well; one when somebody may be in danger."""

CONCERN_AHEAD: Final = 1e11
"""Seconds by which a concern comes before anybody without one: more than any time since 1970."""

STREAMS_SECONDS: Final = 2.0
"""How long a change that the ledger has made already may wait for Redis."""

QUEUE: Final = "queue"
IN_QUEUE: Final = (EscalationState.WAITING, EscalationState.LAPSED)


class CapReached(ChannelsError):
    """A peer worker asked for one conversation more than is good for them and for the people they are with."""

    def __init__(self, held: int, *, with_concern: bool) -> None:
        super().__init__(f"holds {held}")
        self.held = held
        self.with_concern = with_concern


class NotYours(ChannelsError):
    """Only the peer worker who holds a conversation may do this; `holder_name` says who that is, if anybody."""

    def __init__(self, holder_name: str = "") -> None:
        super().__init__("held by somebody else" if holder_name else "held by nobody")
        self.holder_name = holder_name


class EmptyReply(ChannelsError):
    """A reply without words."""


class Says(Protocol):
    """Where words for a person come from."""

    def say(self, key: str, /, **values: object) -> str: ...

    def place(self, number: int) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did, in counts."""

    returned: int
    lapsed: int
    waiting: int


def rank(escalation: EscalationRecord) -> tuple[bool, datetime, str]:
    """Sorts a queue: concern first, then whoever has waited longest."""
    return (not escalation.concerns, escalation.opened_at, escalation.id)


def score(escalation: EscalationRecord) -> float:
    """`rank` as the one number that an ordered set in Redis sorts by: a place in a queue, never a mark of a person."""
    return escalation.opened_at.timestamp() - (CONCERN_AHEAD if escalation.concerns else 0.0)


def check_cap(held: Sequence[EscalationRecord]) -> None:
    """Whether one more fits beside those a peer worker holds. Raises CapReached."""
    with_concern = any(escalation.concerns for escalation in held)
    if len(held) >= (MOST_HELD_WITH_CONCERN if with_concern else MOST_HELD):
        raise CapReached(len(held), with_concern=with_concern)


class Escalations:
    """Every method raises LedgerUnavailable. None needs Redis to succeed: without it, pages learn of changes later."""

    def __init__(
        self,
        ledger: Ledger,
        streams: Streams,
        wording: Says,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.wording = wording
        self._ledger = ledger
        self._streams = streams
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._patience = timedelta(minutes=settings.lapse_minutes)
        self._clock = clock
        self._claims: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._log = structlog.get_logger()

    # -- the queue

    async def announce(self, escalation_id: str) -> None:
        """Put what the ledger has just opened, or learnt more of, where every desk sees it."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None or escalation.state not in IN_QUEUE:
            return
        await self._rebuild()
        async with self._beside_the_ledger(escalation_id):
            await self._streams.changed(escalation.conversation_id)
            await self._streams.changed(QUEUE)

    async def waiting(self) -> list[EscalationRecord]:
        """Everybody who waits, LAPSED included, in the order they should be taken.

        Redis' order counts unless it has lost somebody; it can never put a concern behind.
        """
        waiting = await self._ledger.waiting()
        order: dict[str, int] = {}
        async with self._beside_the_ledger():
            order = {escalation_id: place for place, escalation_id in enumerate(await self._streams.queue_ids())}
        if not order.keys() >= {escalation.id for escalation in waiting}:
            return sorted(waiting, key=rank)
        return sorted(waiting, key=lambda escalation: (not escalation.concerns, order[escalation.id]))

    # -- what a peer worker does

    async def claim(self, escalation_id: str, peer: PeerRecord, *, anyway: bool = False) -> EscalationRecord:
        """Take somebody from the queue; of many who try, one succeeds. Raises CapReached, NeedsRest, NotTaken.

        `anyway`: a peer worker who should rest has been told so, and wants to all the same.
        """
        if not anyway:
            wanted = await self._ledger.escalation(escalation_id)
            hard = wanted is not None and bool(wanted.concerns)
            check_rested(await self._ledger.care.of(peer.id), self._clock(), hard=hard)
        async with self._claims[peer.id]:
            held = [one for one in await self._ledger.held_escalations() if one.claimed_by == peer.id]
            if escalation_id not in {one.id for one in held}:
                check_cap(held)
            notice = Draft(sender=Sender.NOTICE, text=self.wording.say("joined", name=peer.name), sender_name=peer.name)
            escalation = await self._ledger.claim(escalation_id, peer, self._clock() + self._lease, notice)
        async with self._beside_the_ledger(escalation_id):
            await self._streams.queue_remove(escalation_id)
            await self._streams.lease(escalation_id, peer.id, self._lease.total_seconds())
        await self._tell(escalation)
        return escalation

    async def renew(self, escalation_id: str, peer_id: str) -> bool:
        """A sign of life from the page of whoever holds it. False when they do not hold it any more."""
        if not await self._ledger.renew(escalation_id, peer_id, self._clock() + self._lease):
            return False
        async with self._beside_the_ledger(escalation_id):
            await self._streams.lease(escalation_id, peer_id, self._lease.total_seconds())
        return True

    async def reply(self, escalation_id: str, peer: PeerRecord, *texts: str) -> None:
        """Send a peer worker's words, as one message or several. Raises EmptyReply, NotYours."""
        words = [text.strip() for text in texts if text.strip()]
        if not words:
            raise EmptyReply
        await self.say(escalation_id, peer, *(Draft(sender=Sender.PEER, text=text) for text in words))

    async def say(self, escalation_id: str, peer: PeerRecord, *said: Draft) -> None:
        """Send what a peer worker says, in words or with cards, under their name. Raises NotYours."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            raise NotYours
        urgent = bool(escalation.concerns)
        drafts = [replace(draft, sender_name=peer.name, urgent=urgent) for draft in said]
        try:
            await self._ledger.append(escalation.conversation_id, drafts, held_by=peer.id)
        except NotTaken as taken:
            raise NotYours(taken.holder_name) from None
        await self.renew(escalation_id, peer.id)
        await self._tell(escalation)

    async def offer_code(self, escalation_id: str, peer: PeerRecord) -> None:
        """Give them a code, to carry on with this peer worker over another channel. Raises NotYours."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            raise NotYours
        code = new_code()
        words = self.wording.say("move_code", code=shown(code))
        try:
            drafts = [notice_for(escalation, words)]
            await self._ledger.append(escalation.conversation_id, drafts, held_by=peer.id, code=code)
        except NotTaken as taken:
            raise NotYours(taken.holder_name) from None
        await self._tell(escalation)

    async def release(self, escalation_id: str, peer: PeerRecord) -> None:
        """Hand back to the assistant, which starts afresh; the person is greeted by it. Raises NotYours."""
        await self._close(escalation_id, peer, "back_with_assistant")

    async def close(self, escalation_id: str, peer: PeerRecord) -> None:
        """The talk has come to its end; the person can write again any time. Raises NotYours."""
        await self._close(escalation_id, peer, "left")

    async def pass_on(self, escalation_id: str, peer: PeerRecord) -> None:
        """Back to the queue, in the place they had. Nobody asks why. Raises NotYours."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            raise NotYours
        ahead = sum(rank(other) < rank(escalation) for other in await self._ledger.waiting())
        words = self.wording.say("passed_on", name=peer.name, place=self.wording.place(ahead + 1))
        if not await self._ledger.give_back(escalation_id, notice_for(escalation, words), held_by=peer.id):
            raise NotYours(await self._holder_of(escalation_id))
        await self._returned(escalation)

    # -- what time does

    async def lapse(self, escalation_id: str) -> bool:
        """Tell somebody that nobody has come, and who is there now. They keep their place. False if it changed."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            return False
        if not await self._ledger.lapse(escalation_id, notice_for(escalation, self.wording.say("lapse"))):
            return False
        self._log.warning("escalation_lapsed", escalation_id=escalation_id)
        await self._tell(escalation)
        return True

    async def sweep(self) -> Swept:
        """Take back what nobody looks after any more, admit what took too long, and mend the queue in Redis.

        Any number of workers may do this at once: each change happens once.
        """
        now = self._clock()
        expired = [await self._take_back(escalation, now) for escalation in await self._ledger.expired_leases(now)]
        overdue = await self._ledger.overdue(now - self._patience)
        lapsed = [await self.lapse(escalation.id) for escalation in overdue]
        return Swept(returned=sum(expired), lapsed=sum(lapsed), waiting=await self._rebuild())

    async def _take_back(self, escalation: EscalationRecord, now: datetime) -> bool:
        """The peer worker's page has gone quiet; unless Redis has heard from it, somebody else should come."""
        async with self._beside_the_ledger(escalation.id):
            if await self._streams.lease_owner(escalation.id) == escalation.claimed_by:
                return False
        words = self.wording.say("lease_ran_out", name=escalation.claimed_name)
        if not await self._ledger.give_back(escalation.id, notice_for(escalation, words), expired_at=now):
            return False
        self._log.warning("lease_ran_out", escalation_id=escalation.id)
        await self._returned(escalation)
        return True

    async def _rebuild(self) -> int:
        """Make the queue in Redis what the ledger says it is, and say so when it was not."""
        waiting = sorted(await self._ledger.waiting(), key=rank)
        wanted = [escalation.id for escalation in waiting]
        async with self._beside_the_ledger():
            if await self._streams.queue_ids() != wanted:
                await self._streams.queue_set([(escalation.id, score(escalation)) for escalation in waiting])
                await self._streams.changed(QUEUE)
        return len(waiting)

    # -- what every change needs

    async def end_with(self, escalation_id: str, peer: PeerRecord, key: str, **values: object) -> None:
        """Close with other words than goodbye. Raises NotYours."""
        await self._close(escalation_id, peer, key, **values)

    async def _close(self, escalation_id: str, peer: PeerRecord, key: str, **values: object) -> None:
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            raise NotYours
        notice = notice_for(escalation, self.wording.say(key, name=peer.name, **values))
        if not await self._ledger.close_escalation(escalation_id, peer.id, notice):
            raise NotYours(await self._holder_of(escalation_id))
        async with self._beside_the_ledger(escalation_id):
            await self._streams.drop_lease(escalation_id)
        await self._tell(escalation)

    async def _returned(self, escalation: EscalationRecord) -> None:
        async with self._beside_the_ledger(escalation.id):
            await self._streams.drop_lease(escalation.id)
        await self._rebuild()
        await self._tell(escalation)

    async def _tell(self, escalation: EscalationRecord) -> None:
        """Have what was said sent, and every open page look again."""
        conversation: ConversationRecord = await self._ledger.conversation(escalation.conversation_id)
        async with self._beside_the_ledger(escalation.id):
            urgent = bool(escalation.concerns)
            if await self._streams.announce_outbound(conversation.shard, conversation.id, urgent=urgent):
                await self._streams.changed(conversation.id)
                await self._streams.changed(QUEUE)

    async def _holder_of(self, escalation_id: str) -> str:
        escalation = await self._ledger.escalation(escalation_id)
        return escalation.claimed_name if escalation and escalation.state is EscalationState.HELD else ""

    @asynccontextmanager
    async def _beside_the_ledger(self, escalation_id: str = "") -> AsyncIterator[None]:
        """Redis being away delays what it would have told; the ledger has the change, and the sweep makes up for it."""
        try:
            async with asyncio.timeout(STREAMS_SECONDS):
                yield
        except (StreamsUnavailable, TimeoutError) as problem:
            self._log.warning("left_to_sweep", escalation_id=escalation_id, problem=type(problem).__name__)


def notice_for(escalation: EscalationRecord, words: str) -> Draft:
    return Draft(sender=Sender.NOTICE, text=words, urgent=bool(escalation.concerns))
