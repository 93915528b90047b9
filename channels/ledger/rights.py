"""What a person may ask for, at the desk: a copy of everything, and a hold where erasing would harm them or others.

A hold stops what happens by itself with time. It never stands against the person's own FORGET ME.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from channels.conversation import Sender
from channels.ledger import audit, escalations, moving, reading
from channels.ledger.database import Database, Work
from channels.ledger.held_beside import read_beside
from channels.ledger.records import MessageRecord
from channels.ledger.tables import holds

MESSAGES_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Somebody's words are kept beyond their time, and why."""

    reason: str
    held_by: str
    held_at: datetime


class Rights:
    """One method, one transaction; each is in the audit. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, actor: str, person_id: str, reason: str) -> None:
        """In place of an earlier one."""
        async with self._database.writing() as work:
            await work.run(delete(holds).where(holds.c.person_id == person_id))
            conversation = await reading.conversation_of(work, person_id)
            sealed = work.cipher.of(conversation.id).encrypt(reason)
            row = {"person_id": person_id, "reason": sealed, "held_by": actor, "held_at": work.now}
            await work.insert_new(holds, **row)
            await audit.append(work, actor, "hold_set", person_id)

    async def lift(self, actor: str, person_id: str) -> None:
        async with self._database.writing() as work:
            if await work.changed(delete(holds).where(holds.c.person_id == person_id)):
                await audit.append(work, actor, "hold_lifted", person_id)

    async def hold_of(self, person_id: str) -> Hold | None:
        async with self._database.reading() as work:
            row = (await work.run(select(holds).where(holds.c.person_id == person_id))).first()
            if row is None:
                return None
            return Hold(reason=work.cipher.decrypt(row.reason), held_by=row.held_by, held_at=row.held_at)

    async def export(self, actor: str, person_id: str) -> dict[str, Any]:
        """Everything we hold of somebody, on all channels they carried on over, as plain values.

        Raises NotFound. Unsent drafts of those who answer are not in it, and safeguarding notes are only counted.
        """
        async with self._database.reading() as work:
            conversation = await reading.conversation_of(work, person_id)
            circle = [
                await reading.person(work, one) for one in (await work.run(moving.circle_of(conversation.id))).scalars()
            ]
            told = [_said(message) async for message in _messages(work, conversation.id)]
            asked = await escalations.listed(work, escalations.of_conversation(conversation.id))
        beside = await read_beside(self._database, conversation.id)
        async with self._database.writing() as work:
            await audit.append(work, actor, "person_exported", person_id)
        return {
            "reached_at": [{"channel": one.channel, "address": one.address} for one in circle],
            "language": circle[0].language if circle else None,
            "since": conversation.created_at.isoformat(),
            "needs_understood": list(conversation.needs),
            "place": conversation.place,
            "asked_for": conversation.asked_for,
            "concerns": sorted(conversation.concerns),
            "asked_for_a_person": [
                {"when": one.opened_at.isoformat(), "why": one.reason, "state": one.state} for one in asked
            ],
            **beside,
            "messages": told,
        }


async def _messages(work: Work, conversation_id: str) -> Any:
    after = 0
    while batch := await reading.messages(work, conversation_id, after, MESSAGES_AT_ONCE):
        for message in batch:
            yield message
        after = batch[-1].seq


def _said(message: MessageRecord) -> dict[str, Any]:
    row: dict[str, Any] = {
        "number": message.seq,
        "when": message.created_at.isoformat(),
        "from": "you" if message.sender is Sender.PERSON else message.sender_name or str(message.sender),
        "text": message.text,
    }
    if message.media:
        row["attached"] = [str(each.kind) for each in message.media]
    return row
