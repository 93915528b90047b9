"""A real browser at our web chat, for what only shows when its scripts run, or when they do not."""

from __future__ import annotations

from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Page, Request
from starlette.applications import Starlette

from channels.conversation import Channel, Choice, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft, OpenEscalation, Outcome
from channels.pages import static_routes
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.visitor import COOKIE, Visitor
from tests import patience
from tests.chat_builders import make_app

PHONE: Final = {"width": 390, "height": 844}


def chat_app(ledger: Ledger, streams: Streams, settings: Settings, **parts: Any) -> Starlette:
    """The chat with its scripts and styles."""
    app = make_app(ledger, streams, settings, **parts)
    app.router.routes.extend(static_routes())
    return app


class Visit:
    """One browser at our chat, and what it complained about."""

    def __init__(self, context: BrowserContext, page: Page, address: str, ledger: Ledger, streams: Streams) -> None:
        self.context, self.page, self.address = context, page, address
        self.ledger, self.streams = ledger, streams
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self.check_request)

    def check_request(self, request: Request) -> None:
        if not request.url.startswith(self.address):
            self.complaints.append(f"asked {request.url}")

    async def conversation_id(self) -> str:
        secret = next(cookie["value"] for cookie in await self.context.cookies() if cookie["name"] == COOKIE)
        person = await self.ledger.person_at(Channel.WEB, Visitor(secret=secret).address)
        assert person is not None
        return (await self.ledger.conversation_of(person.id)).id

    async def hears(self, *drafts: Draft) -> None:
        conversation_id = await self.conversation_id()
        await self.ledger.append(conversation_id, drafts)
        await self.streams.changed(conversation_id)

    async def waits_for_a_person(self) -> None:
        """As when the assistant has answered the newest message, and asked for somebody."""
        conversation = await self.ledger.conversation(await self.conversation_id())
        message = await self.ledger.next_unanswered(conversation.id)
        assert message is not None
        asked = OpenEscalation(reason="asked")
        done = Outcome(message_id=message.id, expected_holder=conversation.holder, kind="bot", escalation=asked)
        assert await self.ledger.commit(done)
        await self.streams.changed(conversation.id)

    async def says(self, words: str) -> None:
        await self.page.fill("textarea", words)
        await self.page.click("text=Send")

    async def begins(self, words: str) -> None:
        """Says the first words, and waits until they have arrived."""
        await self.says(words)
        await self.page.wait_for_selector("li[data-seq='1']")


def says(words: str, *choices: Choice) -> Draft:
    return Draft(sender=Sender.ASSISTANT, text=words, choices=choices)


async def visit(chromium: Browser, address: str, ledger: Ledger, streams: Streams, **options: Any) -> Visit:
    context = await chromium.new_context(**{"viewport": PHONE, **options})
    page = await context.new_page()
    page.set_default_timeout(patience.MILLISECONDS)
    await page.goto(f"{address}/chat")
    return Visit(context, page, address, ledger, streams)
