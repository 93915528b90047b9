"""The desk's script in a real browser: true to what happens, and never in the way of somebody who is writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page

from channels.ledger.records import PeerRecord
from channels.settings import Settings
from channels.streams import Streams
from tests import patience
from tests.desk_builders import Clock, Office, Person, person_asks, serving, staff_named, texts
from tests.ledger_builders import text_from

pytest_plugins = ["tests.desk_fixtures"]

pytestmark = pytest.mark.browser


@pytest.fixture
async def base(office: Office) -> AsyncIterator[str]:
    await office.hire("Sam")
    async with serving(office) as address:
        yield address


@pytest.fixture
async def page(chromium: Chromium, base: str) -> AsyncIterator[Page]:
    """A page of the demo's Sam; whatever the browser complains about fails the test."""
    complaints: list[str] = []
    context = await chromium.new_context(base_url=base)
    opened = await context.new_page()
    opened.set_default_timeout(patience.MILLISECONDS)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if "Refused" in said.text else None)
    await opened.goto("/desk")
    yield opened
    await context.close()
    assert not complaints


async def until(page: Page, script: str) -> None:
    """Wait for what the page shows. Playwright's own way needs `eval`, which our policy forbids."""
    async with asyncio.timeout(patience.SECONDS):
        while not await page.evaluate(script):
            await asyncio.sleep(0.05)


async def taken(office: Office, page: Page) -> tuple[Person, PeerRecord]:
    """Somebody whom Sam is with, opened on the page."""
    person, sam = await person_asks(office), await staff_named(office, "Sam")
    await office.escalations.claim(person.escalation_id, sam)
    await page.goto(f"{person.page}#latest")
    return person, sam


async def test_the_list_follows_and_leaves_focus_where_it_is(office: Office, page: Page) -> None:
    first = await person_asks(office, 1)
    await until(page, "document.title === '(1) Desk'")
    take = f"take-{first.conversation_id}"
    await page.focus(f"#{take}")
    await person_asks(office, 2)
    await until(page, "document.title === '(2) Desk'")
    assert await page.evaluate("document.activeElement.id") == take
    assert await page.inner_text("[data-announce]") == "1 more person is waiting."


async def test_what_they_write_appears_beside_a_draft_that_stays(office: Office, page: Page, streams: Streams) -> None:
    person, _ = await taken(office, page)
    await page.fill("#reply", "I am here for")
    await office.ledger.store_inbound(text_from("+441632960001", "next", "are you there"))
    await streams.changed(person.conversation_id)
    await until(page, "document.querySelector('.log').innerText.includes('are you there')")
    assert await page.input_value("#reply") == "I am here for"
    assert await page.evaluate("document.activeElement.id") == "reply"
    assert await page.locator(".log > li").count() == 4
    await page.keyboard.type(" you.")
    await page.keyboard.press("Control+Enter")
    await until(page, "document.getElementById('reply').value === ''")
    await until(page, "document.querySelector('.log').innerText.includes('I am here for you.')")
    assert (await texts(office, person.conversation_id))[-1] == "I am here for you."
    assert await page.evaluate("document.activeElement.id") == "reply"


async def test_long_words_show_how_many_texts_they_take(office: Office, page: Page) -> None:
    await taken(office, page)
    for written, said in (
        ("a" * 160, ""),
        ("a" * 161, "About 2 text messages."),
        ("\u2019" * 160, ""),
        ("\u0416" * 71, "About 2 text messages."),
    ):
        await page.fill("#reply", written)
        assert await page.inner_text("[data-segments]") == said
    await page.fill("#reply", "")


async def test_a_lost_conversation_keeps_the_words_until_it_is_taken_again(
    office: Office, page: Page, streams: Streams, clock: Clock, settings: Settings
) -> None:
    person, _ = await taken(office, page)
    await page.fill("#reply", "I was about to say")
    clock.ahead += timedelta(seconds=settings.lease_seconds + 1)
    await streams.drop_lease(person.escalation_id)
    assert (await office.escalations.sweep()).returned == 1
    await page.wait_for_selector("[data-moved=open]:not([hidden])")
    assert await page.input_value("#reply") == "I was about to say"
    async with page.expect_navigation():
        await page.click("#take")
    await until(page, f"location.pathname === '{person.page}'")
    assert await page.input_value("#reply") == "I was about to say"
    await page.click(".answer button.main")
    await until(page, "document.getElementById('reply').value === ''")
    assert (await texts(office, person.conversation_id))[-1] == "I was about to say"
    async with page.expect_navigation():
        await page.click("text=Hand back to the assistant")
    assert "They are back with the assistant" in await page.inner_text(".said")


async def test_what_is_not_theirs_to_read_any_more_leaves_the_page_and_their_own_words_stay(
    office: Office, page: Page
) -> None:
    person, sam = await taken(office, page)
    ana = await office.hire("Ana")
    await page.fill("#reply", "I was about to say")
    await office.escalations.pass_on(person.escalation_id, sam)
    await office.escalations.claim(person.escalation_id, ana)
    await until(page, "!document.querySelector('[data-moved=gone]').hidden")
    assert "cant pay my rent" not in await page.inner_text("main")
    assert await page.locator(".log > li").count() == 0
    assert await page.input_value("#reply") == "I was about to say"
    assert await page.inner_text("h1") == "Not on your desk any more"
    assert await page.locator(".acts button:visible, .tools summary:visible").count() == 0


async def test_nothing_a_person_writes_runs_or_loads(office: Office, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    attack = "<script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)><svg onload=alert(3)>"
    person = await person_asks(office, texts=[attack])
    await page.goto(person.page)
    await page.wait_for_selector(".log > li")
    assert attack in await page.inner_text(".log")
    assert not [url for url in asked if not url.startswith(page.url.split("/desk")[0])]


async def test_without_scripts_it_is_all_there(office: Office, chromium: Chromium, base: str) -> None:
    person = await person_asks(office)
    context = await chromium.new_context(base_url=base, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/desk")
    async with page.expect_navigation():
        await page.click(f"#take-{person.conversation_id}")
    assert any(frame.url.endswith("/keep") for frame in page.frames), "which keeps the conversation theirs"
    await page.fill("#reply", "Hello from a page without scripts.")
    async with page.expect_navigation():
        await page.click(".answer button.main")
    assert "Hello from a page without scripts." in await page.inner_text(".log")
    await context.close()
