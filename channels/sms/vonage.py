"""SMS through Vonage's Messages API.

Oddities worth knowing:
- A webhook is signed by a token (JWT, HS256) beside it; the token holds the SHA-256 of the body. One that is
  played again does no harm: the ledger's unique id sees to that.
- Once in a while Vonage sends a webhook without any token, and asks for a 5xx so that it comes again, signed.
- Numbers come and go without a plus. A long text arrives whole. STOP is an ordinary text: routing knows the word.
- There is no list of messages to look things up in: what was interrupted while it was sent is sent again, and what
  did not reach us comes by Vonage's own retries, for 24 hours.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self

import httpx
import jwt

from channels.conversation import Channel, Delivery, Inbound, Media, Receipt
from channels.errors import Malformed, SendFailed
from channels.settings import Settings
from channels.sms.twilio import Problem

API_URL: Final = "https://api.nexmo.com"
STATUS_PATH: Final = "/hooks/vonage/status"
TIMEOUT_SECONDS: Final = 10.0
LEEWAY: Final = 300.0
CODE: Final = "vonage-"
"""Before every code, so that the desk knows whose it is."""

ERRORS: Final[Mapping[str, Problem]] = {
    "401": Problem("Vonage does not accept our account details.", False),
    "402": Problem("Our Vonage account has no credit left.", False),
    "403": Problem("Our Vonage account may not do this.", False),
    "429": Problem("Vonage asked us to slow down.", True),
    "1000": Problem("Vonage asked us to slow down.", True),
    "1010": Problem("Something was missing in the message.", False),
    "1020": Problem("This is not a phone number that can get texts.", False),
    "1030": Problem("Vonage had a problem of its own.", True),
    "1040": Problem("This number cannot be reached.", False),
    "1050": Problem("This number may not get texts from us.", False),
    "1060": Problem("Our Vonage account is suspended.", False),
    "1070": Problem("Our Vonage account has no credit left.", False),
    "1090": Problem("The message is too long for a text.", False),
    "1100": Problem("Vonage could not reach the network.", True),
    "1120": Problem("Our own number cannot send texts to this person.", False),
    "undeliverable": Problem("Vonage could not reach the network.", True),
    "rejected": Problem("The network did not take the text.", False),
    "timeout": Problem("Vonage did not answer in time; the text may have gone out.", True),
    "unreachable": Problem("Vonage could not be reached.", True),
}

STATES: Final[Mapping[str, Delivery]] = {
    "submitted": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
    "rejected": Delivery.FAILED,
    "undeliverable": Delivery.FAILED,
}

MEDIA: Final[Mapping[str, str]] = {"image": "picture", "audio": "voice", "video": "video", "file": "file"}


def explain(code: str) -> Problem:
    """Words for one of Vonage's codes, with or without CODE before it. An unknown one says its number."""
    bare = code.removeprefix(CODE)
    if bare.isdecimal() and 500 <= int(bare) < 600:
        bare = "1030"
    return ERRORS.get(bare) or Problem(f"Vonage answered with error {bare}.", False)


class Vonage:
    """Verify, parse and send. Holds one connection pool; `close` frees it."""

    def __init__(self, settings: Settings) -> None:
        self._from = settings.vonage_from.removeprefix("+")
        self._secret = settings.vonage_signature_secret.get_secret_value()
        self._status_url = settings.base_url + STATUS_PATH
        account = (settings.vonage_api_key, settings.vonage_api_secret.get_secret_value())
        base_url = settings.vonage_api_url.rstrip("/") or API_URL
        self._client = httpx.AsyncClient(base_url=base_url, auth=account, timeout=TIMEOUT_SECONDS)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """None when another provider is chosen, or a part of this one is missing."""
        secrets = (settings.vonage_api_secret, settings.vonage_signature_secret)
        whole = settings.vonage_api_key and settings.vonage_from and all(s.get_secret_value() for s in secrets)
        return cls(settings) if settings.sms_provider == "vonage" and whole else None

    async def close(self) -> None:
        await self._client.aclose()

    def verify(self, body: bytes, authorization: str) -> bool:
        """Check the token beside a request, and that it was made for this very body."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._secret:
            return False
        try:
            options = jwt.types.Options(require=["payload_hash"], verify_iat=False, verify_aud=False)
            claims = jwt.decode(token.strip(), self._secret, algorithms=["HS256"], options=options, leeway=LEEWAY)
        except jwt.InvalidTokenError:
            return False
        given = str(claims["payload_hash"]).lower().encode()
        return hmac.compare_digest(given, hashlib.sha256(body).hexdigest().encode())

    def parse_message(self, body: bytes) -> Inbound:
        """Raises Malformed when the sender or the message's id is missing, or another channel's message came."""
        fields = _fields(body)
        if fields.get("channel", "sms") not in {"sms", "mms"}:
            raise Malformed("channel is not sms")
        kind = str(fields.get("message_type", "text"))
        thing = fields.get(kind)
        thing = thing if kind in MEDIA and isinstance(thing, dict) else {}
        text = fields.get("text") or thing.get("caption") or ""
        return Inbound(
            channel=Channel.SMS,
            address=_with_plus(_required(fields, "from")),
            provider_id=_required(fields, "message_uuid"),
            text=text if isinstance(text, str) else "",
            media=(Media(kind=MEDIA[kind], reference=str(thing.get("url", ""))),) if thing else (),
        )

    def parse_status(self, body: bytes) -> Receipt | None:
        """None for a state that adds nothing. Raises Malformed when the message's id or state is missing."""
        fields = _fields(body)
        provider_id, word = _required(fields, "message_uuid"), _required(fields, "status").lower()
        state = STATES.get(word)
        if state is None:
            return None
        code = CODE + (_code(fields.get("error")) or word) if state is Delivery.FAILED else ""
        return Receipt(channel=Channel.SMS, provider_id=provider_id, state=state, error_code=code)

    async def send(self, address: str, text: str) -> str:
        """Send one text and return Vonage's id for it. Raises SendFailed."""
        message = {
            "message_type": "text", "channel": "sms", "from": self._from, "to": address.removeprefix("+"), "text": text,
            "webhook_url": self._status_url, "webhook_version": "v1", "sms": {"encoding_type": "auto"},
        }  # fmt: skip
        try:
            answer = await self._client.post("/v1/messages", json=message)
        except httpx.HTTPError as error:
            failure = _failure("timeout" if isinstance(error, httpx.ReadTimeout) else "unreachable")
        else:
            if answer.is_success:
                return _required(_fields(answer.content), "message_uuid")
            failure = _refusal(answer)
        raise failure

    async def find_sent(self, address: str, text: str, since: datetime) -> str | None:
        return None  # Nobody can tell.


def _refusal(answer: httpx.Response) -> SendFailed:
    try:
        code = _code(_fields(answer.content))
    except Malformed:
        code = ""
    failure = _failure(code or str(answer.status_code))
    failure.retryable = failure.retryable or answer.status_code == 429 or answer.status_code >= 500
    return failure


def _failure(code: str) -> SendFailed:
    problem = explain(code)
    return SendFailed(CODE + code, problem.explanation, retryable=problem.retryable)


def _code(error: object) -> str:
    """The number in {"type": "https://developer.vonage.com/api-errors/messages#1050", "title": 1050}."""
    if not isinstance(error, dict):
        return ""
    number = str(error.get("type", "")).rpartition("#")[2]
    return number if number.isdecimal() and len(number) <= 6 else ""


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Malformed("it is not a JSON object")
    return fields


def _required(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Malformed(f"{name} is missing")
    return value.strip()


def _with_plus(sender: str) -> str:
    return f"+{sender}" if sender.isdecimal() and len(sender) > 6 else sender
