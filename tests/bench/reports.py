"""A report of a year over 100,000 messages: counted by the database, and as it was, each message loaded.

python -m tests.bench.reports
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet
from sqlalchemy import create_engine, insert, select

from channels.ledger import Cipher, Ledger, migrate, tables
from channels.ledger.counting import Days
from channels.ledger.database import Database

MESSAGES: Final = 100_000
TALKS: Final = 5_000
LOOKS: Final = 7
ZONE: Final = ZoneInfo("Europe/London")
FIRST: Final = date(2025, 11, 24)
DAYS: Final = Days.of(FIRST, FIRST + timedelta(days=365), ZONE)


def fill(path: Path) -> None:
    chance = random.Random(1)
    start = datetime(2025, 11, 24, tzinfo=UTC)
    talks = [f"{number:024}" for number in range(TALKS)]
    person = {"channel": "sms", "do_not_text_first": False, "created_at": start}
    talk = {"channel": "sms", "holder": "bot", "episode": "", "episode_turns": 0, "turns": 0, "last_seq": 0}
    said = {
        "episode": "",
        "answered": True,
        "outcome": "",
        "intent": "",
        "attempts": 0,
        "error_code": "",
        "body": "x" * 300,
    }
    with create_engine(f"sqlite:///{path}").begin() as connection:
        connection.execute(insert(tables.people), [{"id": one, **person} for one in talks])
        connection.execute(
            insert(tables.conversations), [{"id": one, "person_id": one, "created_at": start, **talk} for one in talks]
        )
        connection.execute(
            insert(tables.messages),
            [
                {
                    "id": f"{number:024}", "conversation_id": chance.choice(talks), "seq": number,
                    "channel": chance.choice(("sms", "web")), "sender": chance.choice(("person", "assistant")),
                    "delivery": chance.choice((None, "failed")), "created_at": start + timedelta(seconds=315 * number),
                    **said,
                }
                for number in range(MESSAGES)
            ],
        )  # fmt: skip


async def load_each(database: Database) -> int:
    """As it was."""
    table = tables.messages.c
    said = select(table.created_at, table.channel, table.conversation_id).where(
        table.created_at >= DAYS.starts[0], table.created_at < DAYS.starts[-1], table.channel != "canary"
    )
    people: dict[tuple[date, str], set[str]] = {}
    failures: dict[tuple[date, str], int] = {}
    async with database.reading() as work:
        for row in await work.run(said.where(table.sender == "person")):
            people.setdefault((row.created_at.astimezone(ZONE).date(), row.channel), set()).add(row.conversation_id)
        for row in await work.run(said.where(table.sender != "person", table.delivery == "failed")):
            key = row.created_at.astimezone(ZONE).date(), row.channel
            failures[key] = failures.get(key, 0) + 1
    return sum(map(len, people.values())) + sum(failures.values())


async def timed(look: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    begun = time.perf_counter()
    found = await look()
    return (time.perf_counter() - begun) * 1000, found


async def run(folder: Path) -> None:
    path = folder / "ledger.sqlite"
    url = f"sqlite+aiosqlite:///{path}"
    migrate(url)
    fill(path)
    cipher = Cipher([Fernet.generate_key().decode()], "bench")
    ledger, database = Ledger.open(url, cipher, shards=1), Database(url, cipher, 1)

    async def count() -> int:
        counted = await ledger.queue.counted(DAYS)
        return sum(number for _, _, number in (*counted.contacts, *counted.failures))

    arms: dict[str, list[float]] = {"counted": [], "loaded": []}
    for _ in range(LOOKS):
        (counting, one), (loading, other) = await timed(count), await timed(lambda: load_each(database))
        assert one == other, "the same numbers"
        arms["counted"].append(counting)
        arms["loaded"].append(loading)
    middle = {name: statistics.median(times) for name, times in arms.items()}
    print(
        f"{MESSAGES:,} messages, 366 days, p50 of {LOOKS}: {middle['counted']:.0f} ms, loaded {middle['loaded']:.0f} ms"
    )
    await ledger.close()
    await database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(run(Path(place)))
