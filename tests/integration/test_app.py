"""The web process as a whole: opened, asked, broken, closed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from channels.app import LastResort, create_app
from channels.health import Health
from channels.ledger import Ledger
from channels.metrics import Metrics
from channels.settings import Settings
from channels.streams import Streams
from tests import patience
from tests.integration.serving import free_port, serving

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@asynccontextmanager
async def running(settings: Settings, valkey_url: str, **changes: object) -> AsyncIterator[httpx.AsyncClient]:
    given = {"redis_url": SecretStr(valkey_url), "port": free_port()}
    live = settings.model_copy(update=given | changes)
    async with (
        serving(create_app(live), live.port) as address,
        httpx.AsyncClient(base_url=address, headers=BROWSER, verify=False) as client,
    ):
        yield client


@pytest.fixture
async def demo(settings: Settings, valkey_url: str, ledger: Ledger) -> AsyncIterator[httpx.AsyncClient]:
    """`ledger` is asked for because it puts a migrated file where the application looks for it."""
    secrets = {
        "twilio_auth_token": SecretStr("t"),
        "telegram_token": SecretStr("1:t"),
        "telegram_secret": SecretStr("s"),
    }
    async with running(settings, valkey_url, twilio_account_sid="AC1", **secrets) as client:
        yield client


async def test_the_front_page_leads_to_everything_there_is_to_try(demo: httpx.AsyncClient) -> None:
    page = (await demo.get("/")).text
    for path in ("/simulator/phone/1", "/simulator/telegram/1", "/chat", "/desk", "/simulator"):
        assert f'href="{path}"' in page
        assert (await demo.get(path, follow_redirects=True)).status_code == 200
    assert f":{demo.base_url.port + 1}/" in page if demo.base_url.port else False
    assert "Wrenbridge and its local services are made up" in page


async def test_every_page_forbids_what_it_does_not_need(demo: httpx.AsyncClient) -> None:
    for path in ("/", "/chat", "/simulator", "/simulator/phone/1", "/static/site.css", "/nowhere", "/health"):
        headers = (await demo.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; ")
        assert headers["x-content-type-options"] == "nosniff"


async def test_pages_name_files_that_exist(demo: httpx.AsyncClient) -> None:
    for path in ("/", "/chat", "/simulator/phone/1", "/simulator/telegram/1"):
        for file in re.findall(r'(?:src|href)="(/static/[^"]+)"', (await demo.get(path)).text):
            assert (await demo.get(file)).status_code == 200


async def test_healthy_means_that_ledger_and_redis_answer(demo: httpx.AsyncClient) -> None:
    answer = await demo.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"ledger": True, "redis": True})


async def test_counts_hold_channels_and_outcomes_only(demo: httpx.AsyncClient) -> None:
    await demo.get("/chat")
    await demo.post("/chat/messages", data={"text": "canary"})
    await demo.post("/hooks/twilio/message", data={"Body": "canary", "From": "+447700900001"})
    counts = (await demo.get("/metrics")).text
    assert 'nwd_inbound_total{channel="web",result="stored"} 1.0' in counts
    assert 'nwd_refused_total{channel="sms",reason="signature"} 1.0' in counts
    assert 'nwd_ack_seconds_count{hook="twilio/message"} 1.0' in counts
    assert 'nwd_depth{queue="inbound"} 1.0' in counts
    assert "canary" not in counts
    assert "7700900001" not in counts


async def test_without_redis_it_is_not_healthy_and_still_takes_messages(settings: Settings, ledger: Ledger) -> None:
    async with running(settings, f"unix://{settings.data_dir}/nobody.sock") as client:
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()) == (503, {"ledger": True, "redis": False})
        assert (await client.get("/metrics")).status_code == 200
        page = await client.post("/chat/messages", data={"text": "hello there"}, follow_redirects=True)
        assert "hello there" in page.text


async def test_without_the_ledger_it_is_not_healthy(streams: Streams) -> None:
    class Silent:
        async def ping(self) -> None:
            await asyncio.sleep(60)

    app = Starlette(routes=Health(ledger=Silent(), streams=streams, metrics=Metrics()).routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"ledger": False, "redis": True})


@pytest.mark.parametrize("path", ["/nowhere", "/chat/nowhere", "/simulator/phone/99"])
async def test_a_wrong_address_leads_on(demo: httpx.AsyncClient, path: str) -> None:
    page = await demo.get(path)
    assert page.status_code == 404
    assert 'href="/chat"' in page.text
    assert "116 123" in page.text


async def test_a_machine_with_a_wrong_address_gets_a_line(demo: httpx.AsyncClient) -> None:
    assert (await demo.get("/nowhere", headers={"Accept": "*/*"})).text == "Not found"


async def test_going_live_leaves_only_what_people_and_providers_need(
    settings: Settings, valkey_url: str, ledger: Ledger
) -> None:
    async with running(settings, valkey_url, demo=False) as client:
        assert 'href="/chat"' in (await client.get("/")).text
        assert "Wrenbridge" not in (await client.get("/")).text
        assert (await client.get("/chat")).status_code == 200
        for path in ("/simulator", "/simulator/phone/1", "/simulator/twilio/2010-04-01/Accounts/AC1/Messages.json"):
            assert (await client.get(path)).status_code == 404
        assert (await client.post("/hooks/twilio/message")).status_code == 404


async def test_an_open_stream_does_not_hold_up_stopping(settings: Settings, valkey_url: str, ledger: Ledger) -> None:
    async with asyncio.timeout(patience.SECONDS), running(settings, valkey_url) as client:
        opened = asyncio.Event()

        async def stay() -> None:
            async with client.stream("GET", "/simulator/phone/1/events") as stream:
                opened.set()
                async for _ in stream.aiter_raw():
                    pass

        page = asyncio.create_task(stay())
        await opened.wait()
    await asyncio.gather(page, return_exceptions=True)


async def fail(_request: Request) -> Response:
    raise ValueError("words that somebody wrote")


async def sorry(_request: Request) -> Response:
    return PlainTextResponse("sorry", status_code=500)


async def test_what_nobody_foresaw_is_answered_and_logged_without_its_words() -> None:
    app = Starlette(routes=[Route("/", fail)], middleware=[Middleware(LastResort, answer=sorry)])
    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            answer = await client.get("/")
    assert (answer.status_code, answer.text) == (500, "sorry")
    (line,) = lines
    assert line["event"] == "page_failed"
    assert line["problem"] == "ValueError"
    assert re.fullmatch(r"test_app\.py:\d+", line["where"])
    assert "somebody" not in str(lines)
