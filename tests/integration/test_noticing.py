"""The second layer of the concern check, over real HTTP: it adds, and its failure leaves the patterns alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.actions.noticing import Noticing as Endpoint
from channels.conversation import Channel, Concern, Media
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord
from channels.noticing import OVERLAP, WINDOW, Noticing, read_needs, says_something, split_windows
from channels.settings import Settings
from channels.streams import Streams
from tests.integration.serving import free_port, serving
from tests.integration.test_assistant import MESSAGE
from tests.worker_builders import LIST, WORDING, Bench, said

TOKEN = "the token of the tests"
CODED = "there is a box by the door with everybody's name on something"


@dataclass
class Sure:
    """A reader that is sure of one kind when it sees the coded line, and breaks when it is told to."""

    broken: bool = False

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]:
        if self.broken and texts != ["hello"]:
            raise RuntimeError(f"could not read {texts}")
        return [{Concern.SUICIDE: "reads like it"} if text == CODED else {} for text in texts]


def app_of(endpoint: Endpoint) -> Starlette:
    return Starlette(routes=[Route("/concerns", endpoint.answer, methods=["POST"])])


@pytest.fixture
async def endpoint() -> Endpoint:
    endpoint = Endpoint(Sure, TOKEN)
    await endpoint.open()
    return endpoint


@pytest.fixture
async def client(endpoint: Endpoint) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app_of(endpoint))
    async with httpx.AsyncClient(transport=transport, base_url="http://actions") as opened:
        yield opened


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_the_endpoint_answers_with_kinds(client: httpx.AsyncClient) -> None:
    answer = await client.post("/concerns", json={"text": CODED}, headers=bearer())
    assert (answer.status_code, answer.json()) == (200, {"kinds": ["suicide"]})


@pytest.mark.parametrize(
    ("body", "token", "status"),
    [
        pytest.param(b'{"text": "hi"}', "another", 401, id="a wrong token"),
        pytest.param(b'{"text": 7}', TOKEN, 400, id="no string"),
        pytest.param(b"[]", TOKEN, 400, id="a list"),
        pytest.param(b"{nope", TOKEN, 400, id="not JSON"),
        pytest.param(b'{"text": "\\ud83d"}', TOKEN, 200, id="half a character"),
    ],
)
async def test_the_endpoint_says_what_it_will_not_read(
    client: httpx.AsyncClient, body: bytes, token: str, status: int
) -> None:
    assert (await client.post("/concerns", content=body, headers=bearer(token))).status_code == status


async def test_without_a_classifier_the_endpoint_says_so() -> None:
    def missing() -> Sure:
        raise OSError("nothing trained")

    endpoint = Endpoint(missing, TOKEN)
    await endpoint.open()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app_of(endpoint)), base_url="http://a") as client:
        answer = await client.post("/concerns", json={"text": "hi"}, headers=bearer())
    assert answer.status_code == 503
    assert "train-concern" in answer.json()["error"]


async def test_a_failing_classifier_tells_nothing_of_the_message() -> None:
    endpoint = Endpoint(lambda: Sure(broken=True), TOKEN)
    await endpoint.open()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app_of(endpoint)), base_url="http://a") as client:
        answer = await client.post("/concerns", json={"text": CODED}, headers=bearer())
    assert answer.status_code == 500
    assert "box" not in answer.text


# -- the worker's side


async def notice(url: str, causes: list[str], message: MessageRecord = MESSAGE, token: str = TOKEN) -> set[Concern]:
    noticing = Noticing(url, token, 0.5, causes.append)
    try:
        return set(await noticing.notice(message))
    finally:
        await noticing.close()


async def test_the_worker_gets_what_the_endpoint_found(endpoint: Endpoint) -> None:
    causes: list[str] = []
    async with serving(app_of(endpoint), free_port()) as url:
        assert await notice(url, causes, replace(MESSAGE, text=CODED)) == {Concern.SUICIDE}
        assert await notice(url, causes, replace(MESSAGE, text="where is the library")) == set()
    assert causes == []


async def hang(request: Request) -> Response:
    await asyncio.sleep(5)
    return JSONResponse({"kinds": ["suicide"]})


async def say_nonsense(request: Request) -> Response:
    return PlainTextResponse("suicide")


async def say_no_list(request: Request) -> Response:
    return JSONResponse({"kinds": "suicide"})


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(hang, "timeout", id="slow"),
        pytest.param(say_nonsense, "malformed", id="not JSON"),
        pytest.param(say_no_list, "malformed", id="no list"),
    ],
)
async def test_whatever_goes_wrong_adds_nothing_and_is_counted(answer: object, cause: str) -> None:
    causes: list[str] = []
    app = Starlette(routes=[Route("/concerns", answer, methods=["POST"])])  # type: ignore[arg-type]
    async with serving(app, free_port()) as url:
        assert await notice(url, causes) == set()
    assert causes == [cause]


async def test_nobody_there_adds_nothing_and_is_counted() -> None:
    causes: list[str] = []
    assert await notice(f"http://127.0.0.1:{free_port()}", causes) == set()
    assert causes == ["unreachable"]


async def test_a_wrong_token_adds_nothing_and_is_counted(endpoint: Endpoint) -> None:
    causes: list[str] = []
    async with serving(app_of(endpoint), free_port()) as url:
        assert await notice(url, causes, replace(MESSAGE, text=CODED), "another") == set()
    assert causes == ["refused"]


async def test_a_button_and_a_picture_are_not_read() -> None:
    causes: list[str] = []
    nowhere = f"http://127.0.0.1:{free_port()}"
    await notice(nowhere, causes, replace(MESSAGE, text="More", payload="more"))
    await notice(nowhere, causes, replace(MESSAGE, text="", media=(Media(kind="picture"),)))
    assert causes == []


# -- long messages


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("short", 1, id="short"),
        pytest.param("word " * 240, 1, id="just one"),
        pytest.param("word " * 1000, 5, id="long"),
        pytest.param("x" * 5000, 5, id="without a space"),
    ],
)
def test_a_long_message_is_read_in_windows_that_overlap_and_leave_nothing_out(text: str, count: int) -> None:
    windows = split_windows(text)
    assert len(windows) == count
    assert all(len(window) <= WINDOW for window in windows)
    assert text.startswith(windows[0])
    assert text.endswith(windows[-1])
    assert sum(map(len, windows)) - (count - 1) * OVERLAP == len(text)


class LastLine:
    """A reader that hears the coded line only when it is a good part of what it is shown."""

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]:
        return [{Concern.SUICIDE: "reads like it"} if CODED in text and len(text) <= WINDOW else {} for text in texts]


@pytest.mark.parametrize(
    "at", [0, 1150, 2100, 4000, 9000], ids=["first", "on an edge", "in the middle", "late", "last"]
)
async def test_one_line_of_danger_is_heard_anywhere_in_a_long_message(at: int) -> None:
    story = "and then we went on and on " * 340
    at = story.find(" ", at) + 1 if at else 0
    endpoint = Endpoint(LastLine, TOKEN)
    await endpoint.open()
    async with serving(app_of(endpoint), free_port()) as url:
        assert await notice(url, [], replace(MESSAGE, text=f"{story[:at]}{CODED} {story[at:]}")) == {Concern.SUICIDE}


async def test_a_classifier_that_fails_is_asked_once_about_a_long_message() -> None:
    causes: list[str] = []
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert await notice(nowhere, causes, replace(MESSAGE, text="on and on " * 900)) == set()
    assert causes == ["unreachable"]


@pytest.mark.parametrize("body", [{"needs": "food"}, {"needs": [1]}, [], {}], ids=str)
def test_nonsense_names_no_needs(body: object) -> None:
    with pytest.raises((TypeError, KeyError)):
        read_needs(body)


# -- through the whole worker


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def test_what_only_the_classifier_found_comes_first_and_reaches_the_assistant(
    bench: Bench, endpoint: Endpoint
) -> None:
    bench.assistant.turn = LIST
    async with serving(app_of(endpoint), free_port()) as url:
        noticing = Noticing(url, TOKEN, 2.0, lambda cause: None)
        async with bench.working(notices=noticing):
            stored = await bench.write(CODED)
            messages = await bench.until_quiet(stored.conversation_id)
        await noticing.close()
    assert said(messages)[0] == WORDING.concern([Concern.SUICIDE])
    assert bench.assistant.asked[0]["concerns"] == {Concern.SUICIDE}
    escalation = await bench.ledger.escalation_of(stored.conversation_id)
    assert escalation is not None
    assert (escalation.reason, escalation.concerns) == ("concern", {Concern.SUICIDE})


async def test_a_dead_classifier_does_not_hide_what_the_patterns_find(bench: Bench) -> None:
    causes: list[str] = []
    noticing = Noticing(f"http://127.0.0.1:{free_port()}", TOKEN, 0.5, causes.append)
    async with bench.working(notices=noticing):
        stored = await bench.write("i want to kill myself")
        messages = await bench.until_quiet(stored.conversation_id)
    await noticing.close()
    assert said(messages)[0] == WORDING.concern([Concern.SUICIDE])
    assert causes == ["unreachable"]


async def test_an_ordinary_message_is_answered_as_before(bench: Bench, endpoint: Endpoint) -> None:
    async with serving(app_of(endpoint), free_port()) as url:
        noticing = Noticing(url, TOKEN, 2.0, lambda cause: None)
        async with bench.working(notices=noticing):
            stored = await bench.write("cant pay my rent", channel=Channel.SMS)
            await bench.until_quiet(stored.conversation_id)
        await noticing.close()
    assert await bench.ledger.escalation_of(stored.conversation_id) is None


@pytest.mark.parametrize("text", ["so ive been", "hi, it's just", "...", "what if i", "hes", "its shes"])
def test_the_start_of_a_text_in_pieces_is_not_guessed_at(text: str) -> None:
    assert not says_something(text)


@pytest.mark.parametrize("text", ["i cant", "not ok", "end it", "im done", "goodbye", "أريد", "help"])
def test_any_word_that_means_something_is_read(text: str) -> None:
    assert says_something(text)
