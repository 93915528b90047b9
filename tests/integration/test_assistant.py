"""How Rasa is called and read, over real HTTP: a usable answer in time, or AssistantSilent with its cause."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from channels.assistant import Assistant, is_shortened, read_turn, shorten
from channels.conversation import (
    Channel,
    Choice,
    Concern,
    Consent,
    ForgetMe,
    HandOver,
    Holder,
    Media,
    MyInfo,
    Note,
    Remember,
    Reply,
    Sender,
    ServiceCard,
    StartAgain,
    Withdraw,
)
from channels.errors import AssistantSilent
from channels.ledger.records import ConversationRecord, MessageRecord
from tests import patience
from tests.integration.serving import free_port, serving

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CONVERSATION = ConversationRecord(
    id="c1", person_id="p1", channel=Channel.SMS, holder=Holder.BOT, shard=0, episode="e7f3", episode_turns=2, turns=5,
    concerns=frozenset({Concern.ABUSE}), needs=(), place="Foxley", last_inbound_at=NOW, created_at=NOW, last_seq=9,
)  # fmt: skip
MESSAGE = MessageRecord(
    id="m1", conversation_id="c1", seq=9, sender=Sender.PERSON, sender_name="", text="cant pay my rent", reply=None,
    choices=(), payload=None, media=(), opt_out=None, language="en", episode="e7f3", answered=False, outcome="",
    delivery=None, attempts=0, sending_since=None, provider_id="", error_code="", error_text="", created_at=NOW,
)  # fmt: skip
SAID: dict[str, Any] = {
    "messages": [{"text": "Of course."}],
    "intent": {"name": "need", "confidence": 0.9},
    "problems": [],
}
CARD = {"service_id": "svc-rent", "name": "Rent Rescue", "phone": "01632 960112", "hours": "open now", "new_field": [1]}


class FakeRasa:
    """Answers every turn with `answer`, and remembers what it was sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answer: Callable[[], Awaitable[Response]] = self.say(SAID)

    @staticmethod
    def say(body: object, status: int = 200) -> Callable[[], Awaitable[Response]]:
        async def answer() -> Response:
            return JSONResponse(body, status_code=status)

        return answer

    async def message(self, request: Request) -> Response:
        self.requests.append((request.headers["authorization"], await request.json()))
        return await self.answer()

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/webhooks/gateway/message", self.message, methods=["POST"])])


@pytest.fixture
def rasa() -> FakeRasa:
    return FakeRasa()


@pytest.fixture
async def assistant(rasa: FakeRasa) -> AsyncIterator[Assistant]:
    async with serving(rasa.app(), free_port()) as url:
        assistant = Assistant(url, "token-of-the-tests", patience.SECONDS)
        yield assistant
        await assistant.close()


@pytest.fixture
async def hurried(rasa: FakeRasa) -> AsyncIterator[Assistant]:
    async with serving(rasa.app(), free_port()) as url:
        assistant = Assistant(url, "token-of-the-tests", 0.5)
        yield assistant
        await assistant.close()


async def cause_of(assistant: Assistant) -> str:
    with pytest.raises(AssistantSilent) as silent:
        await assistant.answer(CONVERSATION, MESSAGE)
    return silent.value.cause


async def test_a_turn_carries_the_episode_and_what_is_known_and_never_a_number(
    assistant: Assistant, rasa: FakeRasa
) -> None:
    await assistant.answer(CONVERSATION, MESSAGE, "details:svc-rent", waiting=True, concerns={Concern.SUICIDE})
    assert rasa.requests == [
        (
            "Bearer token-of-the-tests",
            {
                "sender": "e7f3",
                "message_id": "m1",
                "text": "cant pay my rent",
                "payload": "details:svc-rent",
                "metadata": {
                    "channel": "sms",
                    "language": "en",
                    "place": "Foxley",
                    "turns": 5,
                    "waiting": True,
                    "concerns": ["abuse", "suicide"],
                },
            },
        )
    ]


class Reader:
    """Names one need, and remembers how much it was shown."""

    def __init__(self) -> None:
        self.shown: list[int] = []

    async def name_needs(self, message: MessageRecord) -> tuple[str, ...]:
        self.shown.append(len(message.text))
        return ("food",)


async def test_a_message_that_rasa_gets_in_part_is_read_whole_for_needs(rasa: FakeRasa) -> None:
    reader = Reader()
    async with serving(rasa.app(), free_port()) as url:
        assistant = Assistant(url, "token-of-the-tests", patience.SECONDS, reader)
        await assistant.answer(CONVERSATION, replace(MESSAGE, text="on and on " * 300))
        await assistant.answer(CONVERSATION, MESSAGE)
        await assistant.close()
    assert reader.shown == [3000]
    assert [body["metadata"].get("needs") for _, body in rasa.requests] == [["food"], None]


KNOWN = Remember(need="debt", query="Debt", shown=("a",), basket=("food",), place_asked=True)


@pytest.mark.parametrize(
    ("away", "turns", "remembered", "silence"),
    [
        pytest.param(timedelta(minutes=5), 3, KNOWN, None, id="in the middle of an episode"),
        pytest.param(timedelta(hours=20), 0, KNOWN, 72_000.0, id="the next day"),
        pytest.param(timedelta(days=30), 0, Remember(place_asked=True), 2_592_000.0, id="a month later"),
    ],
)
async def test_what_was_known_before_goes_along(
    assistant: Assistant, rasa: FakeRasa, away: timedelta, turns: int, remembered: Remember, silence: float | None
) -> None:
    at = MESSAGE.created_at - away
    await assistant.answer(replace(CONVERSATION, remembered=KNOWN, remembered_at=at, episode_turns=turns), MESSAGE)
    metadata = rasa.requests[0][1]["metadata"]
    assert metadata["remembered"] == json.loads(json.dumps(asdict(remembered)))
    assert metadata.get("silence") == silence


async def test_what_should_be_remembered_is_read(assistant: Assistant, rasa: FakeRasa) -> None:
    request = {"custom": {"request": {"kind": "remember", **asdict(KNOWN)}}}
    rasa.answer = rasa.say({"messages": [{"text": "hello"}, request]})
    assert (await assistant.answer(CONVERSATION, MESSAGE)).requests == (KNOWN,)


async def test_where_somebody_is_goes_along(assistant: Assistant, rasa: FakeRasa) -> None:
    here = (Media(kind="location", reference="54.150,-0.900"),)
    await assistant.answer(CONVERSATION, replace(MESSAGE, text="", media=here), "place")
    assert rasa.requests[0][1]["metadata"]["location"] == "54.150,-0.900"


async def test_an_answer_is_read(assistant: Assistant) -> None:
    turn = await assistant.answer(CONVERSATION, MESSAGE)
    assert turn.replies == (Reply(text="Of course."),)
    assert turn.understood["intent"]["name"] == "need"


async def test_an_assistant_that_hangs_is_silent_when_the_deadline_has_passed(
    hurried: Assistant, rasa: FakeRasa
) -> None:
    async def hang() -> Response:
        await asyncio.sleep(600)
        return PlainTextResponse("")

    rasa.answer = hang
    async with asyncio.timeout(patience.SECONDS):
        assert await cause_of(hurried) == "timeout"


async def test_nobody_listening_is_silence() -> None:
    assistant = Assistant(f"http://127.0.0.1:{free_port()}", "t", patience.SECONDS)
    assert await cause_of(assistant) == "unreachable"
    await assistant.close()


@pytest.mark.parametrize("status", [401, 404, 422, 500, 502, 503])
async def test_any_other_status_is_silence(assistant: Assistant, rasa: FakeRasa, status: int) -> None:
    rasa.answer = rasa.say(SAID, status)
    assert await cause_of(assistant) == "refused"


async def test_a_page_instead_of_an_answer_is_silence(assistant: Assistant, rasa: FakeRasa) -> None:
    async def page() -> Response:
        return PlainTextResponse("<html>proxy error</html>")

    rasa.answer = page
    assert await cause_of(assistant) == "malformed"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ([], "malformed"),
        ({}, "malformed"),
        ({"messages": None}, "malformed"),
        ({"messages": []}, "empty"),
        ({"messages": [{}]}, "empty"),
        ({"messages": [{"text": "  "}]}, "empty"),
        ({"messages": [{"custom": {"reply": {"text": ""}}}]}, "empty"),
        ({"messages": [{"custom": {"request": {"kind": "note", "needs": ["debt"]}}}]}, "empty"),
        ({"messages": [{"custom": {"request": {"kind": "start_again"}}}]}, "empty"),
        ({"messages": ["text"]}, "malformed"),
        ({"messages": [{"text": 7}]}, "malformed"),
        ({"messages": [{"custom": {"request": {"kind": "launch"}}}]}, "malformed"),
        ({"messages": [{"custom": {"reply": {"text": "x", "cards": [{"name": "no id"}]}}}]}, "malformed"),
        ({"messages": [{"text": "x", "buttons": [{"title": "no payload"}]}]}, "malformed"),
        ({"messages": [{"text": "x", "buttons": [{"title": "", "payload": "more"}]}]}, "malformed"),
    ],
)
def test_what_cannot_be_used_is_silence(body: Any, cause: str) -> None:
    with pytest.raises(AssistantSilent) as silent:
        read_turn(body)
    assert silent.value.cause == cause


def test_a_reply_of_an_action_is_read_with_cards_and_choices() -> None:
    reply = {
        "text": " These can help: ",
        "cards": [CARD],
        "choices": [{"title": "More", "payload": "more"}],
        "detail": True,
    }
    assert read_turn({"messages": [{"custom": {"reply": reply}}]}).replies == (
        Reply(
            text="These can help:",
            cards=(ServiceCard(service_id="svc-rent", name="Rent Rescue", phone="01632 960112", hours="open now"),),
            choices=(Choice(title="More", payload="more"),),
            detail=True,
        ),
    )


def test_a_response_of_the_domain_is_read_with_its_buttons() -> None:
    message = {"text": "Shall I?", "buttons": [{"title": "A person", "payload": "/person"}]}
    assert read_turn({"messages": [message]}).replies == (
        Reply(text="Shall I?", choices=(Choice(title="A person", payload="person"),)),
    )


@pytest.mark.parametrize(
    ("held", "request_"),
    [
        ({"kind": "hand_over", "reason": "complaint", "need": "debt"}, HandOver(reason="complaint", need="debt")),
        ({"kind": "hand_over", "need": None}, HandOver(reason="asked")),
        ({"kind": "forget_me", "confirmed": True}, ForgetMe(confirmed=True)),
        ({"kind": "forget_me", "confirmed": "yes"}, ForgetMe(confirmed=False)),
        ({"kind": "my_info"}, MyInfo()),
        ({"kind": "withdraw", "what": "sharing"}, Withdraw(what=Consent.SHARING)),
        ({"kind": "note", "needs": ["debt"], "place": "Foxley"}, Note(needs=("debt",), place="Foxley")),
        ({"kind": "start_again"}, StartAgain()),
    ],
    ids=[
        "hand over",
        "hand over without reason",
        "forget",
        "only true is a yes",
        "my info",
        "taken back",
        "note",
        "start again",
    ],
)
def test_requests_are_read(held: dict[str, Any], request_: object) -> None:
    turn = read_turn({"messages": [{"text": "ok"}, {"custom": {"request": held}}]})
    assert turn.requests == (request_,)


def test_a_request_alone_is_an_answer() -> None:
    assert read_turn({"messages": [{"custom": {"request": {"kind": "hand_over"}}}]}).replies == ()


async def test_of_a_very_long_message_start_and_end_are_sent(assistant: Assistant, rasa: FakeRasa) -> None:
    text = "start " + "x" * 20_000 + " end"
    await assistant.answer(CONVERSATION, replace(MESSAGE, text=text))
    sent = rasa.requests[0][1]["text"]
    assert len(sent) < 2000
    assert (sent[:5], sent[-3:]) == ("start", "end")
    assert is_shortened(text)
    assert shorten("short") == "short"
    assert not is_shortened("short")
