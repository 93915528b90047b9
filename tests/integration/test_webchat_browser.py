"""The chat's scripts in a real browser: what only shows when they run, or when they do not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Route, expect

from channels.conversation import Choice
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.visitor import COOKIE
from tests.chat_builders import PERSON
from tests.chat_visits import chat_app, says, visit
from tests.integration.serving import free_port, serving

pytestmark = pytest.mark.browser


@pytest.fixture
async def address(ledger: Ledger, streams: Streams, settings: Settings) -> AsyncIterator[str]:
    async with serving(chat_app(ledger, streams, settings), free_port()) as served:
        yield served


async def test_answers_appear_by_themselves_and_buttons_send_their_payload(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.says("<b>cant</b> pay my rent")
    await expect(here.page.locator("li.you[data-seq='1'] .bubble")).to_have_text("<b>cant</b> pay my rent")
    await here.hears(says("Shall I ask somebody?", PERSON))
    await here.page.click("text=Talk to a person")
    await expect(here.page.locator("li.you[data-seq='3'] .bubble")).to_have_text("Talk to a person")
    assert (await ledger.messages(await here.conversation_id()))[-1].payload == "person"
    await here.hears(says("And now?", Choice(title="Something else", payload="new_topic")))
    await expect(here.page.locator("text=Something else")).to_be_visible()
    await expect(here.page.locator(".choices")).to_have_count(1)
    assert here.complaints == []
    assert await here.page.evaluate("localStorage.length + sessionStorage.length") == 0


async def test_what_was_not_sent_says_so_and_can_be_sent_again_once(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.says("one")
    await here.page.wait_for_selector("li[data-seq='1']")

    async def take_and_lose(route: Route) -> None:
        await route.fetch()  # It arrives, and the answer gets lost on the way back.
        await route.abort()

    await here.page.route("**/chat/messages", take_and_lose)
    await here.says("two")
    await expect(here.page.locator("li.failed .fate")).to_contain_text("Not sent")
    await here.page.unroute("**/chat/messages")
    await here.page.click("text=Try again")
    await expect(here.page.locator("li.failed, li.pending")).to_have_count(0)
    await expect(here.page.locator("li.you")).to_have_count(2)
    assert [message.text for message in await ledger.messages(await here.conversation_id())] == ["one", "two"]


@pytest.mark.parametrize("way", ["button", "shift three times"])
async def test_leaving_goes_away_at_once_and_back_shows_nothing(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams, way: str
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.context.route("https://www.bbc.co.uk/**", lambda route: route.fulfill(body="weather"))
    await here.says("nobody may see this")
    await here.page.wait_for_selector("li[data-seq='1']")
    if way == "button":
        await here.page.click("text=Leave this page")
    else:
        for _ in range(3):
            await here.page.keyboard.press("Shift")
    await here.page.wait_for_url("https://www.bbc.co.uk/weather")
    assert COOKIE not in {cookie["name"] for cookie in await here.context.cookies()}
    await here.page.goto(f"{address}/chat")
    assert "nobody may see this" not in await here.page.content()


async def test_without_javascript_every_step_is_a_plain_page(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams, java_script_enabled=False)
    await here.says("no script here")
    await expect(here.page.locator("li.you .bubble")).to_have_text("no script here")
    await here.hears(says("Shall I ask somebody?", PERSON))
    for _ in range(2):  # The second time nothing is new: the page must be fetched all the same.
        await here.page.click("text=Look for new messages")
    await here.page.click("text=Talk to a person")
    await expect(here.page.locator("li.you .bubble").last).to_have_text("Talk to a person")
    await here.context.route("https://www.bbc.co.uk/**", lambda route: route.fulfill(body="weather"))
    await here.page.click("text=Leave this page")
    await here.page.wait_for_url("https://www.bbc.co.uk/weather")
