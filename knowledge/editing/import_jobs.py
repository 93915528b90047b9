"""Imports that editors asked for, in the catalogue's database: any process of ours shows them, one works at each.

reading -> columns -> looking -> looked -> taking -> done
(a table)             (a dry run)   |
                                    +-> put away            (any of them may end in failed)

reading, looking, taking -> stopped (its process ended) -> the same again, or put away
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from knowledge.editing.tables import import_jobs, in_utc, make_tables
from knowledge.exchange.columns import Columns
from knowledge.exchange.outcome import Outcome
from knowledge.exchange.tabular import PLAIN_TABLES, WORKBOOKS

TABLES: Final = PLAIN_TABLES | WORKBOOKS


class Stage(StrEnum):
    READING = "reading"
    COLUMNS = "columns"
    LOOKING = "looking"
    LOOKED = "looked"
    TAKING = "taking"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


BUSY: Final = frozenset({Stage.READING, Stage.LOOKING, Stage.TAKING})
ENDED: Final = frozenset({Stage.DONE, Stage.FAILED})


@dataclass(frozen=True, kw_only=True)
class Job:
    """One import, as it was when it was looked up. `given` is a path of ours or an address."""

    id: str
    given: str
    source: str
    by: str
    suggest_needs: bool
    begun: datetime
    moved: datetime
    stage: Stage
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What was chosen for the work it is at: a sheet, or whether to publish."""
    was_at: Stage | None = None
    """The work that was stopped."""
    worker: str = ""
    stop: bool = False
    """Somebody wants it to end after the batch it is in."""
    columns: Columns | None = None
    outcome: Outcome | None = None
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_table(self) -> bool:
        return Path(urlsplit(self.given).path if "://" in self.given else self.given).suffix.lower() in TABLES


class ImportJobs:
    """The table. Every change says which stage it expects, so that what is pressed twice is done once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        make_tables(engine)

    def add(self, job: Job) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.insert(import_jobs), _row(job))

    def find(self, number: str) -> Job | None:
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(import_jobs).where(import_jobs.c.id == number)).first()
        return _job(row) if row else None

    def all(self, stages: Collection[Stage] = tuple(Stage)) -> list[Job]:
        """Newest first."""
        query = sa.select(import_jobs).where(import_jobs.c.stage.in_([stage.value for stage in stages]))
        with self._engine.begin() as connection:
            return [_job(row) for row in connection.execute(query.order_by(import_jobs.c.begun.desc()))]

    def move(self, job: Job, stage: Stage, **values: Any) -> bool:
        """To another stage, with other values, if it is still at the one it was found at and with who works at it."""
        table = import_jobs.c
        unmoved = (table.id == job.id, table.stage == job.stage.value, table.worker == job.worker)
        changed = {name: _plain(value) for name, value in values.items()}
        with self._engine.begin() as connection:
            moved = connection.execute(sa.update(import_jobs).where(*unmoved).values(stage=stage.value, **changed))
        return bool(moved.rowcount)

    def tell(self, number: str, worker: str, outcome: Outcome) -> bool:
        """How far it is. False when somebody wants it to stop, or somebody else has it."""
        held = (import_jobs.c.id == number, import_jobs.c.worker == worker, import_jobs.c.stop.is_(False))
        with self._engine.begin() as connection:
            told = connection.execute(sa.update(import_jobs).where(*held).values(outcome=outcome.counts()))
        return bool(told.rowcount)

    def ask_to_stop(self, number: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.update(import_jobs).where(import_jobs.c.id == number).values(stop=True))

    def forget(self, numbers: Collection[str]) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(import_jobs).where(import_jobs.c.id.in_(numbers)))


def _plain(value: Any) -> Any:
    if isinstance(value, Outcome | Columns):
        return asdict(value)
    return list(value) if isinstance(value, tuple) else value


def _row(job: Job) -> dict[str, Any]:
    row = {name: _plain(value) for name, value in vars(job).items()}
    return {**row, "stage": job.stage.value, "was_at": job.was_at.value if job.was_at else None}


def _job(row: Any) -> Job:
    kept: dict[str, Any] = row.columns or {}
    columns: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in kept.items()}
    return Job(
        id=row.id,
        given=row.given,
        source=row.source,
        by=row.by,
        suggest_needs=row.suggest_needs,
        begun=in_utc(row.begun),
        moved=in_utc(row.moved),
        stage=Stage(row.stage),
        asked=row.asked,
        was_at=Stage(row.was_at) if row.was_at else None,
        worker=row.worker,
        stop=row.stop,
        columns=Columns(**columns) if columns else None,
        outcome=Outcome.read_back(row.outcome) if row.outcome else None,
        error=row.error,
        notes=tuple(row.notes),
    )
