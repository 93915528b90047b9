"""Imports outlive the process that works at them: killed or stopped, somebody goes on, to the same catalogue."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from knowledge.editing.accounts import Editor, Role
from knowledge.editing.import_jobs import Job, Stage
from knowledge.editing.imports import IDLE, STOPPED_IDLE, Imports
from knowledge.editing.tables import import_jobs
from knowledge.editing.uploads import keep_upload
from knowledge.exchange.bringing import Request, bring_in
from knowledge.exchange.outcome import Outcome
from knowledge.publish import open_store
from knowledge.settings import Settings, read_settings
from knowledge.store import Store
from tests.integration.knowledge.browsing import browser, send
from tests.integration.knowledge.exchange_builders import soup

ANA = Editor(login="ana", name="Ana", role=Role.PUBLISHER)
ROBIN = Editor(login="robin", name="Robin", role=Role.PUBLISHER)
FEED = json.dumps([soup(number) for number in range(700)]).encode()
"""More than three batches."""
KILLED = """
import sys, time
from pathlib import Path
from knowledge.editing.imports import Imports
from knowledge.exchange.bringing import bring_in
from knowledge.store import Store
from tests.integration.knowledge.test_import_restarts import ROBIN, look, settings_in

def bring(settings, request, tell, note):
    def told(outcome):
        tell(outcome)
        if not outcome.dry_run and outcome.read >= 200:
            print("part way", flush=True)
            time.sleep(600)  # until it is killed
    return bring_in(settings, request, told, note)

settings = settings_in(Path(sys.argv[1]), sys.argv[2])
imports = Imports(settings, Store.open(settings.database_url).engine, lambda: None, bring)
imports.take(look(imports), ROBIN, publish=True, accept_gone=False)
imports.wait()
"""


class Held:
    """Imports for real, but stops after the first batch that is written until it is let go."""

    def __init__(self) -> None:
        self.at_work, self.go_on = threading.Event(), threading.Event()

    def let_go_with(self, imports: Imports) -> None:
        """As soon as the process has begun to end: the batch that it is in is its last."""
        threading.Thread(target=lambda: imports._closing.wait(30) and self.go_on.set()).start()

    def __call__(
        self, settings: Settings, request: Request, tell: Callable[[Outcome], None], note: Callable[[str], None]
    ) -> Outcome:
        def told(outcome: Outcome) -> None:
            tell(outcome)
            if not outcome.dry_run and outcome.read:
                self.at_work.set()
                assert self.go_on.wait(30)

        return bring_in(settings, request, told, note)


def settings_in(folder: Path, url: str = "") -> Settings:
    return read_settings(data_dir=folder, demo=True, country="GB", catalogue_url=url)


@contextmanager
def process(
    settings: Settings, bring: Any = bring_in, gone_live: Callable[[], None] = lambda: None
) -> Iterator[Imports]:
    """What one process of the editor has, without its pages."""
    with closing(open_store(settings)[0]) as store:
        imports = Imports(settings, store.engine, gone_live, bring)
        yield imports
        imports.close()


def look(imports: Imports) -> Job:
    folder = imports.new_folder()
    job = imports.add(folder, str(keep_upload(folder, "feed.json", Feed())), by=ANA, suggest_needs=False)
    imports.wait()
    return found(imports, job)


class Feed:
    """A file that is sent."""

    def __init__(self) -> None:
        self._left = FEED

    def read(self, size: int) -> bytes:
        chunk, self._left = self._left[:size], self._left[size:]
        return chunk


def found(imports: Imports, job: Job) -> Job:
    kept = imports.find(job.id)
    assert kept
    return kept


def catalogue(settings: Settings) -> dict[str, Any]:
    with closing(Store.open(settings.database_url)) as store:
        kept = store.stream(published=False)
        return {each.service.id: (each.service, each.published, each.revision) for each in kept}


def files(settings: Settings) -> list[Path]:
    return [path for path in (settings.data_dir / "imports" / "uploads").rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The catalogue after the same import, done in one go."""
    settings = settings_in(tmp_path_factory.mktemp("undisturbed"))
    with process(settings) as imports:
        imports.take(look(imports), ROBIN, publish=True, accept_gone=False)
        imports.wait()
    return catalogue(settings)


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    return settings_in(tmp_path, url)


def test_killed_part_way_it_goes_on_in_another_process_and_the_catalogue_is_the_same(
    settings: Settings, undisturbed: dict[str, Any]
) -> None:
    with closing(open_store(settings)[0]):
        pass
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(settings.data_dir), settings.database_url], stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "part way\n"
        with process(settings) as imports:
            (job,) = imports.all()
            assert job.stage is Stage.TAKING, "it is at work elsewhere, and so it is shown"
            assert job.outcome and job.outcome.read == 200
            killed.kill()
            killed.wait()
            job = found(imports, job)
            assert (job.stage, job.was_at) == (Stage.STOPPED, Stage.TAKING)
            assert 0 < len(catalogue(settings).keys() & {soup(number)["id"] for number in range(700)}) < 700
            imports.go_on(job)
            imports.wait()
            job = found(imports, job)
            assert job.stage is Stage.DONE, job.error
            assert job.outcome and (job.outcome.added, job.outcome.unchanged) == (500, 200)
    assert catalogue(settings) == undisturbed
    assert files(settings) == []


def test_stopped_with_its_process_it_is_there_after_the_next_start(
    settings: Settings, undisturbed: dict[str, Any]
) -> None:
    held = Held()
    with process(settings, held) as imports:
        imports.take(look(imports), ROBIN, publish=True, accept_gone=False)
        assert held.at_work.wait(30)
        held.let_go_with(imports)
    assert files(settings)
    with process(settings) as imports:
        (job,) = imports.all()
        assert job.stage is Stage.STOPPED
        imports.go_on(job)
        imports.wait()
        assert found(imports, job).stage is Stage.DONE
    assert catalogue(settings) == undisturbed


def test_two_processes_show_the_same_and_each_thing_is_done_once(settings: Settings) -> None:
    held = Held()
    with process(settings, held) as one, process(settings) as other:
        job = look(one)
        assert found(other, job) == job
        one.take(job, ROBIN, publish=False, accept_gone=False)
        other.take(job, ROBIN, publish=True, accept_gone=False)
        assert held.at_work.wait(30)
        assert found(other, job).stage is Stage.TAKING
        other.put_away(found(other, job))
        held.go_on.set()
        one.wait()
        ended = found(other, job)
        assert (ended.stage, ended.outcome and ended.outcome.read) == (Stage.FAILED, 400)
        assert ended.error.startswith("It was stopped.")
    assert files(settings) == []


def test_columns_that_were_to_be_matched_are_still_there_after_a_restart(settings: Settings) -> None:
    with process(settings) as imports:
        folder = imports.new_folder()
        folder.mkdir(parents=True)
        (folder / "list.csv").write_text("Organisation,Service,Telephone\nSoup Trust,Soup,01632 960001\n")
        job = imports.add(folder, str(folder / "list.csv"), by=ANA, suggest_needs=False)
        imports.wait()
        before = found(imports, job)
    with process(settings) as imports:
        assert found(imports, job) == before
        assert before.columns
        imports.choose_columns(before, before.columns.mapping)
        imports.wait()
        looked = found(imports, job)
        assert looked.stage is Stage.LOOKED
        assert looked.outcome and looked.outcome.added == 1


def test_what_nobody_went_on_with_is_put_away_with_its_file(settings: Settings) -> None:
    with process(settings) as imports:
        job = look(imports)
        with closing(Store.open(settings.database_url)) as store, store.engine.begin() as connection:
            connection.execute(sa.update(import_jobs).values(moved=job.moved - STOPPED_IDLE - timedelta(minutes=1)))
        (job,) = imports.all()
        assert job.stage is Stage.FAILED
        assert files(settings) == []


def test_files_that_no_import_knows_are_cleared_away_but_not_those_that_are_being_sent(settings: Settings) -> None:
    uploads = settings.data_dir / "imports" / "uploads"
    for name in ("old", "new"):
        (uploads / name).mkdir(parents=True)
        (uploads / name / "feed.json").write_text("[]")
    long_ago = time.time() - IDLE.total_seconds() - 60
    os.utime(uploads / "old", (long_ago, long_ago))
    with process(settings) as imports:
        assert imports.all() == []
        assert [path.parent.name for path in files(settings)] == ["new"]


def test_a_file_that_is_gone_is_said(settings: Settings) -> None:
    held = Held()
    with process(settings, held) as imports:
        imports.take(look(imports), ROBIN, publish=True, accept_gone=False)
        assert held.at_work.wait(30)
        held.let_go_with(imports)
    for path in files(settings):
        path.unlink()
    live: list[str] = []
    with process(settings, gone_live=lambda: live.append("live")) as imports:
        (job,) = imports.all()
        imports.go_on(job)
        assert "Send it again" in found(imports, job).error
        assert live == ["live"], "what was written before goes live, although nobody goes on"


def words(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def test_the_page_says_what_happened_and_one_button_goes_on(settings: Settings) -> None:
    held = Held()
    with process(settings, held) as imports:
        job = look(imports)
        imports.take(job, ROBIN, publish=False, accept_gone=False)
        assert held.at_work.wait(30)
        held.let_go_with(imports)
    with browser(settings) as client:
        client.get("/?as=robin")
        assert "Stopped part way: go on with it" in words(client.get("/import").text)
        page = client.get(f"/import/{job.id}")
        assert "Nothing was lost: what was taken in until then stays" in words(page.text)
        send(client, f"/import/{job.id}", then="on")
        client.app.state.site.imports.wait()  # type: ignore[attr-defined]  # the application is a Starlette
        assert "Done." in words(client.get(f"/import/{job.id}").text)
