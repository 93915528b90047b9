"""Reports that something in a listing is wrong, from people, peer workers and editors. A choice, never free words."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from knowledge.editing.tables import in_utc, make_tables, reports

SOURCES: Final = ("person", "peer", "editor")
MOST_OPEN: Final = 50
"""Open reports that one listing can collect: more say nothing new."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Something to look into."""

    id: int
    service_id: str
    wrong: str
    source: str
    reported_at: datetime


class Reports:
    """The editor's queue of reports."""

    def __init__(
        self, engine: Engine, kinds: Collection[str], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._kinds = frozenset(kinds)
        self._clock = clock
        make_tables(engine)

    def add(self, service_id: str, wrong: str, source: str) -> None:
        """Raises ValueError naming the field that is wrong and what it may be."""
        if wrong not in self._kinds:
            raise ValueError(f"wrong: use one of {', '.join(sorted(self._kinds))}")
        if source not in SOURCES:
            raise ValueError(f"source: use one of {', '.join(SOURCES)}")
        if len(self.open(service_id)) >= MOST_OPEN:
            return
        row = {"service_id": service_id, "wrong": wrong, "source": source, "reported_at": self._clock()}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(reports).values(**row))

    def open(self, service_id: str = "") -> tuple[Report, ...]:
        """The oldest first; of one listing or of all."""
        query = sa.select(reports).where(reports.c.settled_at.is_(None)).order_by(reports.c.id)
        if service_id:
            query = query.where(reports.c.service_id == service_id)
        with self._engine.begin() as connection:
            return tuple(map(_report, connection.execute(query)))

    def settle(self, number: int, by: str) -> None:
        """Looked into: nothing is left to do. Twice does no harm."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(reports)
                .where(reports.c.id == number, reports.c.settled_at.is_(None))
                .values(settled_by=by, settled_at=self._clock())
            )


def _report(row: Any) -> Report:
    return Report(
        id=row.id,
        service_id=row.service_id,
        wrong=row.wrong,
        source=row.source,
        reported_at=in_utc(row.reported_at),
    )
