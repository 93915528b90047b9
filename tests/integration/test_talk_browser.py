"""Two peer workers and a person on a phone, in a real browser: a warm transfer; and a whole talk by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from pydantic import SecretStr

from channels.app import create_app
from channels.conversation import Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.settings import Settings
from channels.streams import Streams
from tests import patience
from tests.chromium import violations
from tests.integration.serving import free_port, serving
from tests.integration.test_accessibility import House
from tests.ledger_builders import TEST_PREFIX
from tests.phone_builders import with_phones

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
FILLED = re.compile(r"I want to make sure you are OK\..* ring 999\.", re.DOTALL)


@pytest.fixture
async def house(
    ledger: Ledger, streams: Streams, settings: Settings, valkey_url: str, chromium: Browser
) -> AsyncIterator[House]:
    """The whole web process with Sam, Ana and Robin; the context is that of a person with a phone."""
    for name, role in (("Sam", "peer"), ("Ana", "peer"), ("Robin", "coordinator")):
        await ledger.add_peer(name=name, login=name.lower(), role=role, password_hash="x")
    port = free_port()
    redis = {"redis_url": SecretStr(valkey_url), "redis_prefix": TEST_PREFIX}
    app = create_app(with_phones(settings).model_copy(update={"port": port, **redis}))
    async with serving(app, port) as served:
        phone = await chromium.new_context(viewport=PHONE, has_touch=True, locale="en-GB")
        yield House(served, ledger, streams, phone)


async def sit_down(house: House, chromium: Browser, login: str, size: dict[str, int]) -> Page:
    """Somebody at the desk, in a browser of their own; what the browser complains about fails the test."""
    context = await chromium.new_context(viewport=size, locale="en-GB")  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(patience.MILLISECONDS)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    await page.goto(f"{house.address}/desk?as={login}")
    return page


async def somebody_asks(house: House) -> Page:
    """A person on a phone, waiting for a peer worker."""
    chat = await house.open("/chat")
    await chat.get_by_label("Your message").fill("I lost my job and cant pay the rent")
    await chat.get_by_role("button", name="Send").click()
    await chat.wait_for_selector("li[data-seq='1']")
    await house.answer(Draft(sender=Sender.NOTICE, text="You are next."), ask=True)
    await house.streams.changed("queue")
    await expect(chat.get_by_text("Waiting for a person: you are next.")).to_be_visible()
    return chat


async def open_tool(page: Page, tool: str) -> None:
    await page.locator(f"#{tool} > summary").click()


async def write(page: Page, words: str) -> None:
    await page.get_by_label("Write to them").fill(words)
    await page.locator("[data-send]").click()
    await expect(page.get_by_label("Write to them")).to_have_value("")


async def answer(chat: Page, words: str) -> None:
    await chat.get_by_label("Your message").fill(words)
    await chat.get_by_role("button", name="Send").click()


async def sideways(page: Page) -> int:
    wider: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


async def typing_shows(box: Locator, sign: Locator) -> None:
    """A sign of writing is told once and lost when nobody listens yet: whoever goes on writing is seen in the end."""
    for _ in range(10):
        await box.press_sequentially("so ", delay=20)
        with suppress(AssertionError):
            await expect(sign).to_be_visible(timeout=2000)
            return
    await expect(sign).to_be_visible()


async def test_a_warm_transfer_with_two_peers_and_a_person_on_a_phone(house: House, chromium: Browser) -> None:
    chat = await somebody_asks(house)
    sam = await sit_down(house, chromium, "sam", DESK)
    ana = await sit_down(house, chromium, "ana", PHONE)
    log = chat.get_by_role("log")
    await sam.get_by_role("button", name="Take number 1").click()
    await expect(sam.get_by_role("heading", name="You are with them")).to_be_visible()
    await expect(sam.locator(".short-words")).to_have_text("I lost my job and cant pay the rent.")

    await typing_shows(chat.get_by_label("Your message"), sam.get_by_text("They are writing."))
    await typing_shows(sam.get_by_label("Write to them"), chat.get_by_text("Somebody is writing to you."))
    await write(sam, "Hello, I am Sam.")
    await expect(log.get_by_text("Hello, I am Sam.")).to_be_visible()

    await open_tool(sam, "bring")
    await sam.get_by_label("Whom").select_option(label="Ana")
    await sam.get_by_role("button", name="Ask them to come").click()
    await expect(log.get_by_text("I'd like to bring in Ana.")).to_be_visible()

    await ana.get_by_role("link", name="Look and join").click()
    await expect(ana.get_by_role("button", name="Join them")).to_be_visible()
    assert await sideways(ana) <= 0
    assert await violations(ana, "asked to join, on a phone") == []
    await ana.get_by_role("button", name="Join them").click()
    await expect(ana.get_by_role("heading", name="You are both with them")).to_be_visible()
    await typing_shows(ana.get_by_label("Write to them"), sam.get_by_text("Ana is writing to them too."))
    await write(ana, "Hi, I am Ana. I know about rent.")
    await expect(log.get_by_text("Hi, I am Ana. I know about rent.")).to_be_visible()
    await expect(sam.get_by_text("Ana has written to them.")).to_be_visible()
    await expect(sam.get_by_role("button", name="Leave them with Ana")).to_have_count(0)
    await answer(chat, "ok thanks")
    await expect(chat.get_by_text("Sam has read it.")).to_be_visible()
    await expect(sam.get_by_text("They said that it is fine with Ana.")).to_be_visible()
    assert await violations(sam, "about to leave them") == []
    await ana.get_by_label("Write to them").press_sequentially("So, the", delay=20)
    await sam.get_by_role("button", name="Leave them with Ana").click()
    await expect(sam.get_by_text("They are with your colleague now")).to_be_visible()
    await expect(chat.get_by_text("You are talking to Ana, a peer worker.")).to_be_visible()
    await expect(ana.get_by_role("heading", name="You are with them")).to_be_visible()
    await expect(ana.get_by_label("Write to them")).to_have_value("So, the")
    await write(ana, "So, the rent.")
    await expect(log.get_by_text("So, the rent.")).to_be_visible()
    assert await sideways(ana) <= 0


async def test_axe_finds_nothing_beside_a_conversation(house: House, chromium: Browser) -> None:
    await somebody_asks(house)
    sam = await sit_down(house, chromium, "sam", PHONE)
    await sam.get_by_role("button", name="Take number 1").click()
    await sam.wait_for_selector("#reply")
    await sam.evaluate("document.querySelectorAll('details').forEach(function (part) { part.open = true; })")
    wrong = await violations(sam, "every tool open")
    assert await sideways(sam) <= 0
    await sam.get_by_label("Find", exact=True).fill("safe")
    await sam.get_by_label("Find", exact=True).press("Enter")
    await expect(sam.get_by_text("Are you safe now?")).to_be_visible()
    wrong += await violations(sam, "saved replies found")
    await sam.get_by_role("button", name="Use: Are you safe now?").click()
    await expect(sam.get_by_label("Write to them")).to_have_value(FILLED)
    await sam.keyboard.press("Control+k")
    wrong += await violations(sam, "palette")
    await sam.keyboard.press("Escape")
    for path in ("/desk/debrief", "/desk"):
        await sam.goto(f"{house.address}{path}")
        wrong += await violations(sam, path)
    assert wrong == []


async def test_a_talk_by_keyboard_alone(house: House, chromium: Browser) -> None:
    chat = await somebody_asks(house)
    sam = await sit_down(house, chromium, "sam", DESK)
    key = sam.keyboard
    await key.press("j")
    assert await sam.evaluate("document.activeElement.id.slice(0, 5)") == "take-"
    async with sam.expect_navigation():
        await key.press("Enter")
    await sam.wait_for_selector("#reply")
    await key.press("k")
    assert await sam.evaluate("document.activeElement.classList.contains('line')")
    await key.press("r")
    assert await sam.evaluate("document.activeElement.id") == "reply"
    await key.type("Hello jkrnce? I am Sam.")
    await key.press("Control+Enter")
    await expect(chat.get_by_role("log").get_by_text("Hello jkrnce? I am Sam.")).to_be_visible()

    await key.press("Tab")
    await key.press("n")
    assert await sam.evaluate("document.activeElement.id") == "note"
    await key.type("A kind person")
    await key.press("Tab")
    async with sam.expect_navigation():
        await key.press("Enter")
    await expect(sam.get_by_text("A kind person")).to_be_visible()

    await key.press("?")
    await expect(sam.get_by_role("dialog")).to_be_visible()
    await key.press("Escape")
    await expect(sam.get_by_role("dialog")).to_have_count(0)
    await key.press("e")
    assert await sam.evaluate("document.activeElement.id") == "whom"
    await key.press("Control+k")
    await key.type("finish")
    await expect(sam.get_by_role("dialog").get_by_role("option")).to_have_count(1)
    await key.press("Enter")
    assert await sam.evaluate("document.activeElement.closest('details').id") == "finish"
    await sam.focus("#finish [name=connected]")
    await key.press("Space")
    for _ in range(3):
        await key.press("Tab")
    async with sam.expect_navigation():
        await key.press("Enter")
    await expect(sam.get_by_text("They have been told that they can write again any time.")).to_be_visible()
    await expect(chat.get_by_text("You are talking to the assistant, a computer.")).to_be_visible()

    await sam.goto(f"{house.address}/desk/debrief")
    await sam.get_by_label("Single letters do something").uncheck()
    await sam.get_by_role("button", name="Keep").click()
    await expect(sam.get_by_text("Kept.")).to_be_visible()
    await sam.wait_for_load_state()
    await key.press("?")
    await expect(sam.get_by_role("dialog")).to_have_count(0)
    await key.press("Control+k")
    await expect(sam.get_by_role("dialog")).to_be_visible()
