"""The providers' webhooks: verify, store, answer. Nothing slow and nothing clever happens here.

bad signature -> 403, ids recorded, body not        unreadable -> 400, recorded
stored, or stored before -> 200                     ledger away -> 503, so that the provider sends again
Redis away -> 200 (the sweeper announces it)        more than 1 MB -> 413
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from channels.conversation import Channel, Receipt
from channels.errors import LedgerUnavailable, Malformed
from channels.intake import Intake
from channels.metrics import Metrics
from channels.sms.twilio import SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER, Twilio
from channels.sms.vonage import Vonage
from channels.updates import Updates

LARGEST_BODY: Final = 1_000_000
EMPTY_TWIML: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
PROVIDER_IDS: Final = ("MessageSid", "SmsSid", "AccountSid", "MessagingServiceSid")
ID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
QUARANTINE_PER_MINUTE: Final = 60
"""Forged requests cost an attacker nothing, and each row costs us a write: beyond this they are only counted."""


class HookLedger(Protocol):
    """The ledger, as far as webhooks need it."""

    async def store_receipt(self, receipt: Receipt) -> bool: ...

    async def quarantine(self, channel: Channel, reason: str, ids: dict[str, str]) -> object: ...


class Refused(Exception):
    """The request did not come from the provider. `ids` are what may be kept of it; `status` is the answer."""

    def __init__(self, ids: Mapping[str, str], status: int = 403) -> None:
        super().__init__("bad signature")
        self.ids = dict(ids)
        self.status = status


@dataclass(kw_only=True)
class Quarantine:
    """Records what was turned away, at most so many a minute, and never more than ids."""

    ledger: HookLedger
    metrics: Metrics
    _minute: int = 0
    _written: int = 0

    async def record(self, channel: Channel, reason: str, ids: Mapping[str, str]) -> None:
        self.metrics.count_refused(channel, reason)
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._written = minute, 0
        self._written += 1
        if self._written > QUARANTINE_PER_MINUTE:
            return
        log = structlog.get_logger()
        log.warning("webhook_turned_away", channel=channel, reason=reason, **ids)
        try:
            await self.ledger.quarantine(channel, reason, dict(ids))
        except LedgerUnavailable:
            log.warning("quarantine_not_recorded", channel=channel)


@dataclass(kw_only=True)
class Gateway:
    """The webhooks. A provider that is not set up answers 404."""

    ledger: HookLedger
    intake: Intake
    metrics: Metrics
    twilio: Twilio | None
    telegram: Updates | None
    vonage: Vonage | None = None
    quarantine: Quarantine = field(init=False)

    def __post_init__(self) -> None:
        self.quarantine = Quarantine(ledger=self.ledger, metrics=self.metrics)

    def routes(self) -> list[BaseRoute]:
        hooks: tuple[tuple[str, Callable[[Request], Awaitable[Response]]], ...] = (
            ("/hooks/twilio/message", self.twilio_message),
            ("/hooks/twilio/status", self.twilio_status),
            ("/hooks/vonage/message", self.vonage_message),
            ("/hooks/vonage/status", self.vonage_status),
            ("/hooks/telegram", self.telegram_update),
        )
        return [Route(path, hook, methods=["POST"], max_body_size=LARGEST_BODY) for path, hook in hooks]

    async def twilio_message(self, request: Request) -> Response:
        """One text. Form-encoded: MessageSid=SM..&From=%2B447700900001&To=..&Body=cant+pay+my+rent&NumMedia=0"""
        return await self._answer(Channel.SMS, request, self._take_text)

    async def twilio_status(self, request: Request) -> Response:
        """What became of a text we sent: MessageSid=SM..&MessageStatus=delivered"""
        return await self._answer(Channel.SMS, request, self._take_status)

    async def vonage_message(self, request: Request) -> Response:
        """One text, as JSON: {"message_uuid": "..", "channel": "sms", "from": "447700900001", "text": ".."}"""
        return await self._answer(Channel.SMS, request, self._take_vonage_text)

    async def vonage_status(self, request: Request) -> Response:
        """What became of a text we sent: {"message_uuid": "..", "status": "delivered"}"""
        return await self._answer(Channel.SMS, request, self._take_vonage_status)

    async def telegram_update(self, request: Request) -> Response:
        """One update, as JSON: {"update_id": 1, "message": {..}} or {"update_id": 2, "callback_query": {..}}"""
        return await self._answer(Channel.TELEGRAM, request, self._take_update)

    async def _answer(
        self, channel: Channel, request: Request, take: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        started = time.monotonic()
        try:
            return await take(request)
        except Refused as refused:
            await self.quarantine.record(channel, "signature", refused.ids)
            return PlainTextResponse("The signature does not match.", status_code=refused.status)
        except Malformed as problem:
            await self.quarantine.record(channel, "malformed", {})
            return PlainTextResponse(f"This request cannot be read: {problem}.", status_code=400)
        except LedgerUnavailable:
            structlog.get_logger().error("ledger_unavailable", channel=channel)
            return PlainTextResponse("Not stored. Please send it again.", status_code=503, headers={"Retry-After": "2"})
        finally:
            self.metrics.time_ack(request.url.path.removeprefix("/hooks/"), time.monotonic() - started)

    async def _take_text(self, request: Request) -> Response:
        twilio, form = await self._verified_form(request)
        if twilio is None:
            return _not_set_up("Twilio")
        await self.intake.receive(twilio.parse_message(form))
        return _twiml()

    async def _take_status(self, request: Request) -> Response:
        twilio, form = await self._verified_form(request)
        if twilio is None:
            return _not_set_up("Twilio")
        await self._keep(twilio.parse_status(form))
        return _twiml()

    async def _keep(self, receipt: Receipt | None) -> None:
        if receipt is not None and not await self.ledger.store_receipt(receipt):
            structlog.get_logger().info("receipt_of_unknown_message", provider_id=receipt.provider_id)

    async def _take_vonage_text(self, request: Request) -> Response:
        if self.vonage is None:
            return _not_set_up("Vonage")
        await self.intake.receive(self.vonage.parse_message(await _verified_body(self.vonage, request)))
        return Response()

    async def _take_vonage_status(self, request: Request) -> Response:
        if self.vonage is None:
            return _not_set_up("Vonage")
        await self._keep(self.vonage.parse_status(await _verified_body(self.vonage, request)))
        return Response()

    async def _verified_form(self, request: Request) -> tuple[Twilio | None, FormData]:
        if self.twilio is None:
            return None, FormData()
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Malformed("it is not form-encoded")
        form = await request.form()
        signature, signed_with = (
            request.headers.get(name, "") for name in (SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER)
        )
        if not self.twilio.verify(_path_and_query(request), form, signature, signed_with):
            raise Refused(_ids(form))
        return self.twilio, form

    async def _take_update(self, request: Request) -> Response:
        if self.telegram is None:
            return _not_set_up("Telegram")
        if not self.telegram.telegram.verify(request.headers.get("x-telegram-bot-api-secret-token")):
            raise Refused({})
        try:
            update = json.loads(await request.body())
        except (ValueError, RecursionError):
            update = None
        errand = await self.telegram.take(update)
        return Response(background=BackgroundTask(errand) if errand else None)


async def _verified_body(vonage: Vonage, request: Request) -> bytes:
    """Raises Refused. A webhook without any token may be Vonage's all the same: a 503 makes it come again, signed."""
    body, token = await request.body(), request.headers.get("authorization", "")
    if not vonage.verify(body, token):
        raise Refused({}, 403 if token else 503)
    return body


def _path_and_query(request: Request) -> str:
    """As it stood on the request line, not decoded: the signature covers these very letters."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return raw.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")


def _ids(form: FormData) -> dict[str, str]:
    """Only what looks like an id: the fields of a forged request may hold anything."""
    found = {name: str(form.get(name, "")) for name in PROVIDER_IDS}
    return {name: value for name, value in found.items() if ID_FORM.fullmatch(value)}


def _twiml() -> Response:
    return Response(EMPTY_TWIML, media_type="text/xml")


def _not_set_up(provider: str) -> Response:
    return PlainTextResponse(f"{provider} is not set up here.", status_code=404)
