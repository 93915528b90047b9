"""What we ask by ourselves, and what people told of the help they found.

    agreed --due--> asked --1, 2 or 3--> done          STOP, FORGET ME, "no check", somebody else with them -> cancelled

`helped` was agreed to in so many words; `concern` follows something that worried us, while nobody has come.

A check-in belongs to its conversation and goes with it. What is told is counted by need and day, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update

from channels.conversation import Holder
from channels.ledger import outbound, reading, rows
from channels.ledger.database import Database, Work, new_id, shard_of
from channels.ledger.follow_up_tables import check_ins, told
from channels.ledger.records import Committed, Draft, Outcome

AGREED, ASKED, DONE, CANCELLED = "agreed", "asked", "done", "cancelled"
OPEN: Final = (AGREED, ASKED)
HELPED, CONCERN = "helped", "concern"
CHECKED_AGAIN: Final = timedelta(days=3)
"""After one check for a concern, until there may be another."""
AT_ONCE: Final = 100


@dataclass(frozen=True, kw_only=True)
class CheckIn:
    """One that is due."""

    id: str
    conversation_id: str
    kind: str = HELPED


@dataclass(frozen=True, kw_only=True)
class Told:
    """How often people gave an answer about a need. `need` is empty where none was known."""

    need: str
    answer: str
    count: int


class CheckIns:
    """One method, one transaction. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, conversation_id: str) -> str:
        """agreed, asked, or empty: of what they said yes to."""
        wanted = select(check_ins.c.state).where(
            check_ins.c.conversation_id == conversation_id, check_ins.c.state.in_(OPEN), check_ins.c.kind == HELPED
        )
        async with self._database.reading() as work:
            return (await work.run(wanted.limit(1))).scalar_one_or_none() or ""

    async def due(self, now: datetime, kinds: Collection[str] = (HELPED, CONCERN)) -> list[CheckIn]:
        wanted = (
            select(check_ins.c.id, check_ins.c.conversation_id, check_ins.c.kind)
            .where(check_ins.c.state == AGREED, check_ins.c.due_at <= now, check_ins.c.kind.in_(kinds))
            .order_by(check_ins.c.due_at)
            .limit(AT_ONCE)
        )
        async with self._database.reading() as work:
            found = await work.run(wanted)
            return [CheckIn(id=row.id, conversation_id=row.conversation_id, kind=row.kind) for row in found]

    async def call_off(self, check_in: CheckIn) -> None:
        async with self._database.writing() as work:
            await work.run(
                update(check_ins)
                .where(check_ins.c.id == check_in.id, check_ins.c.state == AGREED)
                .values(state=CANCELLED)
            )

    async def ask(
        self, check_in: CheckIn, drafts: tuple[Draft, ...], unread_since: int | None = None
    ) -> Committed | None:
        """Write to them, once, whoever else tries; None when it is not wanted any more.

        With `unread_since`, also when anything has been said since that message: it is looked at again later.
        """
        async with self._database.writing() as work:
            conversation = await reading.lock_conversation(work, check_in.conversation_id)
            if unread_since is not None and conversation.last_seq != unread_since:
                return None
            unwanted = (
                conversation.do_not_text_first
                or conversation.forgotten_at is not None
                or conversation.holder != Holder.BOT
            )
            change = update(check_ins).where(check_ins.c.id == check_in.id, check_ins.c.state == AGREED)
            if not await work.changed(change.values(state=CANCELLED if unwanted else ASKED)) or unwanted:
                return None
            return Committed(
                conversation_id=conversation.id,
                shard=shard_of(conversation.id, work.shards),
                outbound=await outbound.add(work, conversation, drafts),
                escalation_id=None,
                queue_place=None,
            )

    async def counts(self, since: datetime) -> list[Told]:
        """For whoever answers for the service: what helped, and which doors were closed."""
        number = func.count().label("number")
        wanted = (
            select(told.c.need, told.c.answer, number)
            .where(told.c.told_on >= since)
            .group_by(told.c.need, told.c.answer)
            .order_by(told.c.need, told.c.answer)
        )
        async with self._database.reading() as work:
            return [Told(need=row.need, answer=row.answer, count=row.number) for row in await work.run(wanted)]


async def apply(work: Work, conversation: Row[Any], outcome: Outcome, notes: rows.Notes) -> None:
    """What a message says about writing first, in the transaction that answers it."""
    if outcome.do_not_text_first or outcome.no_check_in:
        await cancel(work, conversation.id)
    elif outcome.check_in_at:
        await _settle(work, conversation.id, CANCELLED, HELPED)
    if outcome.check_in_at is not None:
        await work.run(
            insert(check_ins).values(
                id=new_id(), conversation_id=conversation.id, state=AGREED, due_at=outcome.check_in_at, made_at=work.now
            )
        )
    if outcome.concern_check_at is not None:
        await plan_concern_check(work, conversation.id, outcome.concern_check_at)
    if outcome.told:
        day = work.now.replace(hour=0, minute=0, second=0, microsecond=0)
        for need in sorted(notes.needs)[:3] or ("",):
            await work.run(insert(told).values(id=new_id(), need=need, answer=outcome.told, told_on=day))
        await _settle(work, conversation.id, DONE, HELPED)


async def plan_concern_check(work: Work, conversation_id: str, due_at: datetime) -> None:
    """Once in a while, however often something worries us; one that was called off may come again."""
    recent = select(check_ins.c.id).where(
        check_ins.c.conversation_id == conversation_id,
        check_ins.c.kind == CONCERN,
        check_ins.c.state != CANCELLED,
        check_ins.c.made_at > work.now - CHECKED_AGAIN,
    )
    if (await work.run(recent.limit(1))).first() is None:
        row = {"id": new_id(), "conversation_id": conversation_id, "state": AGREED, "kind": CONCERN}
        await work.run(insert(check_ins).values(**row, due_at=due_at, made_at=work.now))


async def cancel(work: Work, conversation_id: str) -> None:
    await _settle(work, conversation_id, CANCELLED)


async def drop(work: Work, conversation_id: str) -> None:
    """With everything else of theirs."""
    await work.run(delete(check_ins).where(check_ins.c.conversation_id == conversation_id))


async def _settle(work: Work, conversation_id: str, state: str, *kinds: str) -> None:
    """Of these kinds, or of all."""
    wanted = update(check_ins).where(check_ins.c.conversation_id == conversation_id, check_ins.c.state.in_(OPEN))
    wanted = wanted.where(check_ins.c.kind.in_(kinds)) if kinds else wanted
    await work.run(wanted.values(state=state))
