"""What we hold of somebody beside their words, as plain values, for the copy that they may ask for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from channels.ledger import consents
from channels.ledger.database import Database
from channels.ledger.follow_up_tables import check_ins
from channels.ledger.lists import Lists
from channels.ledger.planned import Planned
from channels.ledger.talk import Talk
from channels.ledger.talk_records import NoteKind


async def read_beside(database: Database, conversation_id: str) -> dict[str, Any]:
    """Their list, what they agreed to, what is still to come, and what was noted about them.

    Safeguarding notes are counted, not copied: reading one can put somebody in danger, so whoever answers the request
    looks at each and decides.
    """
    notes = await Talk(database).notes(conversation_id)
    table = check_ins.c
    wanted = select(check_ins).where(table.conversation_id == conversation_id).order_by(table.made_at)
    async with database.reading() as work:
        shared = (await consents.agreed(work, [conversation_id])).get(conversation_id, frozenset())
        asked_later = [
            {"about": row.kind, "when": row.due_at.isoformat(), "state": row.state} for row in await work.run(wanted)
        ]
    return {
        "my_list": [
            {"name": kept.card.name, "phone": kept.card.phone} for kept in await Lists(database).saved(conversation_id)
        ],
        "shared_with": sorted(shared),
        "asked_later": asked_later,
        "still_to_come": [
            {"when": plan.due_at.isoformat(), "what": str(plan.kind), "text": plan.text}
            for plan in await Planned(database).waiting(conversation_id)
        ],
        "notes": [
            {"when": note.at.isoformat(), "about": str(note.kind), "noted": dict(note.body)}
            for note in notes
            if note.kind is not NoteKind.SAFEGUARDING
        ],
        "safeguarding_notes_to_look_at": sum(note.kind is NoteKind.SAFEGUARDING for note in notes),
    }
