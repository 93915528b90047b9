"""Vonage's hooks behind our gateway, and our requests to its API, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from channels.conversation import Channel, Delivery, Sender
from channels.errors import SendFailed
from channels.gateway import Gateway
from channels.intake import Intake
from channels.ledger import Ledger
from channels.ledger.records import Draft, MessageRecord
from channels.metrics import Metrics
from channels.sms.vonage import Vonage
from channels.streams import Streams
from tests.integration.serving import free_port, serving
from tests.unit.test_vonage import recorded, settings, token

MESSAGE, STATUS = "/hooks/vonage/message", "/hooks/vonage/status"
NUMBER = "+447700900123"


@dataclass
class FakeVonage:
    """Takes messages, or refuses them with `refusal`: status and error number."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    refusal: tuple[int, int] | None = None

    async def take(self, request: Request) -> Response:
        self.asked.append(await request.json())
        self.headers.append(request.headers.get("authorization", ""))
        if self.refusal is None:
            return JSONResponse({"message_uuid": "aaaaaaaa-bbbb-cccc-dddd-000000000001"}, status_code=202)
        status, number = self.refusal
        error = {"type": f"https://developer.vonage.com/api-errors/messages#{number}", "detail": f"about {NUMBER}"}
        return JSONResponse(error if number else ["?"], status_code=status)


@pytest.fixture
async def network() -> AsyncIterator[tuple[FakeVonage, Vonage]]:
    fake = FakeVonage()
    async with serving(Starlette(routes=[Route("/v1/messages", fake.take, methods=["POST"])]), free_port()) as address:
        vonage = Vonage(settings(vonage_api_url=address))
        yield fake, vonage
        await vonage.close()


@pytest.fixture
async def door(ledger: Ledger, streams: Streams) -> AsyncIterator[httpx.AsyncClient]:
    metrics, vonage = Metrics(), Vonage(settings())
    gateway = Gateway(
        ledger=ledger,
        intake=Intake(ledger, streams, metrics),
        metrics=metrics,
        twilio=None,
        telegram=None,
        vonage=vonage,
    )
    transport = httpx.ASGITransport(Starlette(routes=gateway.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.1:8000") as client:
        yield client
    await vonage.close()


async def post(door: httpx.AsyncClient, path: str, body: bytes, authorization: str | None = None) -> int:
    signed = token(body) if authorization is None else authorization
    headers = {"Content-Type": "application/json", **({"Authorization": signed} if signed else {})}
    return (await door.post(path, content=body, headers=headers)).status_code


async def stored(ledger: Ledger) -> list[MessageRecord]:
    person = await ledger.person_at(Channel.SMS, NUMBER)
    return await ledger.messages((await ledger.conversation_of(person.id)).id) if person else []


async def test_a_signed_text_is_stored_once_however_often_it_comes(door: httpx.AsyncClient, ledger: Ledger) -> None:
    assert [await post(door, MESSAGE, recorded("message")) for _ in range(3)] == [200] * 3
    (message,) = await stored(ledger)
    assert message.text.startswith("cant pay my rent")


async def test_a_receipt_reaches_the_message_it_is_about(door: httpx.AsyncClient, ledger: Ledger) -> None:
    await post(door, MESSAGE, recorded("message"))
    conversation_id = (await stored(ledger))[0].conversation_id
    await ledger.append(conversation_id, [Draft(sender=Sender.ASSISTANT, text="hello")])
    draft = (await stored(ledger))[1]
    await ledger.mark_sending(draft.id)
    await ledger.mark_sent(draft.id, "aaaaaaaa-bbbb-cccc-dddd-000000000001")
    for name in ("status_delivered", "status_submitted", "status_delivered"):
        assert await post(door, STATUS, recorded(name)) == 200
    assert (await stored(ledger))[1].delivery is Delivery.DELIVERED


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        pytest.param(token(b"other"), 403, id="a token of another body"),
        pytest.param("", 503, id="no token: it may be Vonage's, so it is asked for again"),
    ],
)
async def test_what_is_not_signed_is_not_taken(
    door: httpx.AsyncClient, ledger: Ledger, authorization: str, status: int
) -> None:
    with capture_logs() as lines:
        assert await post(door, MESSAGE, recorded("message"), authorization) == status
    assert await stored(ledger) == []
    assert "rent" not in str(lines)
    assert "447700900123" not in str(lines)


async def test_what_is_signed_but_unreadable_is_refused(door: httpx.AsyncClient) -> None:
    assert [await post(door, path, b"[]") for path in (MESSAGE, STATUS)] == [400, 400]


async def test_a_text_goes_out_as_vonage_wants_it(network: tuple[FakeVonage, Vonage]) -> None:
    fake, vonage = network
    assert await vonage.send(NUMBER, "Przykro mi – zadzwoń") == "aaaaaaaa-bbbb-cccc-dddd-000000000001"
    (asked,) = fake.asked
    assert (asked["to"], asked["from"], asked["text"]) == ("447700900123", "441632960000", "Przykro mi – zadzwoń")
    assert asked["webhook_url"] == "https://help.example/hooks/vonage/status"
    assert fake.headers[0].startswith("Basic ")


@pytest.mark.parametrize(
    ("refusal", "code", "retryable", "words"),
    [
        pytest.param((429, 1000), "vonage-1000", True, "slow down", id="too fast"),
        pytest.param((429, 0), "vonage-429", True, "slow down", id="too fast, in no words"),
        pytest.param((500, 1030), "vonage-1030", True, "of its own", id="their fault"),
        pytest.param((502, 0), "vonage-502", True, "of its own", id="something in front of it"),
        pytest.param((401, 0), "vonage-401", False, "account details", id="wrong account"),
        pytest.param((422, 1020), "vonage-1020", False, "not a phone number", id="no number"),
        pytest.param((402, 1070), "vonage-1070", False, "credit", id="no credit"),
    ],
)
async def test_a_refused_text(
    network: tuple[FakeVonage, Vonage], refusal: tuple[int, int], code: str, retryable: bool, words: str
) -> None:
    fake, vonage = network
    fake.refusal = refusal
    with pytest.raises(SendFailed) as failure:
        await vonage.send(NUMBER, "hello")
    assert (failure.value.code, failure.value.retryable) == (code, retryable)
    assert words in failure.value.explanation
    assert NUMBER not in str(failure.value)


async def test_nobody_there_is_worth_another_try() -> None:
    vonage = Vonage(settings(vonage_api_url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(SendFailed) as failure:
        await vonage.send(NUMBER, "hello")
    assert (failure.value.code, failure.value.retryable) == ("vonage-unreachable", True)
    await vonage.close()
