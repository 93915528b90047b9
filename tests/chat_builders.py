"""Short ways to open the web chat in tests: browsers with cookies, and what the worker would answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware

from channels.conversation import Channel, Choice, Reply, Sender, ServiceCard
from channels.errors import LedgerUnavailable
from channels.intake import Intake
from channels.ledger import Ledger
from channels.ledger.records import Draft, MessageRecord, Outcome, PersonRecord, Stored
from channels.metrics import Metrics
from channels.pages import SecurityHeaders
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat import WebChat
from channels.webchat.visitor import COOKIE, Visitor
from channels.wording import Wording

SCRIPT = {"Accept": "application/json"}


class BrokenLedger:
    """A ledger whose database is away."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def unavailable(*_arguments: object, **_named: object) -> Stored:
            raise LedgerUnavailable("away")

        return unavailable


def make_app(ledger: Any, streams: Streams, settings: Settings, **parts: Any) -> Starlette:
    """`parts`: others of the chat's parts than the usual ones."""
    metrics = Metrics()
    chat = WebChat(
        ledger=ledger,
        streams=streams,
        intake=Intake(ledger, streams, metrics),
        settings=settings,
        wording=Wording.load(),
        **parts,
    )
    return Starlette(routes=chat.routes(), middleware=[Middleware(SecurityHeaders)])


def browser(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", follow_redirects=True)


class Story:
    """What the worker and the desk would do meanwhile."""

    def __init__(self, ledger: Ledger, client: httpx.AsyncClient) -> None:
        self.ledger = ledger
        self.client = client

    @property
    def visitor(self) -> Visitor:
        return Visitor(secret=self.client.cookies[COOKIE])

    async def person(self) -> PersonRecord:
        person = await self.ledger.person_at(Channel.WEB, self.visitor.address)
        assert person is not None
        return person

    async def messages(self) -> list[MessageRecord]:
        conversation = await self.ledger.conversation_of((await self.person()).id)
        return await self.ledger.messages(conversation.id)

    async def answer(self, *drafts: Draft, **outcome: Any) -> None:
        conversation = await self.ledger.conversation_of((await self.person()).id)
        message = await self.ledger.next_unanswered(conversation.id)
        assert message is not None
        done = Outcome(message_id=message.id, expected_holder=conversation.holder, kind="bot", drafts=drafts, **outcome)
        assert await self.ledger.commit(done)


RENT = ServiceCard(
    service_id="svc-rent-help",
    name="Rent Rescue drop-in",
    phone="01632 960112",
    summary="Help to talk to your landlord.",
    hours="open now until 4:30pm",
    place="12 Bell Street",
    cost="Free",
    good_to_know="Bring any letters you have.",
    checked="checked 14 October 2026",
)
DETAILS = Choice(title="Rent Rescue drop-in", payload="details:svc-rent-help")
PERSON = Choice(title="Talk to a person", payload="person")
OFFER = Draft(
    sender=Sender.ASSISTANT,
    text="This may help:",
    reply=Reply(text="This may help:", cards=(RENT,), choices=(DETAILS, PERSON)),
    choices=(DETAILS, PERSON),
)


def said(words: str) -> Draft:
    return Draft(sender=Sender.ASSISTANT, text=words)


def words_of(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.text)))
