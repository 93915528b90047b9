"""What is done with the keys of people as a whole: looking at them, changing what wraps them, and after a restore."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from sqlalchemy import select

from channels.ledger import lost_keys, people, tables
from channels.ledger.database import Database, as_unavailable
from channels.ledger.sealing import KeyState

RESTORED: Final = "restore"
"""Who forgot somebody anew, in the audit."""


class PersonKeys:
    """Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys = database.cipher.people

    async def state(self) -> KeyState:
        """Looks at every key and changes nothing."""
        if self._keys is None:
            return KeyState()
        with as_unavailable():
            return await asyncio.to_thread(self._keys.state)

    async def read_newest(self) -> None:
        """Raises SettingsError when the newest words of all are under a key that is not here, or does not open them."""
        table = tables.messages.c
        newest = select(table.body).where(table.body.is_not(None)).order_by(table.created_at.desc()).limit(1)
        async with self._database.reading() as work:
            for token in (await work.run(newest)).scalars():
                work.cipher.decrypt(token)

    async def lost(self) -> list[str]:
        """Conversations of people whose key is not here."""
        return await self._database.read(lost_keys.lost)

    async def count_set_aside(self) -> int:
        """How many began anew."""
        return await self._database.read(lost_keys.count_set_aside)

    async def rewrap(self) -> int:
        """Wrap every key with the newest of the service's keys. Says how many were wrapped anew."""
        if self._keys is None:
            return 0
        with as_unavailable():
            return await asyncio.to_thread(self._keys.rewrap)

    async def forget_again(self) -> int:
        """After a copy of the ledger was put back: whoever was forgotten since it was made is forgotten anew.

        Only those whose key was destroyed, never those whose key is merely not here. Says how many people.
        """
        count = 0
        talks, owner = tables.conversations.c, tables.people.c
        for some in await self._destroyed():
            wanted = (
                select(owner.id)
                .join(tables.conversations, talks.person_id == owner.id)
                .where(talks.id.in_(some), owner.forgotten_at.is_(None))
            )
            async with self._database.writing() as work:
                back = list((await work.run(wanted)).scalars())
                for person_id in back:
                    await people.forget(work, person_id, RESTORED)
            count += len(back)
        if count:
            await self._database.scrub()
            structlog.get_logger().warning("people_forgotten_again", count=count)
        return count

    async def _destroyed(self) -> list[list[str]]:
        keys = self._keys
        if keys is None:
            return []
        with as_unavailable():
            return await asyncio.to_thread(lambda: list(keys.destroyed()))
