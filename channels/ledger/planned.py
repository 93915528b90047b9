"""What is to happen later in a conversation: a message the person agreed to, a check-in, a look that was put off.

Whatever is due is decided once, under the conversation's lock: sent, or held where a peer worker sees why.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Row, insert, select, update

from channels.conversation import Concern, Holder, Sender
from channels.ledger import audit, lost_keys, outbound, reading, talk, talk_tables
from channels.ledger.database import Database, Work, new_id
from channels.ledger.records import Draft, PeerRecord
from channels.ledger.talk_records import NewPlan, PlanKind, PlanRecord, PlanState

TABLE: Final = talk_tables.planned_messages.c
AT_ONCE: Final = 100


class Planned:
    """One method, one transaction. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(self, conversation_id: str, peer: PeerRecord, kind: PlanKind, due_at: datetime, text: str) -> str:
        """Of snoozes only the newest counts."""
        async with self._database.writing() as work:
            await reading.lock_conversation(work, conversation_id)
            if kind is PlanKind.SNOOZE:
                older = TABLE.conversation_id == conversation_id, TABLE.peer_id == peer.id, TABLE.kind == kind
                await settle(work, PlanState.WITHDRAWN, *older)
            return await write(work, conversation_id, peer, NewPlan(kind=kind, due_at=due_at, text=text))

    async def change(self, plan_id: str, conversation_id: str, text: str) -> bool:
        """Other words, as long as they wait. False when it is too late for that."""
        async with self._database.writing() as work:
            change = update(talk_tables.planned_messages).where(
                TABLE.id == plan_id, TABLE.conversation_id == conversation_id, TABLE.state == PlanState.WAITING
            )
            return await work.changed(change.values(body=work.cipher.of(conversation_id).encrypt(text))) == 1

    async def withdraw(self, plan_id: str, conversation_id: str, by: str) -> bool:
        async with self._database.writing() as work:
            gone = await settle(
                work, PlanState.WITHDRAWN, TABLE.id == plan_id, TABLE.conversation_id == conversation_id
            )
            if gone:
                await audit.append(work, by, "plan_withdrawn", conversation_id)
            return gone == 1

    async def waiting(self, conversation_id: str) -> list[PlanRecord]:
        wanted = (
            select(talk_tables.planned_messages)
            .where(TABLE.conversation_id == conversation_id, TABLE.state.in_((PlanState.WAITING, PlanState.HELD)))
            .order_by(TABLE.due_at)
        )
        async with self._database.reading() as work:
            return [record_of(work, row) for row in await work.run(wanted)]

    async def snoozes(self, peer_id: str, before: datetime) -> list[PlanRecord]:
        """Those whose time has come, oldest first: they stay until they are withdrawn."""
        wanted = (
            select(talk_tables.planned_messages)
            .where(
                TABLE.peer_id == peer_id,
                TABLE.kind == PlanKind.SNOOZE,
                TABLE.state == PlanState.WAITING,
                TABLE.due_at <= before,
            )
            .order_by(TABLE.due_at)
        )
        async with self._database.reading() as work:
            return [record_of(work, row) for row in await work.run(wanted)]

    async def due(self, now: datetime) -> list[PlanRecord]:
        """What should be said by now. What cannot be opened is held, and named in the log: nobody else waits for it."""
        wanted = (
            select(talk_tables.planned_messages)
            .where(TABLE.state == PlanState.WAITING, TABLE.due_at <= now, TABLE.kind != PlanKind.SNOOZE)
            .order_by(TABLE.due_at)
            .limit(AT_ONCE)
        )
        async with self._database.reading() as work:
            found = (await work.run(wanted)).all()
            opened = [record_of(work, row) for row in found if lost_keys.opens(work, row.body)]
        for row in found:
            if all(row.id != plan.id for plan in opened):
                await self._hold_closed(row.id, row.conversation_id)
        return opened

    async def _hold_closed(self, plan_id: str, conversation_id: str) -> None:
        async with self._database.writing() as work:
            if await settle(work, PlanState.HELD, TABLE.id == plan_id):
                structlog.get_logger().error("words_closed", plan_id=plan_id, conversation_id=conversation_id)

    async def carry_out(self, plan: PlanRecord, draft: Draft, never: frozenset[Concern] = frozenset()) -> bool:
        """Send it, once.

        Held back, and shown, when they asked for no texts, said meanwhile that these are not safe, told of what is
        among `never`, or a peer worker is with them now.

        True when something now waits to be sent.
        """
        async with self._database.writing() as work:
            conversation = await reading.lock_conversation(work, plan.conversation_id)
            theirs = TABLE.id == plan.id
            if conversation.forgotten_at is not None:
                await settle(work, PlanState.WITHDRAWN, theirs)
                return False
            busy = conversation.holder == Holder.PEER and draft.sender is not Sender.PEER
            unwanted = conversation.do_not_text_first or await talk.is_unsafe(work, conversation, plan.made_at, never)
            state = PlanState.HELD if unwanted or busy else PlanState.SENT
            if not await settle(work, state, theirs) or state is PlanState.HELD:
                return False
            return await outbound.add(work, conversation, (draft,)) > 0


async def write(work: Work, conversation_id: str, peer: PeerRecord, plan: NewPlan) -> str:
    """One more, in a conversation that is ours."""
    plan_id = new_id()
    await work.run(
        insert(talk_tables.planned_messages).values(
            id=plan_id,
            conversation_id=conversation_id,
            peer_id=peer.id,
            peer_name=peer.name,
            kind=plan.kind,
            body=work.cipher.of(conversation_id).encrypt(plan.text),
            state=PlanState.WAITING,
            due_at=plan.due_at,
            made_at=work.now,
        )
    )
    await audit.append(work, peer.id, f"{plan.kind}_planned", conversation_id)
    return plan_id


async def settle(work: Work, state: PlanState, *conditions: Any) -> int:
    """Only what still waits, or was held."""
    change = update(talk_tables.planned_messages).where(
        *conditions, TABLE.state.in_((PlanState.WAITING, PlanState.HELD))
    )
    return await work.changed(change.values(state=state))


def record_of(work: Work, row: Row[Any]) -> PlanRecord:
    return PlanRecord(
        id=row.id,
        conversation_id=row.conversation_id,
        peer_id=row.peer_id,
        peer_name=row.peer_name,
        kind=PlanKind(row.kind),
        text=work.cipher.decrypt(row.body) if row.body else "",
        state=PlanState(row.state),
        due_at=row.due_at,
        made_at=row.made_at,
    )
