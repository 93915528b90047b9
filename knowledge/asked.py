"""What people ask for and whether a good answer was there: counts by month, need and place. No words of anybody.

The action server adds to them; the editor's pages read them. A count below 5 is never shown: it could be one person.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

FEWEST: Final = 5
"""Smaller counts are suppressed."""
ANYWHERE: Final = ""
"""Nobody said where."""
UNKNOWN: Final = ""
"""No need was recognised."""

tables = sa.MetaData()
asked = sa.Table(
    "catalogue_asked",
    tables,
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("need", sa.String(64), primary_key=True),
    sa.Column("place", sa.String(64), primary_key=True),
    sa.Column("asked", sa.Integer, nullable=False),
    sa.Column("unanswered", sa.Integer, nullable=False),
)
suggested = sa.Table(
    "catalogue_suggested",
    tables,
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("service_id", sa.String(64), primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A need somewhere, how often it was asked for, and how often there was no good match."""

    need: str
    place: str
    times: int
    asked: int


class Asked:
    """The counts, in the catalogue's database."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        tables.create_all(engine)

    def add(self, needs: Mapping[tuple[str, str, bool], int], services: Mapping[str, int]) -> None:
        """Add to this month: (need, place, answered well?) to times, and service id to times suggested."""
        month = f"{self._clock():%Y-%m}"
        with self._engine.begin() as connection:
            for (need, place, well), times in needs.items():
                keys = {"month": month, "need": need[:64], "place": place[:64]}
                _add(connection, asked, keys, {"asked": times, "unanswered": 0 if well else times})
            for service_id, times in services.items():
                _add(connection, suggested, {"month": month, "service_id": service_id[:64]}, {"times": times})

    def unanswered(self, months: int = 3) -> tuple[tuple[Unanswered, ...], int]:
        """Needs and places with at least FEWEST questions without a good match, most first; and how many are hidden."""
        query = (
            sa.select(asked.c.need, asked.c.place, sa.func.sum(asked.c.unanswered), sa.func.sum(asked.c.asked))
            .where(asked.c.month >= self._since(months))
            .group_by(asked.c.need, asked.c.place)
            .having(sa.func.sum(asked.c.unanswered) > 0)
        )
        with self._engine.begin() as connection:
            found = [
                Unanswered(need=need, place=place, times=int(times), asked=int(total))
                for need, place, times, total in connection.execute(query)
            ]
        shown = sorted((each for each in found if each.times >= FEWEST), key=lambda each: -each.times)
        return tuple(shown), len(found) - len(shown)

    def suggested(self, months: int = 3) -> dict[str, int]:
        """Service id to how often it was suggested."""
        query = (
            sa.select(suggested.c.service_id, sa.func.sum(suggested.c.times))
            .where(suggested.c.month >= self._since(months))
            .group_by(suggested.c.service_id)
        )
        with self._engine.begin() as connection:
            return {service_id: int(times) for service_id, times in connection.execute(query)}

    def _since(self, months: int) -> str:
        now = self._clock()
        year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
        return f"{year:04}-{month + 1:02}"


class Tally:
    """Collects counts while people are answered and writes them a little later, so that nobody waits for a disk.

    A count that cannot be written is kept for the next time; `failed` is told what kind of error it was.
    """

    def __init__(self, asked: Callable[[], Asked], failed: Callable[[str], None], pause: float = 2.0) -> None:
        self._open = asked
        self._failed = failed
        self._pause = pause
        self._lock = threading.Lock()
        self._needs: Counter[tuple[str, str, bool]] = Counter()
        self._services: Counter[str] = Counter()
        self._timer: threading.Timer | None = None
        self._asked: Asked | None = None

    def note(self, needs: Collection[str] | None, place: str | None, well: bool, services: Collection[str]) -> None:
        """One list that somebody was given. `needs` is None when it goes on with what was counted before."""
        with self._lock:
            if needs is not None:
                self._needs.update((need, place or ANYWHERE, well) for need in needs or (UNKNOWN,))
            self._services.update(services)
            if self._timer is None:
                self._timer = threading.Timer(self._pause, self.write)
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> None:
        """Write what was collected. Called by itself; also when the process ends."""
        with self._lock:
            needs, services, self._timer = self._needs, self._services, None
            self._needs, self._services = Counter(), Counter()
        if not (needs or services):
            return
        try:
            self._asked = self._asked or self._open()
            self._asked.add(needs, services)
        except Exception as error:  # whatever is wrong with the database, people are answered
            self._failed(type(error).__name__)
            with self._lock:
                self._needs.update(needs)
                self._services.update(services)


def _add(connection: Connection, table: sa.Table, keys: Mapping[str, str], more: Mapping[str, int]) -> None:
    same = [table.c[name] == value for name, value in keys.items()]
    grown = {name: table.c[name] + value for name, value in more.items()}
    if not connection.execute(sa.update(table).where(*same).values(**grown)).rowcount:
        connection.execute(sa.insert(table).values(**keys, **more))
