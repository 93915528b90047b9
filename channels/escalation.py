"""People who asked for a person: who waits, who is with somebody, and what they are told when that changes.

    open -> WAITING --claim--> HELD --close--> CLOSED          Holder:  BOT <------> PEER   (exactly one)
             ^  \\               |
             |   \\--lapse--> LAPSED (told so, with who can help now; stays visible, can be claimed)
             +---- lease ran out / pass on / transfer ----+

`escalation_states` has every move. The ledger is the truth and makes every change in one transaction. Redis holds the
order of the queue and the leases, each person put in and taken out singly; whatever Redis loses, `sweep` puts back.
Asking again (the worker, through `Ledger.commit`) reuses the escalation that is open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from channels.codes import new_code, shown
from channels.conversation import EscalationState, Sender
from channels.errors import CapReached, NotTaken, StreamsUnavailable
from channels.escalation_states import IN_QUEUE
from channels.ledger import Ledger
from channels.ledger.database import shard_of
from channels.ledger.duties import DutyState
from channels.ledger.ending import Leaves
from channels.ledger.queue_order import rank_of
from channels.ledger.records import Draft, EscalationRecord, PeerRecord
from channels.matching import WhoIsHere
from channels.notices import Says, lapse_notice, notice_for
from channels.refusals import EmptyReply, Leaving, NotAgreed, NotYours
from channels.settings import Settings
from channels.streams import AtOnce, Streams
from channels.teams import Sight, Teams
from channels.terms import TermsOf
from channels.unsharing import Unsharing

__all__ = ["CapReached", "EmptyReply", "Escalations", "Leaving", "NotAgreed", "NotYours", "notice_for", "rank", "score"]

STREAMS_SECONDS: Final = 2.0
"""How long a change that the ledger has made already may wait for Redis."""

MEND_EVERY: Final = 60.0
"""Seconds between two looks through the whole queue in Redis."""

QUEUE: Final = "queue"


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did."""

    lost: tuple[EscalationRecord, ...]
    """Those whose holder's pages have gone quiet, as they were."""
    lapsed: int
    waiting: int

    @property
    def returned(self) -> int:
        return len(self.lost)


def rank(escalation: EscalationRecord) -> tuple[datetime, str]:
    """Sorts a queue as the ledger does (`queue_order`)."""
    return (rank_of(escalation.opened_at, urgent=bool(escalation.concerns)), escalation.id)


def score(escalation: EscalationRecord) -> float:
    """`rank` as the one number that an ordered set in Redis sorts by: a place in a queue, never a mark of a person."""
    return rank(escalation)[0].timestamp()


class Escalations:
    """Every method raises LedgerUnavailable. None needs Redis to succeed: without it, pages learn of changes later."""

    def __init__(
        self,
        ledger: Ledger,
        streams: Streams,
        wording: Says,
        settings: Settings,
        *,
        teams: Teams | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.wording = wording
        self.teams = teams or Teams()
        self._ledger = ledger
        self._streams = streams
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._shards = settings.shards
        self._patience = timedelta(minutes=settings.lapse_minutes)
        self._clock = clock
        self._mend_at = 0.0
        self._unsharing = Unsharing(ledger, self.teams)
        self._log = structlog.get_logger()

    @property
    def _terms(self) -> TermsOf:
        return TermsOf(wording=self.wording, teams=self.teams, lease=self._lease, clock=self._clock)

    # -- the queue

    async def announce(self, escalation_id: str) -> None:
        """Put what the ledger has just opened, or learnt more of, where every desk sees it."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None or escalation.state not in IN_QUEUE:
            return
        async with self._beside_the_ledger(escalation_id), self._streams.together() as told:
            told.queue_put(escalation.id, score(escalation))
            told.changed(escalation.conversation_id)
            told.changed(QUEUE)

    async def waiting(self, limit: int | None = None) -> list[EscalationRecord]:
        """Everybody who waits, LAPSED included, in the order they should be taken; or the first so many."""
        line = self._ledger
        return await line.waiting() if limit is None else await line.queue.first(limit, with_unreadable=True)

    async def waiting_for(self, sight: Sight) -> list[EscalationRecord]:
        """Of everybody who waits those whom somebody may see, in order."""
        if sight.home:
            return await self.waiting()
        agreed = await self._ledger.queue.waiting_with_yes(sight.organisations)
        return [one for one, organisations in agreed if sight.sees(one, organisations)]

    async def sight(self, peer: PeerRecord) -> Sight:
        """Whom a peer worker may see."""
        return Sight.of(self.teams, (await self._ledger.queue.duty(peer.id)).teams)

    async def may_see(self, peer: PeerRecord, escalation: EscalationRecord) -> bool:
        sight = await self.sight(peer)
        agreed = {} if sight.home else await self._ledger.queue.agreed([escalation.conversation_id])
        return sight.sees(escalation, agreed.get(escalation.conversation_id, ()))

    async def may_stay(self, escalation: EscalationRecord) -> bool:
        """Whether whoever holds it may go on: somebody of another organisation only while the person agrees."""
        return await self._unsharing.may_stay(escalation)

    def words_for(self, escalation: EscalationRecord) -> Says:
        """What somebody is told is in the language of their conversation."""
        return self.wording.within(escalation.language)

    # -- what a peer worker does

    async def claim(self, escalation_id: str, peer: PeerRecord, *, anyway: bool = False) -> EscalationRecord:
        """Take somebody from the queue; of many who try, one succeeds. Raises CapReached, Leaving, NeedsRest, NotTaken.

        `anyway`: a peer worker who should rest has been told so, and wants to all the same.
        """
        decide = self._terms.chosen(peer, anyway=anyway)
        escalation = await self._ledger.queue.take(escalation_id, peer, decide)
        await self._taken(escalation, peer)
        return escalation

    async def take_next(self, peer: PeerRecord) -> EscalationRecord | None:
        """The first in line whom they may be given; None when there is nobody. Raises CapReached, Leaving, NeedsRest.

        After several hard talks it is the first who is not a hard one too; NeedsRest when only such people wait.
        """
        try:
            escalation = await self._ledger.queue.take_next(peer, self._terms.next_one(peer, None))
        except WhoIsHere:
            others = await self._spoken_by_others(peer)
            escalation = await self._ledger.queue.take_next(peer, self._terms.next_one(peer, others))
        if escalation:
            await self._taken(escalation, peer)
        return escalation

    async def _spoken_by_others(self, peer: PeerRecord) -> frozenset[str]:
        """By those at the desk. Without Redis nobody knows who that is, and nobody is kept for them."""
        here: list[str] = []
        async with self._beside_the_ledger():
            here = await self._streams.presence()
        duties = await self._ledger.queue.duties()
        others = (duties[one] for one in here if one != peer.id and one in duties)
        return frozenset[str]().union(*(duty.languages for duty in others if duty.state is DutyState.ON))

    async def _taken(self, escalation: EscalationRecord, peer: PeerRecord) -> None:
        async with self._beside_the_ledger(escalation.id), self._streams.together() as told:
            told.queue_remove(escalation.id)
            told.lease(escalation.id, peer.id, self._lease.total_seconds())
            self._tell(escalation, told)

    async def renew(self, escalation_id: str, peer_id: str) -> bool:
        """A sign of life from the page of whoever holds it. False when they do not hold it any more."""
        if not await self._ledger.renew(escalation_id, peer_id, self._clock() + self._lease):
            return False
        async with self._beside_the_ledger(escalation_id):
            await self._streams.lease(escalation_id, peer_id, self._lease.total_seconds())
        return True

    async def renew_all(self, peer_id: str) -> list[str]:
        """A sign of life from any page of a peer worker, for everybody they are with. Gives the escalations."""
        held = await self._ledger.queue.renew_all(peer_id, self._clock() + self._lease)
        if held:
            async with self._beside_the_ledger(), self._streams.together() as told:
                for escalation_id in held:
                    told.lease(escalation_id, peer_id, self._lease.total_seconds())
        return held

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
        await self._said(escalation)

    async def offer_code(self, escalation_id: str, peer: PeerRecord) -> None:
        """Give them a code, to carry on with this peer worker over another channel. Raises NotYours."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            raise NotYours
        code = new_code()
        words = self.words_for(escalation).say("move_code", code=shown(code))
        try:
            drafts = [notice_for(escalation, words)]
            await self._ledger.append(escalation.conversation_id, drafts, held_by=peer.id, code=code)
        except NotTaken as taken:
            raise NotYours(taken.holder_name) from None
        await self._said(escalation)

    async def release(self, escalation_id: str, peer: PeerRecord) -> None:
        """Hand back to the assistant, which starts afresh; the person is greeted by it. Raises NotYours."""
        await self.end_with(escalation_id, peer, "back_with_assistant")

    async def close(self, escalation_id: str, peer: PeerRecord) -> None:
        """The talk has come to its end; the person can write again any time. Raises NotYours."""
        await self.end_with(escalation_id, peer, "left")

    async def pass_on(self, escalation_id: str, peer: PeerRecord, key: str = "passed_on") -> None:
        """Back to the queue, in the place they had. Nobody asks why. Raises NotYours."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            raise NotYours
        words = self.words_for(escalation).say(key, name=peer.name, place=await self._place_back(escalation))
        if not await self._ledger.give_back(escalation_id, notice_for(escalation, words), held_by=peer.id):
            raise NotYours(await self._holder_of(escalation_id))
        await self._returned(escalation)

    async def transfer(self, escalation_id: str, peer: PeerRecord, team_id: str) -> None:
        """On to a team, in the place they had. Raises NotYours, NotAgreed."""
        escalation, team = await self._ledger.escalation(escalation_id), self.teams.get(team_id)
        if escalation is None:
            raise NotYours
        agreed = await self._ledger.queue.agreed([escalation.conversation_id])
        if team is None or not (team.home or team.organisation in agreed.get(escalation.conversation_id, ())):
            raise NotAgreed
        place = await self._place_back(escalation)
        say = self.words_for(escalation).say
        key = "passed_on" if team.home else "transferred"
        notice = notice_for(escalation, say(key, name=peer.name, team=team.organisation_name, place=place))
        if not await self._ledger.queue.transfer(escalation_id, team.id, notice, held_by=peer.id):
            raise NotYours(await self._holder_of(escalation_id))
        await self._returned(escalation)

    async def _place_back(self, escalation: EscalationRecord) -> str:
        """Where they will be in line, in words: the place they had."""
        return self.words_for(escalation).place(await self._ledger.queue.place_back(escalation))

    async def end_unshared(self, conversation_id: str = "") -> int:
        """Back in line whoever is with somebody to whose organisation they do not say yes any more. Says how many."""
        ended = 0
        for one in await self._unsharing.over(conversation_id):
            words = self.words_for(one).say("sharing_ended", name=one.claimed_name, place=await self._place_back(one))
            if await self._ledger.queue.end_shared(one, notice_for(one, words)):
                self._log.info("sharing_ended", escalation_id=one.id)
                await self._returned(one)
                ended += 1
        return ended

    # -- what time does

    async def lapse(self, escalation_id: str) -> bool:
        """Tell somebody that nobody has come, and who is there now. They keep their place. False if it changed."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            return False
        if not await self._ledger.lapse(escalation_id, lapse_notice(escalation, self.words_for(escalation))):
            return False
        self._log.warning("escalation_lapsed", escalation_id=escalation_id)
        await self._said(escalation)
        return True

    async def sweep(self) -> Swept:
        """Take back what nobody looks after any more, admit what took too long, and mend the queue in Redis.

        Any number of workers may do this at once: each change happens once.
        """
        now = self._clock()
        await self.end_unshared()
        expired = await self._ledger.expired_leases(now)
        lost = tuple([escalation for escalation in expired if await self._take_back(escalation, now)])
        overdue = await self._ledger.overdue(now - self._patience)
        lapsed = [await self.lapse(escalation.id) for escalation in overdue]
        return Swept(lost=lost, lapsed=sum(lapsed), waiting=await self._mend())

    async def _take_back(self, escalation: EscalationRecord, now: datetime) -> bool:
        """The peer worker's page has gone quiet; unless Redis has heard from it, somebody else should come."""
        async with self._beside_the_ledger(escalation.id):
            if await self._streams.lease_owner(escalation.id) == escalation.claimed_by:
                return False
        words = self.words_for(escalation).say("lease_ran_out", name=escalation.claimed_name)
        if not await self._ledger.give_back(escalation.id, notice_for(escalation, words), expired_at=now):
            return False
        self._log.warning("lease_ran_out", escalation_id=escalation.id)
        await self._returned(escalation)
        return True

    async def _mend(self) -> int:
        """Make the queue in Redis what the ledger says it is, and say so when it was not: when the numbers differ, and
        once a minute whatever they are.

        Redis is read first: whoever comes or goes meanwhile puts themselves in or out, and is left alone.
        """
        count, there = await self._ledger.queue.count(), -1
        async with self._beside_the_ledger():
            there = await self._streams.queue_count()
        if count == there and time.monotonic() < self._mend_at:
            return count
        self._mend_at = time.monotonic() + MEND_EVERY
        known: dict[str, float] | None = None
        async with self._beside_the_ledger():
            known = await self._streams.queue_scores()
        wanted = {one: rank_at.timestamp() for one, rank_at in await self._ledger.queue.order()}
        if known is not None and known != wanted:
            async with self._beside_the_ledger():
                await self._streams.queue_put({one: at for one, at in wanted.items() if known.get(one) != at})
                await self._streams.queue_remove(*(known.keys() - wanted.keys()))
                await self._streams.changed(QUEUE)
        return len(wanted)

    # -- what every change needs

    async def end_with(
        self, escalation_id: str, peer: PeerRecord, key: str, *, leaves: Leaves | None = None, **values: object
    ) -> None:
        """Close with these words, and with what the talk leaves: both or neither. Raises NotYours."""
        escalation = await self._ledger.escalation(escalation_id)
        if escalation is None:
            raise NotYours
        notice = notice_for(escalation, self.words_for(escalation).say(key, name=peer.name, **values))
        if not await self._ledger.close_escalation(escalation_id, peer.id, notice, leaves):
            raise NotYours(await self._holder_of(escalation_id))
        async with self._beside_the_ledger(escalation_id), self._streams.together() as told:
            told.drop_lease(escalation_id)
            self._tell(escalation, told)

    async def _returned(self, escalation: EscalationRecord) -> None:
        async with self._beside_the_ledger(escalation.id), self._streams.together() as told:
            told.drop_lease(escalation.id)
            told.queue_put(escalation.id, score(escalation))
            self._tell(escalation, told)

    async def _said(self, escalation: EscalationRecord) -> None:
        async with self._beside_the_ledger(escalation.id), self._streams.together() as told:
            self._tell(escalation, told)

    def _tell(self, escalation: EscalationRecord, told: AtOnce) -> None:
        """Have what was said sent, and every open page look again."""
        conversation_id = escalation.conversation_id
        shard = shard_of(conversation_id, self._shards)
        told.announce_outbound(shard, conversation_id, urgent=bool(escalation.concerns))
        told.changed(conversation_id)
        told.changed(QUEUE)

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
