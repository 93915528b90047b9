"""The chat when the line is bad: what is said, what is caught up with, and where the keyboard stands meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, Route, expect

from channels.conversation import Choice
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from tests.chat_builders import PERSON, said
from tests.chat_visits import chat_app, says, visit
from tests.integration.serving import free_port, serving

pytestmark = pytest.mark.browser
LOST = "Connection lost."


@pytest.fixture
async def address(ledger: Ledger, streams: Streams, settings: Settings) -> AsyncIterator[str]:
    async with serving(chat_app(ledger, streams, settings), free_port()) as served:
        yield served


async def numbers(page: Page) -> list[int]:
    found = await page.locator("li[data-seq]").evaluate_all("items => items.map(item => item.dataset.seq)")
    return [int(one) for one in found]


async def test_a_lost_connection_says_so_and_catches_up_with_messages_and_with_who_is_there(
    chromium: Browser, ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    port = free_port()
    async with serving(chat_app(ledger, streams, settings), port) as address:
        here = await visit(chromium, address, ledger, streams)
        await here.begins("are you there")
        await expect(here.page.locator(".offline")).to_be_empty()
    await expect(here.page.get_by_role("status").get_by_text(LOST)).to_be_visible()
    await here.hears(said("Said while you were away."))
    await here.waits_for_a_person()
    async with serving(chat_app(ledger, streams, settings), port):
        await expect(here.page.get_by_text("Said while you were away.")).to_be_visible()
        standing = here.page.get_by_role("status").filter(has_text="Waiting for a person: you are next.")
        await expect(standing).to_be_visible()
        await expect(here.page.locator(".offline")).to_be_empty()
        assert await numbers(here.page) == [1, 2]
    await here.context.close()


async def test_without_a_network_the_page_says_so_at_once_and_catches_up_when_it_is_back(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.begins("hello")
    await here.page.clock.install()
    await here.page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    await here.context.set_offline(True)
    await expect(here.page.get_by_text(LOST)).to_be_visible()
    await here.page.clock.resume()
    await here.says("written in a tunnel")
    await expect(here.page.locator("li.failed .fate")).to_contain_text("Not sent.")
    await here.context.set_offline(False)
    await expect(here.page.locator(".offline")).to_be_empty()
    await here.page.get_by_role("button", name="Try again").click()
    await expect(here.page.locator("li.you[data-seq='2'] .bubble")).to_have_text("written in a tunnel")
    await expect(here.page.get_by_label("Your message")).to_be_focused()


async def test_an_event_stream_that_is_refused_is_no_lost_connection(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    """Some networks let no streams through: then the page asks by itself."""
    here = await visit(chromium, address, ledger, streams)
    await here.page.route("**/chat/events*", lambda route: route.abort())
    await here.begins("hello")
    await here.hears(said("It gets here all the same."))
    await expect(here.page.get_by_text("It gets here all the same.")).to_be_visible()
    await expect(here.page.locator(".offline")).to_be_empty()


async def test_more_messages_than_one_answer_holds_leave_no_gap(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.begins("the very first")
    await here.context.set_offline(True)
    await here.hears(*(said(f"number {number}") for number in range(2, 231)))
    await here.context.set_offline(False)
    await expect(here.page.locator("li[data-seq='230']")).to_be_visible()
    shown = await numbers(here.page)
    assert shown == list(range(shown[0], 231))
    await here.page.get_by_role("link", name="Earlier messages").click()
    await expect(here.page.get_by_text("the very first")).to_be_visible()
    assert (await numbers(here.page))[-1] == shown[0] - 1, "what is older is read as it is, and does not jump away"
    await here.page.get_by_role("link", name="Back to the newest messages").click()
    await expect(here.page.locator("li[data-seq='230']")).to_be_visible()


async def test_what_was_stored_is_shown_once_though_the_look_after_it_failed(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.begins("hello")
    await here.page.route("**/chat/log*", lambda route: route.abort())
    await here.says("only once")
    await expect(here.page.locator("li.pending").filter(has_text="only once").locator(".fate")).to_have_text("Sent")
    await here.page.unroute("**/chat/log*")
    await here.hears(said("I am back."))
    await expect(here.page.get_by_text("I am back.")).to_be_visible()
    await expect(here.page.get_by_text("only once")).to_have_count(1)
    await expect(here.page.locator("li[data-seq='2'] .bubble")).to_have_text("only once")


async def test_a_message_that_gets_no_answer_is_not_called_sending_for_ever(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.begins("hello")
    await here.page.clock.install()
    held: list[Route] = []
    await here.page.route("**/chat/messages", lambda route: held.append(route))
    await here.says("into the void")
    written = here.page.locator("li.pending").filter(has_text="into the void")
    await expect(written.locator(".fate")).to_have_text("Sending")
    await here.page.clock.fast_forward(21_000)
    await expect(here.page.locator("li.failed .fate")).to_contain_text("Not sent.")
    assert len(held) == 1


async def test_an_erased_conversation_is_no_lost_connection(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.begins("please forget this")
    conversation_id = await here.conversation_id()
    await ledger.forget((await ledger.conversation(conversation_id)).person_id)
    await streams.changed(conversation_id)
    await expect(here.page.get_by_text("has been erased")).to_be_visible()
    assert await numbers(here.page) == []
    await here.says("a fresh start")
    await expect(here.page.locator("li.you[data-seq='1'] .bubble")).to_have_text("a fresh start")
    await expect(here.page.locator(".offline")).to_be_empty()
    assert here.complaints == []


async def test_somebody_on_a_button_that_goes_stays_where_they_were(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.begins("hello")
    await here.hears(says("Shall I ask somebody?", PERSON))
    await here.page.get_by_role("button", name="Talk to a person").focus()
    await here.hears(says("Or shall we go on?", Choice(title="Go on", payload="more")))
    await expect(here.page.get_by_role("button", name="Go on")).to_be_visible()
    assert await here.page.evaluate("document.activeElement.dataset.seq") == "2"


async def test_two_presses_of_send_without_a_script_are_one_message(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams, java_script_enabled=False)
    await here.page.fill("textarea", "only once")
    await here.page.get_by_role("button", name="Send").dblclick(no_wait_after=True)
    await expect(here.page.locator("li.you .bubble")).to_have_text(["only once"])
    assert len(await ledger.messages(await here.conversation_id())) == 1
