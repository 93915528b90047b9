"""Taking back what was agreed to: at once, whole, and in the same transaction as the words that confirm it.

Sharing ends for every organisation, for a summary they had said was right, for earlier talks, and for a guest of
another organisation. Check-ins end whatever we would write first. Whoever holds the conversation goes on holding it:
what becomes of a talk that is going on is for the two in it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Final

from sqlalchemy import insert, select, update

from channels.conversation import Consent
from channels.ledger import audit, check_ins, consents, planned, reading, talk_tables, waits
from channels.ledger.database import Database, Work, new_id
from channels.ledger.introductions import OPEN
from channels.ledger.talk_records import IntroductionState, NoteKind, PlanKind, PlanState

WRITES_FIRST: Final = (PlanKind.MESSAGE, PlanKind.CHECK_IN)


class Withdrawing:
    """For the desk. Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def withdraw(self, conversation_id: str, what: Consent, by: str) -> None:
        async with self._database.writing() as work:
            await reading.lock_conversation(work, conversation_id)
            await withdraw(work, conversation_id, (what,), by)


async def withdraw(work: Work, conversation_id: str, what: Collection[Consent], by: str) -> None:
    """`by` is "person", or the peer worker to whom they said so. Nothing agreed to: nothing changes but the trace."""
    if Consent.CHECK_INS in what:
        await check_ins.cancel(work, conversation_id)
        plans = planned.TABLE.conversation_id == conversation_id, planned.TABLE.kind.in_(WRITES_FIRST)
        await planned.settle(work, PlanState.WITHDRAWN, *plans)
        await waits.want_follow_up(work, conversation_id, False)
    if Consent.SHARING in what:
        await _end_sharing(work, conversation_id)
    for one in sorted(what):
        await audit.append(work, by, "consent_withdrawn", conversation_id, one)


async def _end_sharing(work: Work, conversation_id: str) -> None:
    await _unsay(work, conversation_id, NoteKind.SUMMARY, {"state": "ours"})
    await _unsay(work, conversation_id, NoteKind.EARLIER, {"agreed": False})
    guests = talk_tables.introductions.c
    # Only a guest of another organisation begins to read in the middle. One who has the talk now loses it by this.
    standing = (*OPEN, IntroductionState.DONE)
    theirs = guests.conversation_id == conversation_id, guests.reads_after > 0, guests.state.in_(standing)
    change = {"state": IntroductionState.WITHDRAWN, "ended_at": work.now}
    await work.run(update(talk_tables.introductions).where(*theirs).values(**change))
    await consents.withdraw(work, conversation_id)


async def _unsay(work: Work, conversation_id: str, kind: NoteKind, change: dict[str, object]) -> None:
    """Of these notes the newest counts: a newer one says that they have not agreed."""
    notes = talk_tables.talk_notes
    wanted = select(notes).where(notes.c.conversation_id == conversation_id, notes.c.kind == kind)
    newest = (await work.run(wanted.order_by(notes.c.at.desc(), notes.c.id.desc()).limit(1))).first()
    if newest is None:
        return
    words = work.cipher.decrypt(newest.body)
    body = {**(json.loads(words) if words else {}), **change}
    row = {"id": new_id(), "conversation_id": conversation_id, "kind": kind, "author_id": newest.author_id}
    sealed = work.cipher.of(conversation_id).encrypt(json.dumps(body))
    await work.run(insert(notes).values(**row, body=sealed, at=work.now))
