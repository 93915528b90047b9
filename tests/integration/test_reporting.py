"""Mistakes in listings reach the editors, from the desk and from what a person writes; also late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from channels.assistant import read_turn
from channels.conversation import ReportWrong
from channels.errors import AssistantSilent, EditorAway
from channels.ledger import Ledger
from channels.ledger.listing_reports import ListingReport
from channels.reporting import GIVEN_UP_AFTER, EditorQueue, Reporter, pause_after
from knowledge.editor import create_app
from knowledge.settings import read_settings
from tests.desk_builders import Browser, Clock, Office, person_asks, words_of
from tests.integration.serving import free_port, serving
from tests.ledger_builders import answer, says, text_from

pytest_plugins = ["tests.desk_fixtures"]
TOKEN = "the token of the tests"
REPORT = ListingReport(
    id="r1", service_id="svc-debt", wrong="phone", source="person", noticed_at=datetime.now(UTC), tries=1
)


class Editor:
    """Takes reports, refuses those of listings that are gone, and can be away."""

    def __init__(self) -> None:
        self.away = False
        self.got: list[tuple[str, str, str]] = []

    async def report(self, report: ListingReport) -> bool:
        if self.away:
            raise EditorAway("ConnectError")
        if report.service_id == "gone":
            return False
        self.got.append((report.service_id, report.wrong, report.source))
        return True


@pytest.fixture
def editor() -> Editor:
    return Editor()


@pytest.fixture
def reporter(any_ledger: Ledger, editor: Editor, clock: Clock) -> Reporter:
    return Reporter(ledger=any_ledger, editor=editor, clock=clock)


async def outcomes(ledger: Ledger) -> dict[str, int]:
    """How many reports stand how."""
    async with ledger._database.reading() as work:
        found = await work.run(text("SELECT outcome, count(*) FROM listing_reports GROUP BY outcome"))
        return {row[0]: row[1] for row in found}


async def test_a_report_is_told_once(any_ledger: Ledger, reporter: Reporter, editor: Editor) -> None:
    await any_ledger.listing_reports.add("svc-debt", "phone", "peer")
    assert [await reporter.tell(), await reporter.tell()] == [1, 0]
    assert editor.got == [("svc-debt", "phone", "peer")]
    assert await outcomes(any_ledger) == {"told": 1}


async def test_what_the_editor_never_takes_is_kept_as_refused(any_ledger: Ledger, reporter: Reporter) -> None:
    await any_ledger.listing_reports.add("gone", "phone", "peer")
    await any_ledger.listing_reports.add("svc-debt", "closed", "peer")
    assert await reporter.tell() == 1
    assert await outcomes(any_ledger) == {"refused": 1, "told": 1}


async def test_nothing_is_lost_while_the_editor_is_away(
    any_ledger: Ledger, reporter: Reporter, editor: Editor, clock: Clock
) -> None:
    editor.away = True
    await any_ledger.listing_reports.add("svc-debt", "phone", "person")
    assert await reporter.tell() == 0
    assert await outcomes(any_ledger) == {"put_off": 1}
    editor.away = False
    assert await reporter.tell() == 0, "not before its time"
    async with any_ledger._database.writing() as work:
        await work.run(text("UPDATE listing_reports SET due_at = noticed_at"))
    assert await reporter.tell() == 1
    assert editor.got == [("svc-debt", "phone", "person")]


async def test_a_month_without_an_editor_is_given_up_on_the_record(
    any_ledger: Ledger, reporter: Reporter, editor: Editor, clock: Clock
) -> None:
    editor.away = True
    await any_ledger.listing_reports.add("svc-debt", "phone", "person")
    clock.ahead = GIVEN_UP_AFTER + timedelta(hours=1)
    await reporter.tell()
    assert await outcomes(any_ledger) == {"given_up": 1}


async def test_two_workers_do_not_tell_the_same_report(any_ledger: Ledger) -> None:
    await any_ledger.listing_reports.add("svc-debt", "phone", "person")
    taken = [await any_ledger.listing_reports.take(), await any_ledger.listing_reports.take()]
    assert [len(each) for each in taken] == [1, 0]


@pytest.mark.parametrize(("tries", "seconds"), [(1, 30), (2, 60), (4, 240), (8, 3600), (500, 3600)])
def test_pauses_grow_to_an_hour(tries: int, seconds: int) -> None:
    assert pause_after(tries) == timedelta(seconds=seconds)


# -- over HTTP


@pytest.fixture
async def listening() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """An editor that answers as the service's id says."""
    got: list[dict[str, str]] = []

    async def take(request: Request) -> JSONResponse:
        if request.headers["authorization"] != f"Bearer {TOKEN}":
            return JSONResponse({}, 401)
        got.append(await request.json())
        return JSONResponse({}, {"gone": 404, "odd": 400, "busy": 503}.get(got[-1]["service"], 201))

    async with serving(Starlette(routes=[Route("/reports", take, methods=["POST"])]), free_port()) as address:
        yield address, got


@pytest.mark.parametrize(("service", "taken"), [("svc-debt", True), ("gone", False), ("odd", False)])
async def test_the_queue_is_asked_over_http(
    listening: tuple[str, list[dict[str, str]]], service: str, taken: bool
) -> None:
    address, got = listening
    queue = EditorQueue(f"{address}/", TOKEN)
    report = ListingReport(**{**vars(REPORT), "service_id": service})
    assert await queue.report(report) is taken
    assert got == [{"service": service, "wrong": "phone", "source": "person"}]
    await queue.close()


@pytest.mark.parametrize(
    ("token", "service", "cause"),
    [("", "svc-debt", "no_token"), ("another", "svc-debt", "status_401"), (TOKEN, "busy", "status_503")],
)
async def test_anything_else_is_tried_again(
    listening: tuple[str, list[dict[str, str]]], token: str, service: str, cause: str
) -> None:
    queue = EditorQueue(listening[0], token)
    with pytest.raises(EditorAway, match=cause):
        await queue.report(ListingReport(**{**vars(REPORT), "service_id": service}))
    await queue.close()


async def test_an_editor_that_is_not_there_is_away() -> None:
    queue = EditorQueue(f"http://127.0.0.1:{free_port()}", TOKEN)
    with pytest.raises(EditorAway, match="ConnectError"):
        await queue.report(REPORT)
    await queue.close()


async def test_the_real_editor_has_it_in_its_queue(tmp_path: Path, any_ledger: Ledger, clock: Clock) -> None:
    settings = read_settings(data_dir=tmp_path / "catalogue", demo=True, country="GB", reports_token=TOKEN)
    app = create_app(settings)
    port = free_port()
    async with serving(app, port) as address:
        await any_ledger.listing_reports.add("svc-advice-shop", "phone", "person")
        await any_ledger.listing_reports.add("svc-not-there", "phone", "person")
        queue = EditorQueue(address, TOKEN)
        assert await Reporter(ledger=any_ledger, editor=queue, clock=clock).tell() == 1
        await queue.close()
        (report,) = app.state.site.reports.open()
        assert (report.service_id, report.wrong, report.source) == ("svc-advice-shop", "phone", "person")


# -- where they come from


async def test_what_a_person_says_is_committed_with_the_answer_and_leads_nowhere(any_ledger: Ledger) -> None:
    stored = await any_ledger.store_inbound(text_from(text="that number doesnt work"))
    await answer(any_ledger, stored, says("Thank you"), reports=(ReportWrong(service_id="svc-debt", wrong="phone"),))
    (report,) = await any_ledger.listing_reports.take()
    assert (report.service_id, report.wrong, report.source) == ("svc-debt", "phone", "person")
    assert stored.conversation_id not in vars(report).values()


def test_the_assistant_asks_for_a_report_beside_its_words() -> None:
    request = {"custom": {"request": {"kind": "report_wrong", "service_id": "svc-debt", "wrong": "closed"}}}
    turn = read_turn({"messages": [{"text": "Thank you"}, request]})
    assert turn.requests == (ReportWrong(service_id="svc-debt", wrong="closed"),)
    with pytest.raises(AssistantSilent):
        read_turn({"messages": [request]})


async def test_a_peer_worker_reports_from_the_card(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    page = (await jo.get(person.page)).text
    assert "Something wrong with it?" in page
    assert 'value="svc-rent-help"' in page
    answered = await jo.post(f"{person.page}/report", service="svc-rent-help", wrong="phone")
    assert "Thank you" in words_of(answered.text)
    (report,) = await office.ledger.listing_reports.take()
    assert (report.service_id, report.wrong, report.source) == ("svc-rent-help", "phone", "peer")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"service": "svc-rent-help", "wrong": ""}, 422, id="nothing chosen"),
        pytest.param({"service": "svc-rent-help", "wrong": "rude words"}, 422, id="free words"),
        pytest.param({"service": "a b", "wrong": "phone"}, 422, id="no service"),
        pytest.param({"service": "svc-rent-help", "wrong": "phone", "token": "0"}, 403, id="no form of ours"),
    ],
)
async def test_only_a_choice_is_kept(office: Office, jo: Browser, fields: dict[str, str], status: int) -> None:
    person = await person_asks(office)
    answered: httpx.Response = await jo.post(f"{person.page}/report", **fields)
    assert answered.status_code == status
    assert await office.ledger.listing_reports.take() == []


async def test_nobody_reports_from_a_conversation_they_may_not_open(office: Office, jo: Browser, ana: Browser) -> None:
    person = await person_asks(office)
    await ana.post(f"{person.page}/take")
    answered = await jo.post(f"{person.page}/report", service="svc-rent-help", wrong="phone")
    assert answered.status_code == 404
    assert await office.ledger.listing_reports.take() == []
