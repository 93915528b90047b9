"""Twilio, as far as we use it: texts in both directions, receipts, and its reserved words."""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from twilio.request_validator import RequestValidator

from channels.gsm7 import segments
from channels.settings import Settings
from channels.simulator.lines import Line, line_of
from channels.simulator.misbehave import HANG_SECONDS, BrokenOff, Misbehave
from channels.simulator.store import PICTURE, Bubble, NewBubble, PhoneStore
from channels.simulator.webhooks import Webhooks

API: Final = "/simulator/twilio/2010-04-01/Accounts/{account}/Messages"
VERSION: Final = "2010-04-01"
TICK_SECONDS: Final = 0.05
LONGEST_BODY: Final = 1600
LARGEST_PAGE: Final = 1000

STOP_WORDS: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS: Final = frozenset({"START", "UNSTOP", "YES"})
HELP_WORDS: Final = frozenset({"HELP", "INFO"})
NETWORK_SAYS: Final = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
"""What Twilio itself answers, unless Advanced Opt-Out is set to other words."""

REFUSALS: Final = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    21211: (400, "The 'To' number is not a valid phone number."),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
}


class FakeTwilio:
    def __init__(self, settings: Settings, store: PhoneStore, webhooks: Webhooks, misbehave: Misbehave) -> None:
        self._account = settings.twilio_account_sid
        self._token = settings.twilio_auth_token.get_secret_value()
        self._our_number = settings.twilio_from or "+441632960000"
        self._service_sid = settings.twilio_messaging_service_sid
        self._message_url = f"{settings.base_url}/hooks/twilio/message"
        self._store = store
        self._webhooks = webhooks
        self._misbehave = misbehave
        self.largest_page = LARGEST_PAGE

    def routes(self) -> list[BaseRoute]:
        return [
            Route(f"{API}.json", self.create, methods=["POST"]),
            Route(f"{API}.json", self.list_messages, methods=["GET"]),
            Route(f"{API}/{{sid}}.json", self.fetch, methods=["GET"]),
            Route(f"{API}/{{sid}}/Media.json", self.list_media, methods=["GET"]),
            Route(f"{API}/{{sid}}/Media/{{media}}", self.fetch_media, methods=["GET"]),
        ]

    # -- from a phone to us

    async def text_from(self, line: Line, words: str) -> Bubble:
        """The person presses send. Reserved words act only when they are the whole text, as on the real network."""
        sid = _new_sid()
        bubble = await self._store.add(
            NewBubble(line=line.key, side="mine", text=words, address=line.address, state="Sending", provider_id=sid)
        )
        opt_out = _reserved(words)
        if opt_out is not None:
            await self._act_on(line, opt_out)
        fields = {
            "ToCountry": "GB",
            "SmsMessageSid": sid,
            "NumMedia": "0",
            "ToCity": "",
            "SmsSid": sid,
            "SmsStatus": "received",
            "Body": words,
            "FromCountry": "GB",
            "To": self._our_number,
            "NumSegments": str(segments(words) or 1),
            "MessageSid": sid,
            "AccountSid": self._account,
            "From": line.address,
            "ApiVersion": VERSION,
        }
        if opt_out is not None:
            fields["OptOutType"] = opt_out
        self._webhooks.start(self._hand_in(bubble, fields))
        return bubble

    async def _act_on(self, line: Line, opt_out: str) -> None:
        changed = {"STOP": self._store.block, "START": self._store.unblock}.get(opt_out)
        if changed is None or await changed(line.key):
            await self._store.add(NewBubble(line=line.key, side="network", text=NETWORK_SAYS[opt_out]))

    async def _hand_in(self, bubble: Bubble, fields: Mapping[str, str]) -> None:
        taken = await self._post(self._message_url, fields)
        await self._store.set_state(bubble.id, "Sent" if taken else "Not delivered")

    async def _post(self, url: str, fields: Mapping[str, str]) -> bool:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": RequestValidator(self._token).compute_signature(url, dict(fields)),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            "User-Agent": "TwilioProxy/1.1",
        }
        return await self._webhooks.call(url, urlencode(fields).encode(), headers)

    # -- from us to a phone: the REST API

    async def create(self, request: Request) -> Response:
        form = await request.form()
        bad = self._misbehave.takes_now()
        await self._misbehave.wait()
        if bad and self._misbehave.hang:
            await asyncio.sleep(HANG_SECONDS)
            return BrokenOff()
        if bad and self._misbehave.status:
            return _refuse(20429 if self._misbehave.status == 429 else 20500)
        problem = self._unacceptable(request) or await self._unsendable(form)
        if problem:
            return _refuse(problem)
        bubble = await self._take(form)
        return BrokenOff() if bad and self._misbehave.reset else JSONResponse(self._resource(bubble), status_code=201)

    async def list_messages(self, request: Request) -> Response:
        """Both directions, newest first. Filters we use: To, DateSent>, PageSize and Page."""
        problem = self._unacceptable(request)
        if problem:
            return _refuse(problem)
        asked = request.query_params
        since = next((asked[name] for name in ("DateSent>", "DateSent>=", "DateSent") if asked.get(name)), None)
        texts = await self._store.texts(datetime.fromisoformat(since).replace(tzinfo=UTC) if since else None)
        resources = [self._resource(bubble) for bubble in texts]
        wanted = [found for found in resources if asked.get("To", "") in ("", found["to"])]
        size, number = min(int(asked.get("PageSize", "50")), self.largest_page), int(asked.get("Page", "0"))
        uri = f"/{VERSION}/Accounts/{self._account}/Messages.json"
        query = {**asked, "Page": str(number + 1)}
        more = len(wanted) > (number + 1) * size
        page: dict[str, Any] = {"messages": wanted[number * size : (number + 1) * size], "uri": uri}
        page |= {"page": number, "page_size": size, "first_page_uri": uri, "previous_page_uri": None}
        return JSONResponse(page | {"next_page_uri": f"{uri}?{urlencode(query)}" if more else None})

    async def list_media(self, request: Request) -> Response:
        """Simulated phones send no pictures."""
        problem = self._unacceptable(request)
        uri = f"/{VERSION}/Accounts/{self._account}/Messages/{request.path_params['sid']}/Media.json"
        return _refuse(problem) if problem else JSONResponse({"media_list": [], "uri": uri, "next_page_uri": None})

    async def fetch_media(self, request: Request) -> Response:
        """The same small picture for every message: one dot."""
        problem = self._unacceptable(request)
        return _refuse(problem) if problem else Response(PICTURE, media_type="image/png")

    async def fetch(self, request: Request) -> Response:
        problem = self._unacceptable(request)
        bubble = await self._store.by_provider_id(request.path_params["sid"])
        if problem or bubble is None:
            return _refuse(problem or 20404)
        return JSONResponse(self._resource(bubble))

    def _unacceptable(self, request: Request) -> int | None:
        expected = base64.b64encode(f"{self._account}:{self._token}".encode()).decode()
        given = request.headers.get("authorization", "")
        if not self._token or not hmac.compare_digest(given.encode(), f"Basic {expected}".encode()):
            return 20003
        return None if request.path_params["account"] == self._account else 20404

    async def _unsendable(self, form: FormData) -> int | None:
        address, body = str(form.get("To", "")), str(form.get("Body", ""))
        line = line_of("sms", address)
        problems: tuple[tuple[int, Callable[[], bool]], ...] = (
            (21211, lambda: not address.removeprefix("+").isdecimal() or not address.startswith("+")),
            (21602, lambda: not body),
            (21603, lambda: not form.get("From") and not form.get("MessagingServiceSid")),
            (21617, lambda: len(body) > LONGEST_BODY),
        )
        code = next((code for code, applies in problems if applies()), None)
        if code is None and line is not None and await self._store.is_blocked(line.key):
            return 21610
        return code

    async def _take(self, form: FormData) -> Bubble:
        address = str(form["To"])
        line = line_of("sms", address)
        bubble = await self._store.add(
            NewBubble(
                line=line.key if line else "",
                side="theirs",
                text=str(form["Body"]),
                address=address,
                state="queued",
                provider_id=_new_sid(),
            )
        )
        fields = {"From": self._our_number, "To": address, "ApiVersion": VERSION, "AccountSid": self._account}
        if form.get("MessagingServiceSid"):
            fields["MessagingServiceSid"] = str(form["MessagingServiceSid"])
        self._webhooks.start(self._progress(bubble, str(form.get("StatusCallback", "")), fields, reached=bool(line)))
        return bubble

    async def _progress(self, bubble: Bubble, url: str, fields: Mapping[str, str], *, reached: bool) -> None:
        """queued, sent, delivered; or undelivered with 30005 when no simulated phone has the number."""
        for state in ("queued", "sent", "delivered" if reached else "undelivered"):
            await asyncio.sleep(TICK_SECONDS)
            await self._store.set_state(bubble.id, state)
            sid = bubble.provider_id
            report = {**fields, "MessageSid": sid, "SmsSid": sid, "MessageStatus": state, "SmsStatus": state}
            if state == "undelivered":
                report["ErrorCode"] = "30005"
            if url and not self._misbehave.drop_callbacks:
                await self._post(url, report)

    def _resource(self, bubble: Bubble) -> dict[str, Any]:
        """A message as the API describes it."""
        uri = f"/{VERSION}/Accounts/{self._account}/Messages/{bubble.provider_id}"
        at = format_datetime(bubble.at)
        theirs = bubble.side == "mine"
        return {
            "account_sid": self._account,
            "api_version": VERSION,
            "body": bubble.text,
            "date_created": at,
            "date_sent": at,
            "date_updated": at,
            "direction": "inbound" if theirs else "outbound-api",
            "error_code": 30005 if bubble.state == "undelivered" else None,
            "error_message": None,
            "from": bubble.address if theirs else self._our_number,
            "messaging_service_sid": self._service_sid or None,
            "num_media": "0",
            "num_segments": str(segments(bubble.text)),
            "price": None,
            "price_unit": "USD",
            "sid": bubble.provider_id,
            "status": "received" if theirs else bubble.state,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self._our_number if theirs else bubble.address,
            "uri": f"{uri}.json",
        }


def _new_sid() -> str:
    return "SM" + secrets.token_hex(16)


def _reserved(words: str) -> str | None:
    word = words.strip().upper()
    families = (("STOP", STOP_WORDS), ("START", START_WORDS), ("HELP", HELP_WORDS))
    return next((family for family, members in families if word in members), None)


def _refuse(code: int) -> Response:
    status, message = REFUSALS[code]
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status_code=status)
