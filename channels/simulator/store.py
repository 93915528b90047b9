"""What the simulated phones show. A small SQLite file of its own, so that they remember after a restart."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import aiosqlite

SHOWN: Final = 100
"""Bubbles on a phone's page."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS bubbles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL, address TEXT NOT NULL, side TEXT NOT NULL,
    text TEXT NOT NULL, state TEXT NOT NULL, provider_id TEXT NOT NULL, keyboard TEXT NOT NULL, at REAL NOT NULL,
    version INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS bubbles_of_line ON bubbles (line, id);
CREATE INDEX IF NOT EXISTS bubbles_by_provider_id ON bubbles (provider_id);
CREATE TABLE IF NOT EXISTS blocked (line TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""

PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one dot, for what simulated people send."""

Keyboard = list[list[dict[str, str]]]


@dataclass(frozen=True, kw_only=True)
class NewBubble:
    """One message on a phone. `side` is mine, theirs or network; `state` is what the phone shows under it.

    `line` is empty for a text to a number that no simulated phone has.
    """

    line: str
    side: str
    text: str
    address: str = ""
    state: str = ""
    provider_id: str = ""
    keyboard: Keyboard = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Bubble(NewBubble):
    """As it was stored. `version` grows when the state or the keyboard changes."""

    id: int
    at: datetime
    version: int


class PhoneStore:
    """Bubbles by line, and who has blocked us. `watch` tells pages that something changed."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database
        self._watchers: dict[str, set[asyncio.Event]] = {}

    @classmethod
    async def open(cls, path: Path) -> Self:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = await aiosqlite.connect(path, isolation_level=None)
        database.row_factory = aiosqlite.Row
        await database.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;{TABLES}")
        return cls(database)

    async def close(self) -> None:
        await self._database.close()

    async def add(self, new: NewBubble) -> Bubble:
        values = (new.line, new.address, new.side, new.text, new.state, new.provider_id, json.dumps(new.keyboard))
        cursor = await self._database.execute(
            "INSERT INTO bubbles (line, address, side, text, state, provider_id, keyboard, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
            (*values, datetime.now(UTC).timestamp()),
        )
        row = await cursor.fetchone()
        await cursor.close()
        self._notify(new.line)
        return _bubble(row)

    async def set_state(self, bubble_id: int, state: str) -> None:
        await self._change(bubble_id, "state", state)

    async def set_keyboard(self, bubble_id: int, keyboard: Keyboard) -> None:
        await self._change(bubble_id, "keyboard", json.dumps(keyboard))

    async def get(self, bubble_id: int) -> Bubble | None:
        found = await self._rows("SELECT * FROM bubbles WHERE id = ?", bubble_id)
        return found[0] if found else None

    async def by_provider_id(self, provider_id: str) -> Bubble | None:
        found = await self._rows("SELECT * FROM bubbles WHERE provider_id = ?", provider_id)
        return found[0] if found else None

    async def of_line(self, line: str) -> list[Bubble]:
        """The latest ones, oldest first."""
        found = await self._rows("SELECT * FROM bubbles WHERE line = ? ORDER BY id DESC LIMIT ?", line, SHOWN)
        return found[::-1]

    async def texts(self, since: datetime | None) -> list[Bubble]:
        """Text messages of both directions, newest first."""
        return await self._rows(
            "SELECT * FROM bubbles WHERE side <> 'network' AND address LIKE '+%' AND at >= ? ORDER BY id DESC",
            since.timestamp() if since else 0.0,
        )

    async def block(self, line: str) -> bool:
        """False when it was blocked before."""
        cursor = await self._database.execute("INSERT OR IGNORE INTO blocked (line) VALUES (?)", (line,))
        await cursor.close()
        self._notify(line)
        return cursor.rowcount == 1

    async def unblock(self, line: str) -> bool:
        """False when it was not blocked."""
        cursor = await self._database.execute("DELETE FROM blocked WHERE line = ?", (line,))
        await cursor.close()
        self._notify(line)
        return cursor.rowcount == 1

    async def is_blocked(self, line: str) -> bool:
        async with self._database.execute("SELECT 1 FROM blocked WHERE line = ?", (line,)) as cursor:
            return await cursor.fetchone() is not None

    async def next_number(self, counter: str) -> int:
        """Counts up for ever, over restarts too: update ids must not come twice."""
        cursor = await self._database.execute(
            "INSERT INTO counters (name, value) VALUES (?, 100000001)"
            " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (counter,),
        )
        row = await cursor.fetchone()
        await cursor.close()
        return int(row[0]) if row else 0

    @asynccontextmanager
    async def watch(self, line: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever this line changes; whoever waits clears it."""
        event = asyncio.Event()
        self._watchers.setdefault(line, set()).add(event)
        try:
            yield event
        finally:
            self._watchers[line].discard(event)

    async def _change(self, bubble_id: int, column: str, value: str) -> None:
        cursor = await self._database.execute(
            f"UPDATE bubbles SET {column} = ?, version = version + 1 WHERE id = ? RETURNING line",  # noqa: S608 - the column is one of ours
            (value, bubble_id),
        )
        row = await cursor.fetchone()
        await cursor.close()
        if row:
            self._notify(row["line"])

    async def _rows(self, statement: str, *values: object) -> list[Bubble]:
        async with self._database.execute(statement, values) as cursor:
            return [_bubble(row) async for row in cursor]

    def _notify(self, line: str) -> None:
        for event in self._watchers.get(line, ()):
            event.set()


def _bubble(row: Any) -> Bubble:
    fields = dict(row)
    keyboard = json.loads(fields.pop("keyboard"))
    at = datetime.fromtimestamp(fields.pop("at"), UTC)
    return Bubble(**fields, keyboard=keyboard, at=at)
