"""Which keys of people must go: noted in the transaction of the erasure that wants it, destroyed right after it.

If the process dies in between they go at the next look (`Database.destroy_keys`). The farewell of somebody forgotten
is put under a key of its own, so that theirs can go at once.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, delete, select, update

from channels.errors import KeyLost
from channels.ledger import sealing, tables
from channels.ledger.database import Work, new_id
from channels.ledger.key_tables import doomed_keys


async def doom(work: Work, key_ids: Collection[str], *, leave_trace: bool = True) -> None:
    for key_id in key_ids:
        await work.insert_new(doomed_keys, key_id=key_id, leave_trace=leave_trace)


async def doom_conversations(work: Work, conversation_id: str, circle: Collection[str]) -> None:
    """The keys of everything that this person, on all their channels, ever wrote to."""
    table = tables.conversations.c
    own = (await work.run(select(table.id).where(table.person_id.in_(circle)))).scalars()
    await doom(work, {conversation_id, *own})


async def doom_addresses(work: Work, everybody: ColumnElement[bool]) -> None:
    """The keys of their addresses: by now those of the farewell."""
    tokens = (await work.run(select(tables.people.c.address).where(everybody))).scalars()
    await doom(work, {sealing.key_id_of(token) for token in tokens if token and sealing.is_sealed(token)})


async def seal_farewell(work: Work, waiting: Select[tuple[str]], circle: Collection[str]) -> None:
    """Put what still waits to be sent to them, and where to, under one more key, which goes once it is sent.

    In a ledger put back from a copy their key may be gone by now: then there is nothing to send.
    """
    cipher = work.cipher.of(new_id())
    messages, people = tables.messages, tables.people
    wanted = select(messages.c.id, messages.c.body).where(messages.c.id.in_(waiting), messages.c.body.is_not(None))
    found = (await work.run(wanted)).all()
    said = {row.id: words_of(work, row.body) for row in found}
    for message_id, words in said.items():
        if words:
            change = update(messages).where(messages.c.id == message_id)
            await work.run(change.values(body=cipher.encrypt(words)))
        else:
            await work.run(delete(tables.outbox).where(tables.outbox.c.message_id == message_id))
    if not any(said.values()):
        return
    reached = select(people.c.id, people.c.address).where(people.c.id.in_(circle), people.c.address.is_not(None))
    for row in (await work.run(reached)).all():
        change = update(people).where(people.c.id == row.id)
        await work.run(change.values(address=cipher.encrypt(words_of(work, row.address))))


def words_of(work: Work, token: str) -> str:
    """Empty where the key is lost: whoever is forgotten is forgotten all the same."""
    try:
        return work.cipher.decrypt(token)
    except KeyLost:
        return ""
