"""A person's yes to an organisation seeing their conversation. No row means no; forgetting removes every row."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select

from channels.ledger import audit
from channels.ledger.database import Work
from channels.ledger.desk_tables import consents

TABLE = consents.c


async def agree(work: Work, conversation_id: str, organisation: str) -> bool:
    """False when they had agreed before."""
    fresh = await work.insert_new(
        consents, conversation_id=conversation_id, organisation=organisation, agreed_at=work.now
    )
    if fresh:
        await audit.append(work, "person", "agreed_to_share", conversation_id, organisation)
    return fresh


async def withdraw(work: Work, conversation_id: str, organisation: str | None = None) -> bool:
    """From one organisation, or from all. Whether there was anything to withdraw."""
    match = TABLE.conversation_id == conversation_id
    if organisation is not None:
        match = match & (TABLE.organisation == organisation)
    gone = await work.changed(delete(consents).where(match)) > 0
    if gone:
        await audit.append(work, "person", "withdrew_sharing", conversation_id, organisation or "")
    return gone


async def agreed(work: Work, conversation_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """The organisations of each conversation; whoever has agreed to none is missing."""
    found: dict[str, set[str]] = {}
    wanted = select(TABLE.conversation_id, TABLE.organisation).where(TABLE.conversation_id.in_(conversation_ids))
    for conversation_id, organisation in await work.run(wanted):
        found.setdefault(conversation_id, set()).add(organisation)
    return {conversation_id: frozenset(names) for conversation_id, names in found.items()}
