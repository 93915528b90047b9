"""My list in a real browser: saved without leaving the page, by keyboard, on paper, and as a text on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from pydantic import SecretStr

from channels.app import create_app
from channels.conversation import Reply, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.settings import Settings
from channels.streams import Streams
from tests.chat_builders import RENT, said
from tests.chat_visits import Visit, visit
from tests.integration.serving import serving
from tests.ledger_builders import TEST_PREFIX
from tests.phone_builders import with_phones

pytestmark = pytest.mark.browser
DEBT = replace(RENT, service_id="svc-debt", name="Debt Line", phone="0808 157 0011", usual_hours="every day 9am to 5pm")
BOTH = Draft(sender=Sender.ASSISTANT, text="These:", reply=Reply(text="These:", cards=(RENT, DEBT)))


@pytest.fixture
async def address(ledger: Ledger, settings: Settings, valkey_url: str) -> AsyncIterator[str]:
    """The whole web process, with the simulated phones."""
    redis = {"redis_url": SecretStr(valkey_url), "redis_prefix": TEST_PREFIX}
    here = with_phones(settings).model_copy(update=redis)
    async with serving(create_app(here), here.port) as served:
        yield served


async def offered(chromium: Browser, address: str, ledger: Ledger, streams: Streams, **options: Any) -> Visit:
    here = await visit(chromium, address, ledger, streams, **options)
    await here.begins("cant pay my rent")
    await here.hears(BOTH)
    if options.get("java_script_enabled", True):
        await expect(here.page.get_by_role("heading", name="Debt Line")).to_be_visible()
    return here


async def test_saving_and_undoing_stay_on_the_page_and_keep_the_keyboard_there(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await offered(chromium, address, ledger, streams)
    page = here.page
    await page.fill("textarea", "half a sentence")
    await page.get_by_role("button", name="Save to my list Debt Line").focus()
    await page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo saving Debt Line")
    await expect(undo).to_be_focused()
    await expect(page.get_by_role("status").get_by_text("Saved to my list.")).to_be_attached()
    await expect(page.get_by_role("link", name="My list (1)")).to_be_visible()
    await expect(page.locator("textarea")).to_have_value("half a sentence")
    await here.hears(said("And more."))
    await expect(page.get_by_text("And more.")).to_be_visible()
    await expect(undo).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Save to my list Debt Line")).to_be_focused()
    await expect(page.get_by_role("link", name="My list", exact=True)).to_be_visible()
    assert here.complaints == []


async def test_a_save_that_does_not_arrive_is_tried_as_a_plain_page(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await offered(chromium, address, ledger, streams)
    lost = False

    async def lose_the_first(route: object) -> None:
        nonlocal lost
        first, lost = not lost, True
        await (route.abort() if first else route.continue_())  # type: ignore[attr-defined]

    await here.page.route("**/chat/list/save", lose_the_first)
    await here.page.get_by_role("button", name="Save to my list Debt Line").click()
    await expect(here.page.get_by_role("link", name="My list (1)")).to_be_visible()


async def test_on_paper_there_are_services_and_nothing_of_the_page_around_them(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await offered(chromium, address, ledger, streams, color_scheme="dark")
    page = here.page
    await page.get_by_role("button", name="Save to my list Debt Line").click()
    await page.get_by_role("link", name="My list (1)").click()
    await page.evaluate("window.print = () => { window.printed = true; }")
    await page.get_by_role("button", name="Print my list").click()
    assert await page.evaluate("window.printed")
    await page.emulate_media(media="print")
    assert await page.locator("dd").first.evaluate("item => getComputedStyle(item).color") == "rgb(0, 0, 0)"
    for words in ("Debt Line", "0808 157 0011", "every day 9am to 5pm", "116 123"):
        await expect(page.get_by_role("main").get_by_text(words).first).to_be_visible()
    for words in ("Leave this page", "Take off my list", "Print my list", "Text it", "Back to the chat"):
        await expect(page.get_by_text(words).first).to_be_hidden()


@pytest.mark.parametrize("script", [pytest.param(True, id="with a script"), pytest.param(False, id="without")])
async def test_a_copy_arrives_on_a_phone(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams, script: bool
) -> None:
    here = await offered(chromium, address, ledger, streams, java_script_enabled=script)
    page = here.page
    if not script:
        await page.click("text=Look for new messages")
    for name in ("Rent Rescue drop-in", "Debt Line"):
        await page.get_by_role("button", name=f"Save to my list {name}").click()
        await expect(page.get_by_role("button", name=f"Undo saving {name}")).to_be_visible()
    await page.get_by_role("link", name="My list (2)").click()
    await page.get_by_label("Mobile number").fill("0800 1111")
    await page.get_by_role("button", name="Text it").click()
    await expect(page.get_by_role("alert")).to_contain_text("Mobile number: write a UK or Irish mobile number")
    await expect(page.get_by_label("Mobile number")).to_have_value("0800 1111")
    await page.get_by_label("Mobile number").fill("07700 900001")
    await page.get_by_role("button", name="Text it").click()
    await expect(page.get_by_role("status").get_by_text("on its way")).to_be_visible()
    await page.goto(f"{address}/simulator/phone/1")
    await expect(page.get_by_text("Rent Rescue drop-in 01632 960112")).to_be_visible()
    await expect(page.get_by_text("Debt Line 0808 157 0011")).to_be_visible()
