"""Imports that editors ask for: looked at first, confirmed by a publisher, done outside of the request.

    reading -> columns -> looking -> looked -> taking -> done
    (a table)             (a dry run)   |
                                        +-> put away            (any of them may end in failed)

One works at a time, in a thread. What was sent is on disk until its import ends, and never across a start: an import
that was cut short is sent again, and goes on where it was, because what it had taken in is unchanged then.
"""

from __future__ import annotations

import queue
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import structlog

from knowledge.editing.accounts import Editor
from knowledge.errors import ImportRefused, KnowledgeError
from knowledge.exchange.bringing import Request, bring_in
from knowledge.exchange.columns import Columns, keep_columns, read_columns
from knowledge.exchange.fetching import Fetcher
from knowledge.exchange.importing import Choices
from knowledge.exchange.outcome import Outcome
from knowledge.exchange.sources import kept_mapping, name_source
from knowledge.exchange.tabular import PLAIN_TABLES, WORKBOOKS
from knowledge.settings import Settings

MOST_OPEN: Final = 10
MOST_REMEMBERED: Final = 30
IDLE: Final = timedelta(hours=2)
"""What nobody confirmed until then is put away, with its file."""
STOP_SECONDS: Final = 20.0
"""How long a stop waits for a batch; the thread may be waiting for an import at the command line."""
TABLES: Final = PLAIN_TABLES | WORKBOOKS


class Stage(StrEnum):
    READING = "reading"
    COLUMNS = "columns"
    LOOKING = "looking"
    LOOKED = "looked"
    TAKING = "taking"
    DONE = "done"
    FAILED = "failed"


BUSY: Final = {Stage.READING, Stage.LOOKING, Stage.TAKING}
ENDED: Final = {Stage.DONE, Stage.FAILED}


@dataclass(kw_only=True)
class Job:
    """One import. `given` is a path of ours or an address; `folder` holds its file, if it has one."""

    id: str
    given: str
    source: str
    by: str
    folder: Path
    suggest_needs: bool
    begun: datetime
    stage: Stage = Stage.READING
    columns: Columns | None = None
    outcome: Outcome | None = None
    error: str = ""
    notes: list[str] = field(default_factory=list)
    stop: bool = False

    @property
    def is_table(self) -> bool:
        return Path(urlsplit(self.given).path if "://" in self.given else self.given).suffix.lower() in TABLES


class Bring(Protocol):
    def __call__(
        self, settings: Settings, request: Request, tell: Callable[[Outcome], None], note: Callable[[str], None]
    ) -> Outcome: ...


class _Stopped(KnowledgeError):
    """Somebody put the import away, or the process ends. Batches that were written stay."""


class Imports:
    """`gone_live` is called when something that people are offered has changed."""

    def __init__(self, settings: Settings, gone_live: Callable[[], None], bring: Bring = bring_in) -> None:
        self._settings = settings
        self._gone_live = gone_live
        self._bring = bring
        self._folder = settings.data_dir / "imports" / "uploads"
        shutil.rmtree(self._folder, ignore_errors=True)  # what a process that was killed left behind
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._work: queue.Queue[tuple[Callable[..., None], Job, tuple[Any, ...]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="imports", daemon=True)
        self._thread.start()

    # -- what pages ask for ------------------------------------------------------------------------------------

    def new_folder(self) -> Path:
        """Where to put a file. Raises ImportRefused when too many wait already."""
        self._clear()
        if sum(job.stage not in ENDED for job in self._jobs.values()) >= MOST_OPEN:
            raise ImportRefused(f"{MOST_OPEN} imports are open already. Confirm one or put it away first.")
        return self._folder / secrets.token_hex(8)

    def add(self, folder: Path, given: str, *, by: Editor, source: str = "", suggest_needs: bool = True) -> Job:
        """Begin with a file that is in `folder`, or with an address of the web. Raises ImportRefused."""
        here = Path(given).parent == folder
        if not here and not given.startswith(("https://", "http://")):
            raise ImportRefused("Write an address that begins with https://")
        job = Job(
            id=folder.name,
            given=given,
            source=(" ".join(source.split()) or name_source(given))[:200],
            by=by.login,
            folder=folder,
            suggest_needs=suggest_needs,
            begun=datetime.now(UTC),
        )
        self._jobs[job.id] = job
        self._put(job, Stage.READING if job.is_table else Stage.LOOKING, self._read if job.is_table else self._look)
        return job

    def find(self, number: str) -> Job | None:
        return self._jobs.get(number)

    def all(self) -> list[Job]:
        """Newest first."""
        self._clear()
        return sorted(self._jobs.values(), key=lambda job: job.begun, reverse=True)

    def choose_sheet(self, job: Job, sheet: str) -> None:
        if job.columns and sheet in job.columns.sheets and self._move(job, Stage.COLUMNS, Stage.READING):
            self._work.put((self._read, job, (sheet,)))

    def choose_columns(self, job: Job, chosen: Mapping[str, str]) -> None:
        """Raises ImportRefused naming what to choose."""
        if job.stage is Stage.COLUMNS and job.columns:
            keep_columns(self._kept(job), job.columns, chosen)
            job.columns = replace(job.columns, mapping=dict(chosen))
            if self._move(job, Stage.COLUMNS, Stage.LOOKING):
                self._work.put((self._look, job, ()))

    def why_not(self, job: Job, editor: Editor, *, publish: bool) -> str:
        """What stands against this editor's confirming it; empty when nothing does."""
        if not editor.may_publish:
            return "A publisher has to confirm it: ask one to open this page."
        seen = publish or (job.outcome and (job.outcome.changed or job.outcome.gone))
        if seen and self._settings.second_person and editor.login == job.by:
            return "It changes what people are offered, so somebody else has to confirm it: ask another publisher."
        return ""

    def take(self, job: Job, editor: Editor, *, publish: bool, accept_gone: bool) -> None:
        """Do what was looked at. Raises ImportRefused."""
        if reason := self.why_not(job, editor, publish=publish):
            raise ImportRefused(reason)
        if self._move(job, Stage.LOOKED, Stage.TAKING):
            self._work.put((self._take, job, (publish, accept_gone)))

    def put_away(self, job: Job) -> None:
        """Forget it and its file. One that is at work stops after the batch it is in."""
        job.stop = True
        if job.stage not in BUSY:
            self._end(job, Stage.FAILED, "It was put away.")

    def wait(self) -> None:
        """Until nothing is left to do."""
        self._work.join()

    def close(self) -> None:
        """Ends after the batch that is being written. Files go."""
        for job in list(self._jobs.values()):
            job.stop = True
        self._work.put(None)
        self._thread.join(STOP_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (task := self._work.get()) is not None:
            work, job, arguments = task
            try:
                self._go_on(job)
                work(job, *arguments)
            except _Stopped as stopped:
                self._end(job, Stage.FAILED, str(stopped))
            except KnowledgeError as error:
                self._end(job, Stage.FAILED, str(error))
            except Exception as error:  # the page says that it failed; the next import goes on
                structlog.get_logger().error("import_failed", error=type(error).__name__, job=job.id)
                self._end(job, Stage.FAILED, f"Something went wrong here ({type(error).__name__}). Try it again.")
            finally:
                self._work.task_done()

    def _read(self, job: Job, sheet: str = "") -> None:
        if "://" in job.given:
            job.given = str(self._download(job))
        job.columns = read_columns(Path(job.given), self._kept(job), sheet)
        job.stage = Stage.COLUMNS

    def _download(self, job: Job) -> Path:
        job.folder.mkdir(parents=True, exist_ok=True)
        target = job.folder / f"table{Path(urlsplit(job.given).path).suffix.lower()}"
        fetcher = Fetcher(self._settings.import_hosts_named())
        try:
            fetcher.fetch(job.given, target, whole=True)
        finally:
            fetcher.close()
        return target

    def _look(self, job: Job) -> None:
        job.outcome = self._do(job, Choices(source=job.source, dry_run=True))
        if not job.outcome.read and job.outcome.errors:
            problem = job.outcome.problems[0]
            return self._end(job, Stage.FAILED, f"Nothing could be read. {problem.where}: {problem.text}")
        job.stage = Stage.LOOKED

    def _take(self, job: Job, publish: bool, accept_gone: bool) -> None:
        choices = Choices(source=job.source, publish=publish, accept_gone=accept_gone)
        try:
            job.outcome = self._do(job, choices)
        finally:  # also when it was stopped: what was written by then is live as well
            self._gone_live()
        self._end(job, Stage.DONE, "")

    def _do(self, job: Job, choices: Choices) -> Outcome:
        job.notes.clear()

        def tell(outcome: Outcome) -> None:
            job.outcome = outcome
            self._go_on(job)

        request = Request(
            given=job.given,
            choices=choices,
            sheet=job.columns.sheet if job.columns else "",
            suggest_needs=job.suggest_needs,
        )
        return self._bring(self._settings, request, tell, job.notes.append)

    def _go_on(self, job: Job) -> None:
        if job.stop:
            raise _Stopped("It was stopped. What had been taken in until then stays; send it again to go on.")

    def _end(self, job: Job, stage: Stage, error: str) -> None:
        job.error, job.stage = error, stage
        shutil.rmtree(job.folder, ignore_errors=True)

    # -- small things ------------------------------------------------------------------------------------------

    def _put(self, job: Job, stage: Stage, work: Callable[..., None]) -> None:
        job.stage = stage
        self._work.put((work, job, ()))

    def _move(self, job: Job, old: Stage, new: Stage) -> bool:
        """Once only, however often a button is pressed."""
        with self._lock:
            if job.stage is not old:
                return False
            job.stage = new
            return True

    def _kept(self, job: Job) -> Path:
        return kept_mapping(self._settings.data_dir / "imports" / "mappings", job.source)

    def _clear(self) -> None:
        """Put away what was forgotten, and forget what ended long ago."""
        for job in list(self._jobs.values()):
            if job.stage not in BUSY | ENDED and datetime.now(UTC) - job.begun > IDLE:
                self._end(job, Stage.FAILED, "Nobody confirmed it for two hours, so it was put away.")
        ended = sorted((job for job in self._jobs.values() if job.stage in ENDED), key=lambda job: job.begun)
        for job in ended[:-MOST_REMEMBERED]:
            self._jobs.pop(job.id, None)
