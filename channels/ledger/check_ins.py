"""What we ask by ourselves, and what people told of the help they found.

    agreed --due--> asked --1, 2 or 3--> done          STOP, FORGET ME, "no check", somebody else with them -> cancelled

    offered --yes--> agreed, --no--> declined          (concern: what was offered and not answered stays that)

`helped` asks whether help they were pointed to helped; `concern` how they are after something that worried us, while
nobody has come. Neither goes without a yes.

A check-in belongs to its conversation, is moved along with it, and goes with it. What is told is counted by service,
need and day, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update

from channels.conversation import Holder, Sender
from channels.ledger import outbound, reading, rows, tables
from channels.ledger.database import Database, Work, new_id, shard_of
from channels.ledger.follow_up_tables import check_ins, told
from channels.ledger.records import Committed, Draft, Outcome

AGREED, ASKED, DONE, CANCELLED = "agreed", "asked", "done", "cancelled"
OFFERED, DECLINED = "offered", "declined"
OPEN: Final = (AGREED, ASKED)
HELPED, CONCERN = "helped", "concern"
CHECKED_AGAIN: Final = timedelta(days=3)
"""After one was offered for a concern, until there may be another."""
AT_ONCE: Final = 100
SAID_NO: Final = "no"
LOOKED_BACK: Final = 100
"""Messages of ours."""


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


@dataclass(frozen=True, kw_only=True)
class ClosedDoor:
    """How often people were told no by a service, for a need. Both are empty where nobody knows."""

    service_id: str
    service_name: str
    need: str
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

    async def concern_state(self, conversation_id: str) -> str:
        """offered, agreed, declined, asked or cancelled: of the newest for a concern, while it counts; or empty."""
        async with self._database.reading() as work:
            newest = await newest_concern_check(work, conversation_id)
        return newest.state if newest else ""

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

    async def put_off(self, check_in: CheckIn, until: datetime) -> None:
        async with self._database.writing() as work:
            theirs = update(check_ins).where(check_ins.c.id == check_in.id, check_ins.c.state == AGREED)
            await work.run(theirs.values(due_at=until))

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
            )

    async def closed_doors(self, start: datetime, end: datetime) -> list[ClosedDoor]:
        """What was told between two moments; days are UTC's."""
        return await self._database.read(lambda work: closed_doors(work, start, end))

    async def told(self, start: datetime, end: datetime) -> list[Told]:
        """What was answered between two moments, by need; days are UTC's."""
        number = func.count().label("number")
        wanted = (
            select(told.c.need, told.c.answer, number)
            .where(told.c.told_on >= start, told.c.told_on < end)
            .group_by(told.c.need, told.c.answer)
            .order_by(told.c.need, told.c.answer)
        )
        async with self._database.reading() as work:
            return [Told(need=row.need, answer=row.answer, count=row.number) for row in await work.run(wanted)]


async def closed_doors(work: Work, start: datetime, end: datetime) -> list[ClosedDoor]:
    """A service goes by the name it had last."""
    service, name = func.coalesce(told.c.service_id, ""), func.coalesce(told.c.service_name, "")
    wanted = (
        select(service.label("service"), func.max(name).label("name"), told.c.need, func.count().label("number"))
        .where(told.c.answer == SAID_NO, told.c.told_on >= start, told.c.told_on < end)
        .group_by(service, told.c.need)
    )
    return [
        ClosedDoor(service_id=row.service, service_name=row.name, need=row.need, count=row.number)
        for row in await work.run(wanted)
    ]


async def looked_at_last(work: Work, conversation_id: str) -> dict[str, str]:
    """The service they saw in full last: the one they talk of when they say how it went. Nothing if there is none."""
    table = tables.messages.c
    wanted = (
        select(table.body)
        .where(table.conversation_id == conversation_id, table.sender != Sender.PERSON, table.body.is_not(None))
        .order_by(table.seq.desc())
        .limit(LOOKED_BACK)
    )
    for row in await work.run(wanted):
        reply = rows.reply_of(rows.open_body(work.cipher, row.body).get("reply"))
        if reply is not None and reply.detail and len(reply.cards) == 1:
            return {"service_id": reply.cards[0].service_id, "service_name": reply.cards[0].name}
    return {}


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
    await apply_concern_check(work, conversation.id, outcome)
    if outcome.told:
        day = work.now.replace(hour=0, minute=0, second=0, microsecond=0)
        service = await looked_at_last(work, conversation.id)
        for need in sorted(notes.needs)[:3] or ("",):
            await work.run(insert(told).values(id=new_id(), need=need, answer=outcome.told, told_on=day, **service))
        await _settle(work, conversation.id, DONE, HELPED)


async def newest_concern_check(work: Work, conversation_id: str) -> Row[Any] | None:
    wanted = select(check_ins.c.id, check_ins.c.state).where(
        check_ins.c.conversation_id == conversation_id,
        check_ins.c.kind == CONCERN,
        check_ins.c.made_at > work.now - CHECKED_AGAIN,
    )
    return (await work.run(wanted.order_by(check_ins.c.made_at.desc()).limit(1))).first()


async def apply_concern_check(work: Work, conversation_id: str, outcome: Outcome) -> None:
    """Offered once in a while, however often something worries us; a yes or a no is kept with what was offered."""
    if not (outcome.offers_check or outcome.concern_check_at or outcome.declines_check):
        return
    newest = await newest_concern_check(work, conversation_id)
    state = DECLINED if outcome.declines_check else AGREED if outcome.concern_check_at else OFFERED
    due = outcome.concern_check_at or work.now
    if newest is None or (newest.state == CANCELLED and state == AGREED):
        row = {"id": new_id(), "conversation_id": conversation_id, "state": state, "kind": CONCERN}
        await work.run(insert(check_ins).values(**row, due_at=due, made_at=work.now))
    elif newest.state in (OFFERED, AGREED, DECLINED) and state != OFFERED:
        change = update(check_ins).where(check_ins.c.id == newest.id)
        await work.run(change.values(state=state, due_at=due))


async def cancel(work: Work, conversation_id: str) -> None:
    await _settle(work, conversation_id, CANCELLED)


async def move(work: Work, here: str, there: str) -> None:
    """They carry on elsewhere: what they said to being asked comes along, and of each kind the newest counts."""
    await work.run(update(check_ins).where(check_ins.c.conversation_id == here).values(conversation_id=there))
    for kind in (HELPED, CONCERN):
        theirs = check_ins.c.conversation_id == there, check_ins.c.kind == kind
        wanted = select(check_ins.c.id).where(*theirs).order_by(check_ins.c.made_at.desc(), check_ins.c.id).limit(1)
        newest = (await work.run(wanted)).scalar_one_or_none()
        older = update(check_ins).where(*theirs, check_ins.c.state.in_(OPEN), check_ins.c.id != newest)
        await work.run(older.values(state=CANCELLED))


async def drop(work: Work, conversation_id: str) -> None:
    """With everything else of theirs."""
    await work.run(delete(check_ins).where(check_ins.c.conversation_id == conversation_id))


async def _settle(work: Work, conversation_id: str, state: str, *kinds: str) -> None:
    """Of these kinds, or of all."""
    wanted = update(check_ins).where(check_ins.c.conversation_id == conversation_id, check_ins.c.state.in_(OPEN))
    wanted = wanted.where(check_ins.c.kind.in_(kinds)) if kinds else wanted
    await work.run(wanted.values(state=state))
