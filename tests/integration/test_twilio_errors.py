"""Twilio's error codes: over real HTTP through its own client, in receipts, and in a peer worker's words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from channels.conversation import Delivery
from channels.errors import SendFailed
from channels.settings import Settings
from channels.sms.twilio import Twilio, explain
from tests.integration.serving import free_port, serving

NUMBER = "+447700900123"


@dataclass
class Refusing:
    """Twilio on a bad day. `code` 0: something in front of it answers, in words of its own."""

    status: int = 400
    code: int = 0

    async def __call__(self, _request: Request) -> Response:
        if not self.code:
            return PlainTextResponse("upstream", self.status)
        return JSONResponse({"code": self.code, "message": f"about {NUMBER}", "status": self.status}, self.status)


@pytest.fixture
async def bad_day() -> AsyncIterator[tuple[Refusing, Twilio]]:
    refusing = Refusing()
    path = "/2010-04-01/Accounts/AC1/Messages.json"
    async with serving(Starlette(routes=[Route(path, refusing.__call__, methods=["POST"])]), free_port()) as address:
        settings = Settings(
            twilio_account_sid="AC1", twilio_auth_token="x", twilio_from="+441632960000", twilio_api_url=address
        )
        twilio = Twilio(settings)
        yield refusing, twilio
        twilio.close()


AT_ONCE = [
    pytest.param(429, 20429, True, "slow down", id="429 with Twilio's code"),
    pytest.param(429, 0, True, "slow down", id="429 from something in front"),
    pytest.param(500, 20500, True, "of its own", id="500"),
    pytest.param(502, 0, True, "of its own", id="502 from something in front"),
    pytest.param(503, 20503, True, "of its own", id="503"),
    pytest.param(400, 21610, False, "STOP", id="21610 texted STOP"),
    pytest.param(400, 21611, True, "waiting", id="21611 queue full"),
    pytest.param(400, 30002, False, "suspended", id="30002 suspended"),
    pytest.param(400, 21211, False, "not a phone number", id="21211 no number"),
    pytest.param(400, 99999, False, "error 99999", id="a code from the future"),
]


@pytest.mark.parametrize(("status", "code", "retryable", "words"), AT_ONCE)
async def test_a_refused_text(
    bad_day: tuple[Refusing, Twilio], status: int, code: int, retryable: bool, words: str
) -> None:
    refusing, twilio = bad_day
    refusing.status, refusing.code = status, code
    with pytest.raises(SendFailed) as failure:
        await twilio.send(NUMBER, "hello")
    assert (failure.value.code, failure.value.retryable) == (str(code or status), retryable)
    assert words in failure.value.explanation
    assert NUMBER not in str(failure.value)


LATER = [
    pytest.param("30001", True, "Too many texts are waiting", id="30001 queue overflow"),
    pytest.param("30002", False, "account is suspended", id="30002 account suspended"),
    pytest.param("30003", True, "switched off or out of reach", id="30003 unreachable handset"),
    pytest.param("30004", False, "blocks our texts", id="30004 blocked"),
    pytest.param("30005", False, "not in use", id="30005 unknown handset"),
    pytest.param("30006", False, "landline", id="30006 landline"),
    pytest.param("30007", False, "filtered", id="30007 filtered"),
    pytest.param("30008", True, "did not say why", id="30008 unknown"),
    pytest.param("30034", False, "not registered", id="30034 unregistered sender"),
    pytest.param("30036", True, "not delivered in time", id="30036 validity period over"),
    pytest.param("21610", False, "texted STOP", id="21610 texted STOP"),
]


@pytest.mark.parametrize("word", ["failed", "undelivered"])
@pytest.mark.parametrize(("code", "retryable", "words"), LATER)
def test_a_failed_receipt_has_the_same_words(code: str, retryable: bool, words: str, word: str) -> None:
    twilio = Twilio(Settings(twilio_account_sid="AC1", twilio_auth_token="x"))
    receipt = twilio.parse_status(FormData(MessageSid="SM1", MessageStatus=word, ErrorCode=code))
    twilio.close()
    assert receipt is not None
    assert (receipt.state, receipt.error_code) == (Delivery.FAILED, code)
    assert words in explain(receipt.error_code).explanation
    assert explain(receipt.error_code).retryable is retryable
