"""The part of the ledger's front door that is about the queue, shifts and consent. One method, one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from sqlalchemy import func

from channels.ledger import care, consents, counting, duties, escalations, queue_order, reading, tables, taking, waits
from channels.ledger.counting import Asked, Counted, Days
from channels.ledger.database import Database, Work
from channels.ledger.duties import Duty
from channels.ledger.records import Draft, EscalationRecord, PeerRecord
from channels.ledger.taking import Decide
from channels.ledger.waits import Line, Staffed, Stretch

TABLE = tables.escalations.c
SPARE: Final = 20
"""Looked at beyond what is wanted: so many whose words cannot be opened may be in front."""


class QueueLedger:
    """Raises LedgerUnavailable as `Ledger` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def order(self) -> list[tuple[str, datetime]]:
        """Everybody who waits, as (escalation id, rank), first in line first: no words are opened for it."""
        async with self._database.reading() as work:
            wanted = queue_order.in_line(TABLE.id, TABLE.rank_at).order_by(*queue_order.ORDER)
            return [(row.id, row.rank_at) for row in await work.run(wanted)]

    async def count(self) -> int:
        async with self._database.reading() as work:
            wanted = queue_order.in_line(func.count())
            return int((await work.run(wanted)).scalar_one())

    async def place_back(self, escalation: EscalationRecord) -> int:
        """The place somebody who is held would have in line."""
        async with self._database.reading() as work:
            rank_at = queue_order.rank_of(escalation.opened_at, urgent=bool(escalation.concerns))
            return await queue_order.count_before(work, rank_at, escalation.id) + 1

    async def first(self, limit: int, *, with_unreadable: bool = False) -> list[EscalationRecord]:
        """The first so many in line; `with_unreadable`: also those of whom nothing can be opened."""
        line = queue_order.waiting().limit(limit if with_unreadable else limit + SPARE)
        found = await self._database.read(lambda work: escalations.listed(work, line, with_unreadable=with_unreadable))
        return found[:limit]

    async def waiting_with_yes(self, organisations: Collection[str]) -> list[tuple[EscalationRecord, frozenset[str]]]:
        """Those in line who said yes to one of these organisations, and to which they did."""
        return await self._database.read(lambda work: taking.waiting_with_yes(work, organisations))

    async def take(self, escalation_id: str, peer: PeerRecord, decide: Decide) -> EscalationRecord:
        """Raises CapReached, NotTaken, and what `decide` raises."""
        return await self._database.write(lambda work: taking.take(work, escalation_id, peer, decide))

    async def take_next(self, peer: PeerRecord, decide: Decide) -> EscalationRecord | None:
        """Raises CapReached, and what `decide` raises."""
        return await self._database.write(lambda work: taking.take_next(work, peer, decide))

    async def transfer(self, escalation_id: str, team: str, notice: Draft, *, held_by: str) -> bool:
        """HELD to WAITING, for a team. False when that peer worker does not hold it."""
        return await self._database.write(
            lambda work: escalations.give_back(work, escalation_id, notice, held_by=held_by, expired_at=None, team=team)
        )

    async def end_shared(self, escalation: EscalationRecord, notice: Draft) -> bool:
        """HELD to WAITING, for nobody's team: the yes to the holder's organisation is over. The holder is told as well.

        False when they do not hold it any more.
        """
        holder = escalation.claimed_by or ""

        async def back(work: Work) -> bool:
            done = await escalations.give_back(work, escalation.id, notice, held_by=holder, expired_at=None, team="")
            if done:
                await care.tell(work, holder, "sharing_ended")
            return done

        return await self._database.write(back)

    async def held_by(self, peer_id: str) -> list[EscalationRecord]:
        return await self._database.read(
            lambda work: escalations.listed(work, escalations.held().where(TABLE.claimed_by == peer_id))
        )

    async def renew_all(self, peer_id: str, lease_until: datetime) -> list[str]:
        """A sign of life for everybody a peer worker is with. Gives the escalations."""
        return await self._database.write(lambda work: waits.renew_all(work, peer_id, lease_until))

    # Shifts

    async def duty(self, peer_id: str) -> Duty:
        return await self._database.read(lambda work: duties.duty(work, peer_id))

    async def duties(self) -> dict[str, Duty]:
        return await self._database.read(duties.every)

    async def keep_duty(self, duty: Duty, actor: str) -> None:
        """All of a shift, in the place of whatever it was."""
        await self._database.write(lambda work: duties.keep(work, duty, actor))

    async def change_duty(self, peer_id: str, change: Callable[[Duty], Duty], actor: str) -> Duty:
        """A part of a shift, from how it stands then: what somebody else changes at the same moment stays changed."""
        return await self._database.write(lambda work: duties.change(work, peer_id, change, actor))

    # Consent

    async def agree(self, conversation_id: str, organisation: str) -> bool:
        async with self._database.writing() as work:
            await reading.lock_conversation(work, conversation_id)
            return await consents.agree(work, conversation_id, organisation)

    async def withdraw(self, conversation_id: str, organisation: str | None = None) -> bool:
        async with self._database.writing() as work:
            return await consents.withdraw(work, conversation_id, organisation)

    async def agreed(self, conversation_ids: Collection[str]) -> dict[str, frozenset[str]]:
        return await self._database.read(lambda work: consents.agreed(work, conversation_ids))

    # Counts

    async def oldest(self) -> Line:
        return await self._database.read(waits.oldest)

    async def counted(self, days: Days) -> Counted:
        """What happened on these days, for reports."""
        return await self._database.read(lambda work: counting.between(work, days))

    async def asked(self, start: datetime, end: datetime) -> tuple[Asked, ...]:
        """The part of it that a page which is always open needs: no message is looked at for it."""
        return await self._database.read(lambda work: counting.asked_between(work, start, end))

    # Waiting

    async def stretches(self, since: datetime, limit: int = 1000) -> list[Stretch]:
        """How long people waited who were answered since then."""
        return await self._database.read(lambda work: waits.answered_since(work, since, limit))

    async def due_a_word(self, before: datetime, most: int, staffed: Staffed, limit: int) -> list[EscalationRecord]:
        """WAITING, last heard from us before then, and told less often than `most`; first in line first."""
        return await self._database.read(
            lambda work: escalations.listed(work, waits.due_a_word(before, most, staffed).limit(limit))
        )

    async def tell_waiting(self, escalation_id: str, notice: Draft, before: datetime, most: int) -> bool:
        """The notice, once for each time it is due. False when it is not, or nobody waits there now."""
        async with self._database.writing() as work:
            return await waits.tell(work, escalation_id, notice, before, most)

    async def want_follow_up(self, conversation_id: str, wanted: bool) -> bool:
        """They said whether to hear from us when somebody is here. False when they are not in the queue."""
        async with self._database.writing() as work:
            return await waits.want_follow_up(work, conversation_id, wanted)

    async def to_follow_up(self, staffed: Staffed, limit: int) -> list[EscalationRecord]:
        """LAPSED, and they want to hear from us when somebody is here."""
        return await self._database.read(
            lambda work: escalations.listed(work, waits.to_follow_up(staffed).limit(limit))
        )

    async def follow_up(self, escalation_id: str, notice: Draft) -> bool:
        """LAPSED to WAITING, with the words; once."""
        async with self._database.writing() as work:
            return await waits.follow_up(work, escalation_id, notice)
