"""axe-core on every page and state that people and peer workers see, in a real Chromium, and a journey by keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect
from pydantic import SecretStr

from channels.app import create_app
from channels.conversation import Channel, Sender
from channels.ledger import Ledger
from channels.ledger.records import ConversationRecord, Draft, OpenEscalation, Outcome
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.visitor import COOKIE, Visitor
from tests import patience
from tests.chat_builders import OFFER, RENT, said
from tests.chromium import violations
from tests.integration.serving import free_port, serving
from tests.ledger_builders import TEST_PREFIX
from tests.phone_builders import with_phones

pytestmark = pytest.mark.browser
LOOKS = [
    pytest.param({"viewport": {"width": 360, "height": 780}, "color_scheme": "light"}, id="phone, light"),
    pytest.param({"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}, id="desktop, dark"),
    pytest.param({"viewport": {"width": 320, "height": 256}, "forced_colors": "active"}, id="400 %, forced colours"),
]


@dataclass
class House:
    """The whole web process on its feet, and somebody looking at it."""

    address: str
    ledger: Ledger
    streams: Streams
    context: BrowserContext

    async def open(self, path: str) -> Page:
        page = await self.context.new_page()
        page.set_default_timeout(patience.MILLISECONDS)
        await page.goto(self.address + path)
        return page

    async def conversation(self) -> ConversationRecord:
        secret = next(one["value"] for one in await self.context.cookies() if one["name"] == COOKIE)
        person = await self.ledger.person_at(Channel.WEB, Visitor(secret=secret).address)
        assert person is not None
        return await self.ledger.conversation_of(person.id)

    async def answer(self, *drafts: Draft, ask: bool = False) -> None:
        conversation = await self.conversation()
        message = await self.ledger.next_unanswered(conversation.id)
        assert message is not None
        escalation = OpenEscalation(reason="asked") if ask else None
        outcome = Outcome(
            message_id=message.id, expected_holder=conversation.holder, kind="bot", drafts=drafts, escalation=escalation
        )
        assert await self.ledger.commit(outcome)
        await self.streams.changed(conversation.id)

    async def claim(self) -> None:
        """Sam, of the demo, takes it."""
        sam = await self.ledger.peer_by_login("sam")
        escalation = await self.ledger.escalation_of((await self.conversation()).id)
        assert sam is not None
        assert escalation is not None
        hello = Draft(sender=Sender.PEER, text="Hi, I am Sam. I am here.", sender_name="Sam")
        await self.ledger.claim(escalation.id, sam, escalation.opened_at.replace(year=2100), hello)
        await self.streams.changed(escalation.conversation_id)


@pytest.fixture
async def address(ledger: Ledger, settings: Settings, valkey_url: str) -> AsyncIterator[str]:
    await ledger.add_peer(name="Sam", login="sam", role="peer", password_hash="x")
    port = free_port()
    redis = {"redis_url": SecretStr(valkey_url), "redis_prefix": TEST_PREFIX}
    mail = {"smtp_url": SecretStr("smtp://127.0.0.1"), "smtp_from": "help@wren.example"}
    app = create_app(with_phones(settings).model_copy(update={"port": port, **redis, **mail}))
    async with serving(app, port) as served:
        yield served


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_on_any_page_or_state(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams, look: dict[str, object]
) -> None:
    house = House(address, ledger, streams, await chromium.new_context(**look))  # type: ignore[arg-type]
    wrong: list[str] = []
    for path in ("/", "/chat/safety", "/chat/return", "/chat/list", "/simulator", "/no-such-page", "/chat?embed=1"):
        wrong += await violations(await house.open(path), path)

    chat = await house.open("/chat")
    wrong += await violations(chat, "chat, empty")
    await chat.get_by_label("Your message").fill("cant pay my rent")
    await chat.get_by_role("button", name="Send").click()
    await chat.wait_for_selector("li[data-seq='1']")
    wrong += await violations(chat, "chat, thinking")
    await house.answer(OFFER, Draft(sender=Sender.ASSISTANT, text="All of it:", reply=detail()))
    await chat.wait_for_selector("li[data-seq='3']")
    wrong += await violations(chat, "chat, with cards")
    wrong += await check_my_list(house, chat)
    await chat.get_by_label("Your message").fill("can i talk to someone")
    await chat.get_by_role("button", name="Send").click()
    await chat.wait_for_selector("li[data-seq='4']")
    await house.answer(Draft(sender=Sender.NOTICE, text="You are next."), ask=True)
    await expect(chat.get_by_text("Waiting for a person: you are next.")).to_be_visible()
    wrong += await violations(chat, "chat, waiting")

    desk = await house.open("/desk")
    wrong += await violations(desk, "desk, list")
    await house.claim()
    await expect(chat.get_by_text("You are talking to Sam, a peer worker.")).to_be_visible()
    wrong += await violations(chat, "chat, with a peer worker")
    await desk.goto(f"{address}/desk/conversations/{(await house.conversation()).id}")
    wrong += await violations(desk, "desk, conversation")

    await chat.route("**/chat/messages", lambda route: route.abort())
    await chat.get_by_label("Your message").fill("are you there")
    await chat.get_by_role("button", name="Send").click()
    await expect(chat.get_by_text("Not sent.")).to_be_visible()
    wrong += await violations(chat, "chat, not sent")

    for kind in ("phone", "telegram"):
        phone = await house.open(f"/simulator/{kind}/1")
        wrong += await violations(phone, f"{kind}, empty")
        await phone.get_by_label("Your message").fill("hello")
        await phone.get_by_role("button", name="Send").click()
        await phone.wait_for_selector("li[data-seq]")
        wrong += await violations(phone, kind)
    await house.context.close()
    assert not wrong, "\n".join(wrong)


async def check_my_list(house: House, chat: Page) -> list[str]:
    """Saved in the chat; then the list, with what is wrong in a form, and with what was taken off."""
    await chat.get_by_role("button", name="Save to my list").first.click()
    await expect(chat.get_by_role("button", name="Undo saving")).to_be_visible()
    wrong = await violations(chat, "chat, saved to my list")
    listed = await house.open("/chat/list")
    wrong += await violations(listed, "my list")
    await listed.get_by_label("Mobile number").fill("0800 1111")
    await listed.get_by_role("button", name="Text it").click()
    await expect(listed.get_by_role("alert")).to_be_visible()
    wrong += await violations(listed, "my list, a wrong number")
    await listed.get_by_role("button", name="Take off my list").click()
    await expect(listed.get_by_role("button", name="Undo taking off")).to_be_visible()
    wrong += await violations(listed, "my list, taken off")
    await listed.close()
    return wrong


def detail() -> object:
    assert OFFER.reply is not None
    return type(OFFER.reply)(text="All of it:", cards=(RENT,), detail=True)


async def test_a_whole_conversation_by_keyboard_alone(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    house = House(address, ledger, streams, await chromium.new_context(viewport={"width": 1280, "height": 900}))
    page = await house.open("/chat")
    press = page.keyboard.press
    order = []
    for _ in range(5):
        await press("Tab")
        order.append(await page.evaluate("document.activeElement.innerText.trim() || document.activeElement.id"))
    assert order[:3] == ["Skip to the main part", "Leave this page", "text"]
    assert order[3] == "Send"

    await press("Shift+Tab")
    await page.get_by_label("Your message").focus()
    await page.keyboard.type("cant pay my rent")
    await press("Shift+Enter")
    await page.keyboard.type("im so down")
    await press("Enter")
    await expect(page.locator("li.you[data-seq='1'] .bubble")).to_have_text("cant pay my rent\nim so down")
    await expect(page.get_by_label("Your message")).to_be_focused()

    await page.keyboard.type("and")
    await house.answer(OFFER, said("Shall I ask somebody?"))
    await expect(page.get_by_role("log").get_by_text("Shall I ask somebody?")).to_be_visible()
    await expect(page.get_by_label("Your message")).to_be_focused()
    await expect(page.get_by_label("Your message")).to_have_value("and")
    await press("Control+A")
    await press("Delete")

    seen: list[str] = []
    for _ in range(6):
        await press("Shift+Tab")
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.evaluate(outline) != "none", await page.evaluate("document.activeElement.outerHTML")
        seen.append(await page.evaluate("document.activeElement.textContent.trim()"))
        if seen[-1] == "More about this: Rent Rescue drop-in":
            break
    assert seen == ["Talk to a person", "Save to my list Rent Rescue drop-in", "More about this: Rent Rescue drop-in"]
    await keep_a_service_by_keyboard(page)
    await page.get_by_role("button", name="More about this").focus()
    await press("Enter")
    await expect(page.locator("li.you[data-seq='4'] .bubble")).to_have_text("Rent Rescue drop-in")
    await expect(page.get_by_label("Your message")).to_be_focused()

    await house.context.route("https://www.bbc.co.uk/**", lambda route: route.fulfill(body="weather"))
    await press("Shift")
    await press("Shift")
    await expect(page.get_by_text("Press Shift once more to leave.")).to_be_visible()
    await press("A")
    await expect(page.get_by_text("Press Shift once more to leave.")).to_have_count(0)
    for _ in range(3):
        await press("Shift")
    await page.wait_for_url("https://www.bbc.co.uk/weather")
    await house.context.close()


async def keep_a_service_by_keyboard(page: Page) -> None:
    """From "More about this": save it, go to the list, take it off, put it back, and return to the chat."""
    press = page.keyboard.press

    async def go_on_to(name: str) -> None:
        for _ in range(30):
            await press("Tab")
            if (await page.evaluate("document.activeElement.textContent.trim()")).startswith(name):
                return
        raise AssertionError(f"the Tab key never reached {name}")

    await press("Tab")
    await press("Enter")
    await expect(page.get_by_role("button", name="Undo saving Rent Rescue drop-in")).to_be_focused()
    await go_on_to("My list (1)")
    await press("Enter")
    await page.wait_for_url("**/chat/list")
    await go_on_to("Take off my list")
    await press("Enter")
    await expect(page.get_by_text("is off your list")).to_be_visible()
    await go_on_to("Undo")
    await press("Enter")
    await expect(page.get_by_text("is off your list")).to_have_count(0)
    await go_on_to("Take off my list")
    await go_on_to("Back to the chat")
    await press("Enter")
    await page.wait_for_url("**/chat")
    await expect(page.get_by_role("button", name="Undo saving Rent Rescue drop-in")).to_be_visible()
