"""The action server over HTTP, called as Rasa calls it."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest
import structlog
from starlette.applications import Starlette

from bot.actions.live_search import LiveSearch
from bot.actions.logs import keep_allowed_fields
from bot.actions.server import build_app, open_in_background
from bot.actions.shells import ACTIONS, build_shells
from bot.actions.trying import Trying
from channels.conversation import Concern, ServiceCard
from knowledge.search import Found
from tests import patience
from tests.unit.bot.fakes import FakeSearch, make_tools

TOKEN = "the token of the tests"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
CANARY = "canary-7731 my landlord is Mr Person"


@dataclass
class ReloadableSearch(FakeSearch):
    broken: bool = False
    opens_after: int = 0
    tries: list[None] = field(default_factory=list)

    def find(
        self,
        text: str,
        *,
        near: str | None = None,
        now: datetime | None = None,
        limit: int = 3,
        needs: Sequence[str] = (),
        exclude: Collection[str] = (),
    ) -> Found:
        if self.broken and text != "hello":
            raise RuntimeError(f"could not read: {text}")
        return super().find(text, near=near, now=now, limit=limit, needs=needs, exclude=exclude)

    def refresh(self) -> bool:
        return False

    def open(self) -> ReloadableSearch:
        self.tries.append(None)
        if len(self.tries) <= self.opens_after:
            raise OSError("no index yet")
        return self


@dataclass
class SlowlyReloaded(FakeSearch):
    """Loads a newer index for as long as the test likes."""

    loading: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    loaded: threading.Event = field(default_factory=threading.Event)
    reloads: int = 0

    def refresh(self) -> bool:
        self.loading.set()
        self.go_on.wait(20)
        self.reloads += 1
        self.loaded.set()
        return True


def call(action: str, text: str = "", **tracker: Any) -> dict[str, Any]:
    """An action call in the form of Rasa 3.6, without a domain, as it comes with selective domain on."""
    latest = {
        "intent": {"name": "nlu_fallback", "confidence": 0.7},
        "entities": [],
        "text": text,
        "message_id": "m1",
        "metadata": {"channel": "sms", "language": None, "place": None, "turns": 0, "waiting": False, "concerns": []},
        "intent_ranking": [],
        **tracker.pop("latest_message", {}),
    }
    slots = {"need": None, "place": None, "shown": None, "offered": None, "last_query": None, "value": None}
    return {
        "next_action": action,
        "sender_id": "e7f3",
        "version": "3.6.21",
        "tracker": {
            "sender_id": "e7f3",
            "slots": {**slots, **tracker.pop("slots", {})},
            "latest_message": latest,
            "latest_event_time": 1.0,
            "followup_action": None,
            "paused": False,
            "events": [{"event": "action", "name": "action_listen"}, {"event": "user", "text": text}],
            "latest_input_channel": "gateway",
            "active_loop": {},
            "latest_action_name": "action_listen",
            **tracker,
        },
    }


class Tokeniser:
    """A classifier that finds nothing, and like the real one takes no halves of characters."""

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]:
        return [{} for text in texts if text.encode()]


@asynccontextmanager
async def serve(search: ReloadableSearch, *, lifespan: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    with ThreadPoolExecutor(max_workers=1) as threads:
        live = LiveSearch(search.open)
        tools = make_tools(live)
        trying = Trying(tools, threads, Tokeniser())
        app = build_app(build_shells(tools, threads), token=TOKEN, search=live, threads=threads, trying=trying)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://actions") as client:
            if not lifespan:
                yield client
                return
            async with app.router.lifespan_context(Starlette()):
                await wait_until_ready(client)
                yield client


async def wait_until_ready(client: httpx.AsyncClient) -> None:
    for _ in range(1000):
        if (await client.get("/ready")).status_code == 200:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never ready")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with serve(ReloadableSearch()) as opened:
        yield opened


def custom(response: httpx.Response) -> list[dict[str, Any]]:
    return [message["custom"] for message in response.json()["responses"]]


async def test_find_support_answers_with_cards_and_a_note(client: httpx.AsyncClient) -> None:
    response = await client.post("/webhook", json=call("action_find_support", "cant pay my rent"), headers=AUTHORISED)
    assert response.status_code == 200
    reply, note, known = custom(response)
    cards = [ServiceCard(**card) for card in reply["reply"]["cards"]]
    assert [card.service_id for card in cards] == ["svc-rent-help", "svc-debt", "svc-cafe"]
    assert reply["reply"]["choices"][-1] == {"title": "Talk to a person", "payload": "person"}
    assert note == {"request": {"kind": "note", "needs": ["rent_arrears"], "place": None}}
    assert known["request"]["kind"] == "remember"
    assert known["request"]["shown"] == ["svc-rent-help", "svc-debt", "svc-cafe"]
    slots = {event["name"]: event["value"] for event in response.json()["events"]}
    assert slots["last_query"] == "cant pay my rent"
    assert slots["offered"] == ["svc-rent-help", "svc-debt", "svc-cafe"]


async def test_a_conversation_goes_on_from_its_slots(client: httpx.AsyncClient) -> None:
    """First a list, then details of one by its button, then more: each call carries what the one before set."""
    slots: dict[str, Any] = {}
    steps = [
        ("action_find_support", {"text": "cant pay my rent"}),
        ("action_show_details", {"text": "/details", "entities": [{"entity": "value", "value": "svc-debt"}]}),
        ("action_show_more", {"text": "/more", "intent": {"name": "more"}}),
    ]
    seen = []
    for action, latest in steps:
        body = call(action, latest_message=latest, slots=slots)
        response = await client.post("/webhook", json=body, headers=AUTHORISED)
        slots |= {event["name"]: event["value"] for event in response.json()["events"]}
        seen.append([card["service_id"] for card in custom(response)[0]["reply"]["cards"]])
    assert seen == [["svc-rent-help", "svc-debt", "svc-cafe"], ["svc-debt"], ["svc-housing"]]


@pytest.mark.parametrize("action", sorted(ACTIONS))
async def test_every_action_says_or_asks_for_something(client: httpx.AsyncClient, action: str) -> None:
    response = await client.post("/webhook", json=call(action, "hello there"), headers=AUTHORISED)
    assert response.status_code == 200
    assert custom(response)
    assert all(set(message) <= {"reply", "request"} for message in custom(response))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"Authorization": "Bearer wrong"}, id="wrong"),
        pytest.param({"Authorization": f"Basic {TOKEN}"}, id="another scheme"),
        pytest.param({"Authorization": TOKEN}, id="no scheme"),
        pytest.param({"Authorization": b"Bearer \xff\xfe"}, id="not text"),
    ],
)
async def test_without_the_token_nothing_runs(client: httpx.AsyncClient, headers: dict[str, Any]) -> None:
    response = await client.post("/webhook", json=call("action_my_info"), headers=headers)
    assert response.status_code == 401
    assert "responses" not in response.json()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not json " + CANARY.encode(), id="not JSON"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(json.dumps({"next_action": CANARY}).encode(), id="no tracker"),
        pytest.param(json.dumps({"next_action": 7, "tracker": {}}).encode(), id="a number for a name"),
        pytest.param(json.dumps({"next_action": "action_my_info", "tracker": {"a": CANARY}}).encode(), id="no sender"),
    ],
)
async def test_what_is_no_action_call_is_refused_without_an_echo(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/webhook", content=body, headers=AUTHORISED)
    assert response.status_code == 400
    assert response.json() == {"error": "not an action call"}


async def test_an_unknown_action_is_named_by_nobody(client: httpx.AsyncClient) -> None:
    response = await client.post("/webhook", json=call(CANARY), headers=AUTHORISED)
    assert response.status_code == 404
    assert "canary" not in response.text


@pytest.mark.parametrize(
    ("path", "body", "answer", "event"),
    [
        (
            "/webhook",
            call("action_find_support", CANARY),
            {"error": "action failed", "action_name": "action_find_support"},
            "action_failed",
        ),
        ("/try", {"text": CANARY}, {"error": "trying failed"}, "trying_failed"),
    ],
)
async def test_what_fails_says_its_name_and_no_words_of_a_person(
    capfd: pytest.CaptureFixture[str], path: str, body: dict[str, Any], answer: dict[str, str], event: str
) -> None:
    written = io.StringIO()
    structlog.configure(
        processors=[keep_allowed_fields, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(file=written),
    )
    try:
        async with serve(ReloadableSearch(broken=True)) as client:
            response = await client.post(path, json=body, headers=AUTHORISED)
    finally:
        structlog.reset_defaults()
    assert response.status_code == 500
    assert response.json() == answer
    logged = json.loads(written.getvalue())
    assert (logged["event"], logged.get("action"), logged["error"]) == (
        event,
        answer.get("action_name"),
        "RuntimeError",
    )
    out, err = capfd.readouterr()
    for place in (response.text, written.getvalue(), out, err):
        assert "canary" not in place
        assert "landlord" not in place


async def test_not_ready_before_the_index_is_loaded() -> None:
    async with serve(ReloadableSearch(), lifespan=False) as client:
        assert (await client.get("/ready")).status_code == 503
        response = await client.post("/webhook", json=call("action_find_support", "rent"), headers=AUTHORISED)
        assert response.status_code == 500


async def test_an_index_that_is_not_there_yet_is_tried_again() -> None:
    source = ReloadableSearch(opens_after=2)
    with ThreadPoolExecutor(max_workers=1) as threads:
        live = LiveSearch(source.open)
        async with open_in_background(live, threads, pause=0.01)(Starlette()):
            for _ in range(1000):
                if live.ready:
                    break
                await asyncio.sleep(0.01)
    assert len(source.tries) == 3


async def test_a_stop_does_not_wait_for_an_index() -> None:
    source = ReloadableSearch(opens_after=10_000)
    with ThreadPoolExecutor(max_workers=1) as threads:
        live = LiveSearch(source.open)
        async with asyncio.timeout(patience.SECONDS), open_in_background(live, threads)(Starlette()):
            await asyncio.sleep(0.05)
    assert not live.ready


async def test_no_answer_waits_while_a_newer_index_is_loaded() -> None:
    """The load is held open until answers have been given; without a thread of its own this would never end."""
    source = SlowlyReloaded()
    live = LiveSearch(lambda: source)
    with ThreadPoolExecutor(max_workers=1) as threads:
        app = build_app(build_shells(make_tools(live), threads), token=TOKEN, search=live, threads=threads)
        transport = httpx.ASGITransport(app=app)
        async with (
            asyncio.timeout(30),
            open_in_background(live, threads, refresh=0.01)(app),
            httpx.AsyncClient(transport=transport, base_url="http://actions") as client,
        ):
            await asyncio.to_thread(source.loading.wait, 20)
            for _ in range(3):
                response = await client.post("/webhook", json=call("action_find_support", "rent"), headers=AUTHORISED)
                assert custom(response)[0]["reply"]["cards"]
            assert source.reloads == 0
            source.go_on.set()
            await asyncio.to_thread(source.loaded.wait, 20)
    assert source.reloads >= 1


async def test_ready_when_the_index_is_loaded(client: httpx.AsyncClient) -> None:
    assert (await client.get("/ready")).json() == {"ready": True}


async def test_twenty_thousand_letters_are_answered(client: httpx.AsyncClient) -> None:
    body = call("action_find_support", "my rent is late " * 1250)
    response = await client.post("/webhook", json=body, headers=AUTHORISED)
    assert custom(response)[0]["reply"]["cards"]
    assert len(response.content) < 20_000


@pytest.mark.parametrize("path", ["/", "/actions", "/health", "/docs"])
async def test_there_is_nothing_else(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers=AUTHORISED)).status_code == 404


# -- trying a message


async def test_a_message_can_be_tried_with_its_concern_and_its_reply(client: httpx.AsyncClient) -> None:
    response = await client.post("/try", json={"text": "i want to die and cant pay my rent"}, headers=AUTHORISED)
    answer = response.json()
    assert [one["kind"] for one in answer["concerns"]] == ["suicide"]
    assert answer["concerns"][0]["reason"]
    assert answer["replies"][0]["services"]


async def test_calm_words_raise_nothing(client: httpx.AsyncClient) -> None:
    response = await client.post("/try", json={"text": "cant pay my rent"}, headers=AUTHORISED)
    assert response.json()["concerns"] == []


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"text": 3}', '{"text": " "}', '{"text": "a", "language": 1}'])
async def test_a_body_that_is_no_message_is_told_so(client: httpx.AsyncClient, body: str) -> None:
    assert (await client.post("/try", content=body, headers=AUTHORISED)).status_code == 400


async def test_half_a_character_can_be_tried(client: httpx.AsyncClient) -> None:
    response = await client.post("/try", content=b'{"text": "cant pay my rent \\ud83d"}', headers=AUTHORISED)
    assert response.json()["replies"][0]["services"]


async def test_trying_needs_the_token(client: httpx.AsyncClient) -> None:
    assert (await client.post("/try", json={"text": "rent"})).status_code == 401
