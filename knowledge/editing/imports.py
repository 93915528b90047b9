"""Imports that editors ask for: looked at first, confirmed by a publisher, done outside of the request.

One works at a time in each process, in a thread. What was sent is on disk until its import ends. Whoever works at an
import says so beside it (`Presence`): when that process is not there any more, killed or stopped, any other shows the
import as stopped part way, and somebody goes on with it: what had been taken in is unchanged then.
"""

from __future__ import annotations

import queue
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from knowledge.editing.accounts import Editor
from knowledge.editing.import_jobs import BUSY, ENDED, ImportJobs, Job, Stage
from knowledge.editing.presence import Presence
from knowledge.errors import ImportRefused, KnowledgeError
from knowledge.exchange.bringing import Request, bring_in
from knowledge.exchange.columns import keep_columns, read_columns
from knowledge.exchange.fetching import Fetcher
from knowledge.exchange.importing import Choices
from knowledge.exchange.outcome import Outcome
from knowledge.exchange.sources import kept_mapping, name_source
from knowledge.settings import Settings

MOST_OPEN: Final = 10
MOST_REMEMBERED: Final = 30
IDLE: Final = timedelta(hours=2)
"""What nobody confirmed until then is put away, with its file."""
STOPPED_IDLE: Final = timedelta(hours=24)
"""The same for what was stopped: as long as pages of a feed that were read count as read."""
STOP_SECONDS: Final = 20.0
"""How long a stop waits for a batch; the thread may be waiting for an import at the command line."""
PUT_AWAY: Final = "It was put away."
STOPPED: Final = "It was stopped. What had been taken in until then stays; send it again to go on."
FILE_GONE: Final = "Its file is not here any more. Send it again: what had been taken in stays as it is."


class Bring(Protocol):
    def __call__(
        self, settings: Settings, request: Request, tell: Callable[[Outcome], None], note: Callable[[str], None]
    ) -> Outcome: ...


class _Stopped(KnowledgeError):
    """Somebody put the import away, or the process ends. Batches that were written stay."""


class Imports:
    """`gone_live` is called when something that people are offered has changed."""

    def __init__(
        self, settings: Settings, engine: Engine, gone_live: Callable[[], None], bring: Bring = bring_in
    ) -> None:
        self._settings = settings
        self._gone_live = gone_live
        self._bring = bring
        self._folder = settings.data_dir / "imports" / "uploads"
        self._jobs = ImportJobs(engine)
        self._self = Presence(settings.data_dir / "imports" / "workers")
        self._closing = threading.Event()
        self._work: queue.Queue[str] = queue.Queue()
        self._told: Outcome | None = None
        self._clear()
        self._thread = threading.Thread(target=self._run, name="imports", daemon=True)
        self._thread.start()

    # -- what pages ask for ------------------------------------------------------------------------------------

    def new_folder(self) -> Path:
        """Where to put a file. Raises ImportRefused when too many wait already."""
        self._clear()
        if sum(job.stage not in ENDED for job in self._jobs.all()) >= MOST_OPEN:
            raise ImportRefused(f"{MOST_OPEN} imports are open already. Confirm one or put it away first.")
        return self._folder / secrets.token_hex(8)

    def add(self, folder: Path, given: str, *, by: Editor, source: str = "", suggest_needs: bool = True) -> Job:
        """Begin with a file that is in `folder`, or with an address of the web. Raises ImportRefused."""
        here = Path(given).parent == folder
        if not here and not given.startswith(("https://", "http://")):
            raise ImportRefused("Write an address that begins with https://")
        now = datetime.now(UTC)
        job = Job(
            id=folder.name,
            given=given,
            source=(" ".join(source.split()) or name_source(given))[:200],
            by=by.login,
            suggest_needs=suggest_needs,
            begun=now,
            moved=now,
            stage=Stage.LOOKING,
            worker=self._self.name,
        )
        job = replace(job, stage=Stage.READING) if job.is_table else job
        self._jobs.add(job)
        self._work.put(job.id)
        return job

    def find(self, number: str) -> Job | None:
        job = self._jobs.find(number)
        return self._jobs.find(number) if job and self._mark_stopped(job) else job

    def all(self) -> list[Job]:
        """Newest first."""
        self._clear()
        return self._jobs.all()

    def choose_sheet(self, job: Job, sheet: str) -> None:
        if job.stage is Stage.COLUMNS and job.columns and sheet in job.columns.sheets:
            self._begin(job, Stage.READING, asked={"sheet": sheet})

    def choose_columns(self, job: Job, chosen: Mapping[str, str]) -> None:
        """Raises ImportRefused naming what to choose."""
        if job.stage is Stage.COLUMNS and job.columns:
            keep_columns(self._kept(job), job.columns, chosen)
            self._begin(job, Stage.LOOKING, columns=replace(job.columns, mapping=dict(chosen)), asked={})

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
        if job.stage is Stage.LOOKED:
            self._begin(job, Stage.TAKING, asked={"publish": publish, "accept_gone": accept_gone}, outcome=None)

    def go_on(self, job: Job) -> None:
        """Take up what was stopped. Whoever may see it may: what is to be done was confirmed before."""
        if job.stage is not Stage.STOPPED or job.was_at is None:
            return
        if "://" not in job.given and not Path(job.given).is_file():
            self._leave_off(job, FILE_GONE)
            return
        self._begin(job, job.was_at, was_at=None)

    def put_away(self, job: Job) -> None:
        """Forget it and its file. One that is at work stops after the batch it is in."""
        if job.stage in BUSY:
            self._jobs.ask_to_stop(job.id)
        elif job.stage not in ENDED:
            self._leave_off(job, STOPPED if job.was_at is Stage.TAKING else PUT_AWAY)

    def wait(self) -> None:
        """Until nothing is left to do here."""
        self._work.join()

    def close(self) -> None:
        """Ends after the batch that is being written. What was not done is stopped, and can be gone on with."""
        self._closing.set()
        self._work.put("")
        self._thread.join(STOP_SECONDS)
        self._self.leave()

    # -- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            number = self._work.get()
            try:
                job = None if self._closing.is_set() else self._jobs.find(number)
                if job and job.stage in BUSY and job.worker == self._self.name:
                    self._do(job)
            except SQLAlchemyError as error:  # it stays as it was written last; the next import goes on
                structlog.get_logger().error("import_not_recorded", error=type(error).__name__, job=number)
            finally:
                self._work.task_done()

    def _do(self, job: Job) -> None:
        self._told = None
        try:
            if job.stop:
                raise _Stopped(STOPPED)
            {Stage.READING: self._read, Stage.LOOKING: self._look, Stage.TAKING: self._take}[job.stage](job)
        except _Stopped:
            if not self._closing.is_set():
                self._end(job, Stage.FAILED, STOPPED, outcome=self._told)
        except KnowledgeError as error:
            self._end(job, Stage.FAILED, str(error))
        except Exception as error:  # the page says that it failed; the next import goes on
            structlog.get_logger().error("import_failed", error=type(error).__name__, job=job.id)
            self._end(job, Stage.FAILED, f"Something went wrong here ({type(error).__name__}). Try it again.")

    def _read(self, job: Job) -> None:
        given = str(self._download(job)) if "://" in job.given else job.given
        columns = read_columns(Path(given), self._kept(job), job.asked.get("sheet", ""))
        self._jobs.move(job, Stage.COLUMNS, given=given, columns=columns, moved=datetime.now(UTC))

    def _download(self, job: Job) -> Path:
        folder = self._folder / job.id
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"table{Path(urlsplit(job.given).path).suffix.lower()}"
        fetcher = Fetcher(self._settings.import_hosts_named())
        try:
            fetcher.fetch(job.given, target, whole=True)
        finally:
            fetcher.close()
        return target

    def _look(self, job: Job) -> None:
        outcome, notes = self._bring_in(job, Choices(source=job.source, dry_run=True))
        if not outcome.read and outcome.errors:
            problem = outcome.problems[0]
            return self._end(job, Stage.FAILED, f"Nothing could be read. {problem.where}: {problem.text}")
        self._jobs.move(job, Stage.LOOKED, outcome=outcome, notes=notes, moved=datetime.now(UTC))

    def _take(self, job: Job) -> None:
        choices = Choices(source=job.source, publish=job.asked["publish"], accept_gone=job.asked["accept_gone"])
        try:
            outcome, notes = self._bring_in(job, choices)
        finally:  # also when it was stopped: what was written by then is live as well
            self._gone_live()
        self._end(job, Stage.DONE, "", outcome=outcome, notes=notes)

    def _bring_in(self, job: Job, choices: Choices) -> tuple[Outcome, tuple[str, ...]]:
        notes: list[str] = []

        def tell(outcome: Outcome) -> None:
            self._told = outcome
            if not self._jobs.tell(job.id, self._self.name, outcome) or self._closing.is_set():
                raise _Stopped(STOPPED)

        tell(Outcome(source=job.source, dry_run=choices.dry_run))
        sheet = job.columns.sheet if job.columns else ""
        request = Request(given=job.given, choices=choices, sheet=sheet, suggest_needs=job.suggest_needs)
        return self._bring(self._settings, request, tell, notes.append), tuple(notes)

    # -- small things ------------------------------------------------------------------------------------------

    def _begin(self, job: Job, stage: Stage, **values: Any) -> None:
        """Once only, however often a button is pressed, and in however many processes."""
        if self._jobs.move(job, stage, worker=self._self.name, stop=False, moved=datetime.now(UTC), **values):
            self._work.put(job.id)

    def _end(self, job: Job, stage: Stage, error: str, **values: Any) -> None:
        if self._jobs.move(job, stage, error=error, moved=datetime.now(UTC), **values):
            shutil.rmtree(self._folder / job.id, ignore_errors=True)

    def _leave_off(self, job: Job, error: str) -> None:
        """What it had written before it was stopped goes live; nobody else will see to it."""
        self._end(job, Stage.FAILED, error)
        if job.was_at is Stage.TAKING:
            self._gone_live()

    def _mark_stopped(self, job: Job) -> bool:
        """Whether it had to be: it is at work, and who worked at it is not there any more."""
        if job.stage not in BUSY or job.worker == self._self.name or self._self.is_there(job.worker):
            return False
        return self._jobs.move(job, Stage.STOPPED, was_at=job.stage.value, moved=datetime.now(UTC))

    def _kept(self, job: Job) -> Path:
        return kept_mapping(self._settings.data_dir / "imports" / "mappings", job.source)

    def _clear(self) -> None:
        """Say what was stopped, put away what was forgotten, forget what ended long ago, and clear files of nobody."""
        for job in self._jobs.all(BUSY):
            self._mark_stopped(job)
        now = datetime.now(UTC)
        for job in self._jobs.all((Stage.COLUMNS, Stage.LOOKED, Stage.STOPPED)):
            if now - job.moved > (STOPPED_IDLE if job.stage is Stage.STOPPED else IDLE):
                self._end(job, Stage.FAILED, "Nobody went on with it for hours, so it was put away. Send it again.")
        jobs = self._jobs.all()
        ended = [job.id for job in jobs if job.stage in ENDED]
        self._jobs.forget(ended[MOST_REMEMBERED:])
        known = {job.id for job in jobs if job.stage not in ENDED}
        for folder in self._folder.glob("*"):  # one that is not known yet may be being sent at this moment
            with suppress(OSError):
                if folder.name not in known and time.time() - folder.stat().st_mtime > IDLE.total_seconds():
                    shutil.rmtree(folder)
