"""The keys of people, apart from what they open, so that a copy of the one is nothing without the other.

SQLite: `keys.db` beside the ledger's file. PostgreSQL: the schema `nwd_keys`. Backups of the ledger leave them out.
Each key is wrapped by the service's keys (NWD_ENCRYPTION_KEYS). Of a destroyed key the id stays, with nothing behind
it: a key that was destroyed reads as erased, one that was never here is a mistake in the set-up and says so.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Column, Connection, Engine, MetaData, Table, Text, delete, make_url, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from channels.errors import KeyLost, SettingsError
from channels.ledger import sealing
from channels.ledger.cipher import Cipher
from channels.ledger.committing import open_engine
from channels.ledger.database import WRITING, keep_private, listen_for_sqlite
from channels.ledger.sealing import KeyState
from channels.ledger.tables import ID

FILE: Final = "keys.db"
SCHEMA: Final = "nwd_keys"
SCHEMA_LOCK: Final = 684_201_974
"""Any number, as long as it stays the same: only one process at a time makes the schema."""
MOST_CACHED: Final = 10_000
CACHED_SECONDS: Final = 300.0
"""For so long another process may go on with a key that has been destroyed."""
AT_A_TIME: Final = 500
CONNECTIONS: Final = 4

person_keys = Table(
    "person_keys",
    MetaData(),
    Column("id", ID, primary_key=True),
    # Empty once it was destroyed.
    Column("wrapped", Text),
)
TABLE: Final = person_keys.c


class KeyStore:
    """Synchronous: it is asked in the middle of a ledger's transaction. Errors of its database pass through."""

    def __init__(self, ledger_url: str, service: Cipher) -> None:
        self._url = beside(ledger_url)
        self._service = service
        self._cache: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._opened: Engine | None = None

    def to_write(self, owner: str) -> bytes | None:
        if (cached := self._cached(owner)) is not None:
            return cached
        found = self._find(owner)
        if found is None:
            with self._writing() as connection:
                _insert(connection, owner, self._wrap(sealing.new_key()))
            found = self._find(owner)
        return self._keep(owner, found)

    def make(self, owners: Iterable[str]) -> None:
        fresh = [owner for owner in owners if self._cached(owner) is None and self._find(owner) is None]
        if fresh:
            with self._writing() as connection:
                for owner in fresh:
                    _insert(connection, owner, self._wrap(sealing.new_key()))

    def to_read(self, key_id: str) -> bytes | None:
        if (cached := self._cached(key_id)) is not None:
            return cached
        found = self._find(key_id)
        if found is None:
            raise KeyLost(
                f"{FILE} ({SCHEMA} on PostgreSQL): the key of something in the ledger was never there. It belongs to "
                "another ledger, or was lost: add the newest copy of the keys to those here (channels/README.md)."
            )
        return self._keep(key_id, found)

    def missing(self, key_ids: Collection[str]) -> set[str]:
        with self._engine().connect() as connection:
            return set(key_ids) - set(connection.execute(select(TABLE.id).where(TABLE.id.in_(key_ids))).scalars())

    def destroy(self, key_ids: list[str], *, leave_trace: bool) -> bool:
        with self._writing() as connection:
            for key_id in key_ids:
                if leave_trace:
                    _insert(connection, key_id, None)
                    connection.execute(update(person_keys).where(TABLE.id == key_id).values(wrapped=None))
                else:
                    connection.execute(delete(person_keys).where(TABLE.id == key_id))
        with self._lock:
            for key_id in key_ids:
                self._cache.pop(key_id, None)
        return self._scrub()

    def destroyed(self) -> Iterator[list[str]]:
        for some in self._pages():
            yield [key_id for key_id, wrapped in some if wrapped is None]

    def rewrap(self) -> int:
        count = 0
        for some in self._pages():
            with self._writing() as connection:
                for key_id, wrapped in some:
                    if wrapped is None or self._service.is_current(wrapped):
                        continue
                    same = update(person_keys).where(TABLE.id == key_id, TABLE.wrapped == wrapped)
                    count += connection.execute(same.values(wrapped=self._service.rotate(wrapped))).rowcount
        if count:
            self._scrub()
        return count

    def state(self) -> KeyState:
        kept = destroyed = closed = old = 0
        for some in self._pages():
            for _, wrapped in some:
                if wrapped is None:
                    destroyed += 1
                    continue
                kept += 1
                if not self._service.is_current(wrapped):
                    opens = self._opens(wrapped)
                    old, closed = old + opens, closed + (not opens)
        return KeyState(kept=kept, destroyed=destroyed, closed=closed, old=old)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.dispose()

    def clock(self) -> float:
        """Seconds."""
        return time.monotonic()

    # -- what is in memory

    def _cached(self, key_id: str) -> bytes | None:
        with self._lock:
            key, since = self._cache.get(key_id, (None, 0.0))
            return key if self.clock() - since < CACHED_SECONDS else None

    def _keep(self, key_id: str, found: tuple[str | None] | None) -> bytes | None:
        if found is None or found[0] is None:
            return None
        key = base64.urlsafe_b64decode(self._service.decrypt(found[0]))
        with self._lock:
            self._cache[key_id] = (key, self.clock())
            self._cache.move_to_end(key_id)
            while len(self._cache) > MOST_CACHED:
                self._cache.popitem(last=False)
        return key

    def _wrap(self, key: bytes) -> str:
        return self._service.encrypt(base64.urlsafe_b64encode(key).decode("ascii"))

    def _opens(self, wrapped: str) -> bool:
        try:
            self._service.decrypt(wrapped)
        except SettingsError:
            return False
        return True

    # -- what is on the disk

    def _find(self, key_id: str) -> tuple[str | None] | None:
        with self._engine().connect() as connection:
            row = connection.execute(select(TABLE.wrapped).where(TABLE.id == key_id)).first()
        return (row.wrapped,) if row else None

    def _pages(self) -> Iterator[list[tuple[str, str | None]]]:
        after = ""
        while True:
            wanted = select(TABLE.id, TABLE.wrapped).where(TABLE.id > after).order_by(TABLE.id).limit(AT_A_TIME)
            with self._engine().connect() as connection:
                some = [(row.id, row.wrapped) for row in connection.execute(wanted)]
            if not some:
                return
            yield some
            after = some[-1][0]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine().connect() as opened:
            connection = opened.execution_options(**WRITING)
            with connection.begin():
                yield connection

    def _scrub(self) -> bool:
        """SQLite: fold the write-ahead log in, which holds older pages. PostgreSQL: tidy the rows that are dead."""
        engine = self._engine()
        if engine.dialect.name == "postgresql":
            with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql(f"VACUUM {SCHEMA}.{person_keys.name}")
            return True
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def _engine(self) -> Engine:
        """Made at the first use, with its table."""
        if self._opened is None:
            with self._lock:
                if self._opened is None:
                    self._opened = _open(self._url)
        return self._opened


def beside(ledger_url: str) -> URL:
    url = make_url(ledger_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return url
    return url.set(database=str(Path(url.database).with_name(FILE)))


def _open(url: URL) -> Engine:
    address = url.render_as_string(hide_password=False)
    engine = open_engine(address, CONNECTIONS)
    if engine.dialect.name == "sqlite":
        keep_private(address)
        listen_for_sqlite(engine)
    else:
        engine = engine.execution_options(schema_translate_map={None: SCHEMA})
    with engine.connect() as first:
        connection = first.execution_options(**WRITING)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)").bindparams(number=SCHEMA_LOCK))
                connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            connection.execute(CreateTable(person_keys, if_not_exists=True))
    return engine


def _insert(connection: Connection, key_id: str, wrapped: str | None) -> None:
    """It steps aside for one that is there."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(person_keys).values(id=key_id, wrapped=wrapped).on_conflict_do_nothing())
