"""Transactions on the ledger's database.

SQLite: WAL, `synchronous=FULL` (an acknowledged message survives a power cut), erased bytes overwritten, and
`BEGIN IMMEDIATE` for anything that writes, so that what a transaction read is still so when it commits.
PostgreSQL: read committed; whoever changes a conversation locks its row first.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import structlog
from sqlalchemy import Connection, Executable, Insert, Table, Update, delete, event, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from channels.errors import LedgerUnavailable
from channels.ledger.cipher import Cipher
from channels.ledger.committing import AT_ONCE, READERS, Readers, SideBySide, Together, be_patient, open_engine
from channels.ledger.direct import Direct
from channels.ledger.key_tables import doomed_keys

T = TypeVar("T")
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA secure_delete=ON",
    # Pages of the write-ahead log (64 MB) after which a writer folds it in. A worker does long before: `fold`.
    "PRAGMA wal_autocheckpoint=16000",
)
WRITING = {"ledger_writes": True}
MOST_IDS = 500


def new_id() -> str:
    """Opaque, url-safe, and nothing can be guessed from it."""
    return secrets.token_hex(12)


def shard_of(conversation_id: str, shards: int) -> int:
    """Computed, not stored, so that the number of shards can change."""
    return int(conversation_id, 16) % shards


@dataclass(frozen=True)
class Work:
    """One open transaction, and what is needed to read and write rows in it."""

    connection: AsyncConnection | Direct
    cipher: Cipher
    shards: int
    now: datetime

    async def run(self, statement: Executable, **values: object) -> CursorResult[*tuple[Any, ...]]:
        """`values` for the names that the statement leaves open."""
        return await self.connection.execute(statement, values or None)

    @property
    def is_alone(self) -> bool:
        """Whether nobody else can write before this ends: what was read is still so."""
        return self.connection.dialect.name == "sqlite"

    async def run_many(self, statement: Insert, rows: list[dict[str, Any]]) -> None:
        await self.connection.execute(statement, rows)

    async def changed(self, statement: Executable) -> int:
        """Runs an update or delete and says how many rows it touched."""
        return (await self.connection.execute(statement)).rowcount

    async def changed_many(self, statement: Update, rows: list[dict[str, Any]]) -> int:
        """Runs an update for each of these values and says how many rows it touched."""
        return (await self.connection.execute(statement, rows)).rowcount

    async def insert_new(self, table: Table, **values: object) -> bool:
        """Whether the row went in; it steps aside for one with the same unique value."""
        insert = sqlite.insert if self.connection.dialect.name == "sqlite" else postgresql.insert
        statement = insert(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key)
        return (await self.connection.execute(statement)).first() is not None

    async def hold(self, name: str) -> None:
        """Keep other transactions that hold the same `name` out until this one ends.

        For what no row stands for yet. SQLite has one writer at a time and needs nothing.
        """
        if self.connection.dialect.name == "postgresql":
            number = int(name[:15], 16)
            await self.connection.execute(select(text("pg_advisory_xact_lock(:number)")).params(number=number))


Steps: TypeAlias = Callable[[Work], Coroutine[Any, Any, T]]
"""What a transaction does, and nothing else: it waits for its database only, and may be done again from the start."""


@contextmanager
def as_unavailable() -> Iterator[None]:
    """A database that is away, full or locked becomes LedgerUnavailable; a mistake of ours stays what it is."""
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except (DBAPIError, PoolTimeout, OSError) as problem:
        cause = type(getattr(problem, "orig", None) or problem).__name__
        structlog.get_logger().error("ledger_unavailable", cause=cause)
        raise LedgerUnavailable(cause) from problem


class Database:
    """The engine, and the kinds of transaction on it: to read, to write, and to write in one go."""

    def __init__(self, url: str, cipher: Cipher, shards: int) -> None:
        self.cipher = cipher
        self.shards = shards
        self.unscrubbed = False
        """Erased bytes are still in the write-ahead log, because somebody was reading."""
        self._engine = make_engine(url)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        # SQLite lets one writer in at a time; queueing here is fair, its own waiting is a lottery.
        self._turn = asyncio.Semaphore(1 if self._is_sqlite else 1000)
        direct, views = open_engine(url, AT_ONCE), open_engine(url, READERS)
        self._readers = Readers(views, self._work)
        self._writer: Together | SideBySide = SideBySide(direct, self._work)
        if self._is_sqlite:
            set_pragmas(direct)
            be_patient(direct)
            listen_for_sqlite(views)
            self._writer = Together(direct, self._work, self._turn)
        self.engines = (direct, views, self._engine.sync_engine)

    async def read(self, steps: Steps[T]) -> T:
        """One consistent view, in one go: for what many ask. Raises LedgerUnavailable."""
        with as_unavailable():
            value: T = await self._readers.read(steps)
            return value

    async def write(self, steps: Steps[T]) -> T:
        """All or nothing, in one go (`channels.ledger.committing`): for what many do at once. Raises LedgerUnavailable.

        Nobody is answered before it is on the disk.
        """
        with as_unavailable():
            value: T = await self._writer.write(steps)
            return value

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Work]:
        """All or nothing. Raises LedgerUnavailable."""
        with as_unavailable():
            async with self._turn, self._engine.connect() as connection:
                await connection.execution_options(**WRITING)
                async with connection.begin():
                    yield self._work(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Work]:
        """One consistent view. Raises LedgerUnavailable."""
        with as_unavailable():
            async with self._engine.connect() as connection:
                if not self._is_sqlite:
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                yield self._work(connection)

    def _work(self, connection: AsyncConnection | Direct) -> Work:
        return Work(connection, self.cipher, self.shards, datetime.now(UTC))

    async def fold(self) -> None:
        """Fold the write-ahead log into the file, in nobody's way: a writer that has to do it keeps others waiting."""
        if self._is_sqlite:
            with as_unavailable():
                async with self._engine.connect() as connection:
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    cursor = await driver.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    await cursor.close()

    async def destroy_keys(self) -> None:
        """Destroy the keys that erasures have marked, here and wherever a process died before it could."""
        table, keys = doomed_keys.c, self.cipher.people
        async with self.reading() as work:
            doomed = (await work.run(select(table.key_id, table.leave_trace))).all()
        if not doomed or keys is None:
            return
        for traced in (True, False):
            ids = [row.key_id for row in doomed if row.leave_trace is traced]
            if not ids:
                continue
            with as_unavailable():
                gone = await asyncio.to_thread(keys.destroy, ids, leave_trace=traced)
            if not gone:  # Somebody was reading: destroyed, but an older page is still on the disk. At the next look.
                structlog.get_logger().warning("keys_scrub_postponed")
                continue
            async with self.writing() as work:
                for start in range(0, len(ids), MOST_IDS):
                    await work.run(delete(doomed_keys).where(table.key_id.in_(ids[start : start + MOST_IDS])))

    async def scrub(self) -> bool:
        """Destroy what keys are to go, and empty the write-ahead log, which still holds erased bytes.

        False when a reader was in the way.
        """
        await self.destroy_keys()
        if not self._is_sqlite:
            return True
        async with self._turn, self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            # Nobody is kept waiting for long: what does not work now works at the next erasure.
            await driver.execute("PRAGMA busy_timeout=200")
            cursor = await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, *_ = await cursor.fetchone()
            await cursor.close()
            await driver.execute("PRAGMA busy_timeout=5000")
        self.unscrubbed = bool(busy)
        if busy:
            structlog.get_logger().warning("ledger_scrub_postponed")
        return not busy

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.close()
        await self._engine.dispose()
        if self.cipher.people is not None:
            self.cipher.people.close()


def make_engine(url: str) -> AsyncEngine:
    """An engine that never shows bound values in an error or a log."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=5, max_overflow=15)
    keep_private(url)
    engine = create_async_engine(url, hide_parameters=True, pool_size=5, max_overflow=15, pool_timeout=10)
    listen_for_sqlite(engine.sync_engine)
    return engine


def keep_private(url: str) -> None:
    """Create the SQLite file readable by its owner only; its log files inherit that."""
    name = make_url(url).database
    if not name or name == ":memory:":
        return
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def set_pragmas(engine: Any) -> None:
    """SQLAlchemy's own recipe for real transactions on SQLite: the driver begins nothing, we do."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()


def listen_for_sqlite(engine: Any) -> None:
    set_pragmas(engine)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("ledger_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
