"""A phone network at its worst, for measuring: it shuffles, repeats, loses answers, and remembers everything.

Twilio's REST API as far as the product calls it, and Twilio's webhooks, signed for the public address but posted to
whichever gateway chance picks. What it remembers is what the figures are counted from.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from channels.settings import Settings
from channels.simulator.misbehave import BrokenOff

OUR_NUMBER = "+441632960000"
MESSAGES = "/2010-04-01/Accounts/{account}/Messages"
AT_ONCE = 24
"""Webhooks under way at the same time."""


@dataclass(kw_only=True)
class Text:
    """One message in the network, in either direction."""

    sender: str
    to: str
    body: str
    sid: str = field(default_factory=lambda: "SM" + secrets.token_hex(16))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "received"
    error: int | None = None

    @property
    def resource(self) -> dict[str, Any]:
        return {
            "sid": self.sid, "from": self.sender, "to": self.to, "body": self.body, "status": self.status,
            "direction": "inbound" if self.status == "received" else "outbound-api", "num_media": "0",
            "error_code": self.error, "date_sent": format_datetime(self.at), "messaging_service_sid": None,
        }  # fmt: skip


@dataclass(kw_only=True)
class Carrier:
    """`gateways` are the addresses it posts to. `unreachable`: one number in so many has been given up."""

    settings: Settings
    gateways: list[str]
    chance: random.Random
    unreachable: int = 10
    break_off: int = 0
    """So many of the next sends are taken, and then the connection breaks."""
    lost: list[Text] = field(default_factory=list)
    """Written by people, and their webhook never came: only the list has them."""
    sent: list[Text] = field(default_factory=list)
    """What we sent."""
    reports: list[dict[str, str]] = field(default_factory=list)
    """Status callbacks not yet posted."""
    refused: int = 0
    _busy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _client: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=64))
    )

    async def close(self) -> None:
        await self._client.aclose()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"{MESSAGES}.json", self.create, methods=["POST"]),
                Route(f"{MESSAGES}.json", self.listing, methods=["GET"]),
                Route(f"{MESSAGES}/{{sid}}.json", self.fetch, methods=["GET"]),
            ]
        )

    # -- from people to us

    async def hand_in(self, text: Text, gateway: int | None = None) -> int:
        """Post one person's text, as often as it takes, and give the status that ended it."""
        fields = {"MessageSid": text.sid, "From": text.sender, "To": text.to, "Body": text.body, "NumMedia": "0"}
        return await self._insist("/hooks/twilio/message", fields, gateway)

    async def post_reports(self, repeated: float) -> None:
        """Every status callback that waits, in any order, a part of them twice."""
        reports = self.reports + [report for report in self.reports if self.chance.random() < repeated]
        self.reports = []
        self.chance.shuffle(reports)
        await asyncio.gather(*(self._insist("/hooks/twilio/status", report) for report in reports))

    async def _insist(self, path: str, fields: Mapping[str, str], gateway: int | None = None) -> int:
        for _ in range(6):
            async with self._busy:
                status = await self.post(path, fields, gateway=gateway)
            if status < 500:
                break
        self.refused += status != 200
        return status

    async def post(
        self, path: str, fields: Mapping[str, str], signature: str | None = None, gateway: int | None = None
    ) -> int:
        address = self.gateways[gateway] if gateway is not None else self.chance.choice(self.gateways)
        token = self.settings.twilio_auth_token.get_secret_value()
        signed = RequestValidator(token).compute_signature(self.settings.base_url + path, dict(fields))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signed if signature is None else signature,
        }
        return (await self._client.post(address + path, content=urlencode(fields), headers=headers)).status_code

    # -- from us to people

    async def create(self, request: Request) -> Response:
        form = await request.form()
        text = Text(sender=OUR_NUMBER, to=str(form["To"]), body=str(form["Body"]), status="sent")
        self.sent.append(text)
        if self.break_off:
            self.break_off -= 1
            return BrokenOff()
        reached = self.unreachable == 0 or int(text.to[-6:]) % self.unreachable
        text.status, text.error = ("delivered", None) if reached else ("undelivered", 30003)
        reports = [report(text, "sent"), report(text, text.status)]
        if self.gateways and self.chance.random() < 0.2:
            # Quicker than the answer to our own request.
            await self.post("/hooks/twilio/status", reports.pop())
        self.reports += reports
        return JSONResponse({**text.resource, "status": "queued"}, status_code=201)

    async def listing(self, request: Request) -> Response:
        """Newest first, whole, in pages. Filters: To and DateSent>."""
        asked = request.query_params
        since = datetime.fromisoformat(asked.get("DateSent>", "1970-01-01")).replace(tzinfo=UTC)
        wanted = [
            text.resource
            for text in sorted([*self.lost, *self.sent], key=lambda text: text.at, reverse=True)
            if text.at >= since and asked.get("To", "") in ("", text.to)
        ]
        size, number = int(asked.get("PageSize", "50")), int(asked.get("Page", "0"))
        uri = MESSAGES.format(account=request.path_params["account"]) + ".json"
        more = len(wanted) > (number + 1) * size
        query = urlencode({**asked, "Page": number + 1})
        page = {"messages": wanted[number * size : (number + 1) * size], "uri": uri, "page": number, "page_size": size}
        return JSONResponse(page | {"next_page_uri": f"{uri}?{query}" if more else None})

    async def fetch(self, request: Request) -> Response:
        found = [text for text in self.sent if text.sid == request.path_params["sid"]]
        return JSONResponse(found[0].resource) if found else JSONResponse({"code": 20404}, status_code=404)


def report(text: Text, status: str) -> dict[str, str]:
    """A status callback as it is posted."""
    fields = {"MessageSid": text.sid, "MessageStatus": status, "To": text.to, "From": text.sender}
    return {**fields, "ErrorCode": str(text.error)} if status == "undelivered" else fields


def number_of(person: int) -> str:
    return f"+4477009{person:05}"


def written_by(person: int, count: int) -> list[Text]:
    return [
        Text(sender=number_of(person), to=OUR_NUMBER, body=f"person {person} writes line {line}")
        for line in range(count)
    ]


def bodies(texts: Iterable[Text]) -> list[str]:
    return [text.body for text in texts]
