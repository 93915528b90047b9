"""Transactions that many want to make at once, made by threads of our own.

SQLite: one thread writes, and whoever comes while it does is taken along in its next transaction, each in a savepoint
of their own: what one of them does wrong undoes nothing of the others', and nobody is answered before all of it is on
the disk. Twenty who come at once wait for one or two writes to the disk instead of for twenty.
PostgreSQL: a transaction each, side by side, and again from the start after a deadlock.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from sqlite3 import SQLITE_BUSY
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from channels.ledger.direct import Direct, finish

PATIENCE: Final = 5.0
"""Seconds that a writer waits for another process's turn to end."""
LOOK_AGAIN: Final = 0.001
"""SQLite's own waiting sleeps up to 100 ms between two looks: whoever loses twice has lost half the time there is."""
WORTH_REPEATING: Final = frozenset({"40P01", "40001"})
"""PostgreSQL's codes for a deadlock and for a conflict: the transaction has left no trace."""
TRIES: Final = 3
MOST_TOGETHER: Final = 16
AT_ONCE: Final = 10
"""Transactions that PostgreSQL makes at the same time for one process."""

READERS: Final = 4

Begin: TypeAlias = Callable[[Direct], Any]
"""What steps are given, in the transaction that has begun."""


@dataclass
class Wanted:
    """Somebody's steps, and where they wait for what came of them."""

    steps: Callable[[Any], Coroutine[Any, Any, Any]]
    answer: asyncio.Future[Any]
    context: Context = field(default_factory=copy_context)
    value: Any = None
    problem: Exception | None = None

    def run(self, work: Any) -> None:
        """In the thread. What goes wrong in the steps themselves is kept for whoever wants them."""
        self.value = self.context.run(finish, self.steps(work))

    def tell(self) -> None:
        if self.answer.done():
            return
        if self.problem is None:
            self.answer.set_result(self.value)
        else:
            self.answer.set_exception(self.problem)


class Together:
    """For SQLite. `turn` keeps out, in this process, who writes in another way."""

    def __init__(self, engine: Engine, begin: Begin, turn: asyncio.Semaphore) -> None:
        self._engine = engine
        self._begin = begin
        self._turn = turn
        self._hand = ThreadPoolExecutor(1, "ledger")
        self._line: deque[Wanted] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, steps: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        """Whoever gives up before their turn has changed nothing; after that it is done all the same."""
        wanted = Wanted(steps, asyncio.get_running_loop().create_future())
        self._line.append(wanted)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await wanted.answer

    async def _write_all(self) -> None:
        while self._line:
            async with self._turn:
                some = [self._line.popleft() for _ in range(min(MOST_TOGETHER, len(self._line)))]
                still = [wanted for wanted in some if not wanted.answer.done()]
                try:
                    await in_thread(self._hand, self._commit, still)
                except OSError as closed:
                    for wanted in still:
                        wanted.problem = closed
            for wanted in still:
                wanted.tell()

    def _commit(self, some: list[Wanted]) -> None:
        """In the thread."""
        try:
            with self._engine.begin() as connection:
                for wanted in some:
                    self._in_savepoint(connection, wanted)
        except Exception as problem:
            # Nothing of it is there, whoever it was that met the trouble; each of them hears so.
            for wanted in some:
                wanted.problem = problem

    def _in_savepoint(self, connection: Connection, wanted: Wanted) -> None:
        try:
            with connection.begin_nested():
                wanted.run(self._begin(Direct(connection)))
        except DBAPIError as problem:
            if not isinstance(problem, IntegrityError | ProgrammingError | DataError):
                raise
            wanted.problem = problem
        except Exception as problem:
            wanted.problem = problem

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing
        self._hand.shutdown()
        self._engine.dispose()


class SideBySide:
    """For PostgreSQL."""

    def __init__(self, engine: Engine, begin: Begin) -> None:
        self._engine = engine
        self._begin = begin
        self._hands = ThreadPoolExecutor(AT_ONCE, "ledger")

    async def write(self, steps: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        """Whoever gives up leaves it to its end."""
        context = copy_context()
        return await in_thread(self._hands, context.run, self._commit, steps)

    def _commit(self, steps: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        for left in reversed(range(TRIES)):
            try:
                with self._engine.begin() as connection:
                    return finish(steps(self._begin(Direct(connection))))
            except DBAPIError as problem:
                if not left or getattr(problem.orig, "sqlstate", None) not in WORTH_REPEATING:
                    raise
        raise AssertionError("unreachable")

    async def close(self) -> None:
        self._hands.shutdown()
        self._engine.dispose()


class Readers:
    """Views of the database, each in one go. They wait for no writer, and no writer for them."""

    def __init__(self, engine: Engine, begin: Begin) -> None:
        self._engine = engine
        self._begin = begin
        self._hands = ThreadPoolExecutor(READERS, "ledger-reader")

    async def read(self, steps: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        return await in_thread(self._hands, self._look, steps)

    def _look(self, steps: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        with self._engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                connection.execution_options(isolation_level="REPEATABLE READ")
            return finish(steps(self._begin(Direct(connection))))

    async def close(self) -> None:
        self._hands.shutdown()
        self._engine.dispose()


def in_thread(hands: ThreadPoolExecutor, act: Callable[..., Any], *given: Any) -> asyncio.Future[Any]:
    """Raises OSError once the ledger is closed: whoever asks then hears that it is away, as with any other cause."""
    try:
        return asyncio.get_running_loop().run_in_executor(hands, act, *given)
    except RuntimeError as closed:
        raise OSError("the ledger is closed") from closed


def open_engine(url: str, connections: int) -> Engine:
    """That of the same database for threads; never shows bound values in an error or a log."""
    known = make_url(url)
    if known.get_backend_name() == "sqlite":
        return create_engine(known.set(drivername="sqlite"), hide_parameters=True, pool_size=connections)
    return create_engine(known, hide_parameters=True, pool_pre_ping=True, pool_size=2, max_overflow=connections - 2)


def be_patient(engine: Engine) -> None:
    """Begin as soon as the transaction of another process is over. After `set_pragmas`, which has another way."""

    @event.listens_for(engine, "connect")
    def wait_in_our_own_way(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout=0")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        until = time.monotonic() + PATIENCE
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except driver.OperationalError as problem:
                if problem.sqlite_errorcode != SQLITE_BUSY or time.monotonic() > until:
                    break
                time.sleep(LOOK_AGAIN)
            else:
                return
        # Once more, so that what is wrong is said as SQLAlchemy says it.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
