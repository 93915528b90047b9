"""A transaction in one go: every step of it in one thread, without going back to the event loop in between.

A statement sent through an asyncio driver changes threads four times. A claim has a dozen statements and holds
SQLite's one write lock all the while, so that others would wait for those changes more than for the database. The
steps are the same `async` functions as everywhere in the ledger; here nothing they await ever waits, so that a single
push runs them to their end.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.engine import CursorResult

T = TypeVar("T")


@dataclass(frozen=True)
class Direct:
    """Stands where an asyncio connection would; for use in one thread."""

    connection: Connection

    @property
    def dialect(self) -> Dialect:
        return self.connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]:
        return self.connection.execute(statement, parameters)


def finish(steps: Coroutine[Any, Any, T]) -> T:
    """Run them to their end, here and now."""
    try:
        steps.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    steps.close()
    raise RuntimeError("a transaction waited for something that is not its database")
