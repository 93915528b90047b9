"""Alerts in a real browser: sound, title and a notice that says nothing of anybody, until somebody has seen it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page, expect

from tests import patience
from tests.desk_builders import Office, person_asks, staff_named
from tests.integration.test_desk_browser import base, until
from tests.ledger_builders import text_from

__all__ = ["base"]
pytest_plugins = ["tests.desk_fixtures"]
pytestmark = pytest.mark.browser
LISTENING = """
window.tones = 0; window.notices = []; window.away = false;
Object.defineProperty(document, "hidden", { get: function () { return window.away; } });
window.AudioContext = function () {
  var quiet = { setValueAtTime: function () {}, exponentialRampToValueAtTime: function () {} };
  var part = { frequency: {}, gain: quiet, connect: function (next) { return next; },
    start: function () { window.tones += 1; }, stop: function () {} };
  this.currentTime = 0; this.destination = {};
  this.createOscillator = this.createGain = function () { return part; };
};
var Real = window.Notification;
window.Notification = function (title, options) {
  window.notices.push([title, JSON.stringify(options)]);
  return new Real(title, options);
};
Object.defineProperty(window.Notification, "permission", { get: function () { return Real.permission; } });
window.Notification.requestPermission = function () { return Real.requestPermission(); };
"""
"""What would be heard and shown is counted; the permission is the browser's own."""
HALF_A_MINUTE = 30_500
SEEN = "I have seen it"


@pytest.fixture
async def context(chromium: Chromium, base: str) -> AsyncIterator[BrowserContext]:
    opened = await chromium.new_context(base_url=base, permissions=["notifications"])
    await opened.add_init_script(LISTENING)
    yield opened
    await opened.close()


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await at_the_list(context)


async def at_the_list(context: BrowserContext) -> Page:
    page = await context.new_page()
    page.set_default_timeout(patience.MILLISECONDS)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    await page.clock.install()
    await page.goto("/desk")
    return page


async def switch_on(page: Page) -> None:
    await page.click("#shift-more > summary")
    await page.click("[data-alerts]")
    await until(page, "window.tones > 0")
    await page.evaluate("window.tones = 0")


async def later(page: Page, milliseconds: int = HALF_A_MINUTE) -> None:
    await page.clock.run_for(milliseconds)


async def test_without_leave_it_shows_and_makes_no_sound(office: Office, page: Page) -> None:
    bar = page.get_by_text("Somebody waits for you to look.")
    await expect(bar).to_be_hidden()
    await person_asks(office)
    await until(page, "document.title.includes('(1) Desk')")
    await later(page, 2000)
    await expect(bar).to_be_visible()
    await later(page)
    assert await page.evaluate("[window.tones, window.notices.length]") == [0, 0]


async def test_sound_and_title_come_again_until_it_was_seen(office: Office, page: Page) -> None:
    await switch_on(page)
    await person_asks(office)
    await until(page, "document.title.includes('(1) Desk')")
    await later(page, 2000)
    heard = await page.evaluate("window.tones")
    assert heard == 2, "two tones are one alert"
    await later(page)
    assert await page.evaluate("window.tones") == 4
    titles = set()
    for _ in range(4):
        titles.add(await page.title())
        await later(page, 1500)
    assert titles == {"(1) Desk", "* (1) Desk"}

    await page.get_by_role("button", name=SEEN).click()
    await expect(page.get_by_role("button", name=SEEN)).to_be_hidden()
    before = await page.evaluate("window.tones")
    await later(page, 3 * HALF_A_MINUTE)
    assert await page.evaluate("window.tones") == before
    assert await page.title() == "(1) Desk", "whoever waits still counts"


async def test_a_notice_says_nothing_of_anybody_and_only_comes_when_the_page_is_not_in_front(
    office: Office, page: Page
) -> None:
    await switch_on(page)
    assert await page.evaluate("Notification.permission") == "granted"
    person = await person_asks(office, texts=("my secret is the rent",), language="pl")
    await until(page, "document.title.includes('(1) Desk')")
    await later(page, 2000)
    assert await page.evaluate("window.notices") == []
    await page.evaluate("window.away = true")
    await later(page)
    notices = await page.evaluate("window.notices")
    assert notices == [["Something new on the page you left open", '{"tag":"desk","renotify":true}']]
    for telling in ("rent", "secret", "wait", "text", "Polish", person.conversation_id):
        assert telling not in str(notices)


async def test_whoever_comes_back_to_wait_is_new_again(office: Office, page: Page) -> None:
    await switch_on(page)
    person = await person_asks(office)
    await until(page, "document.title.includes('(1) Desk')")
    await later(page, 2000)
    await page.get_by_role("button", name=SEEN).click()
    ana = await office.hire("Ana")
    await office.escalations.claim(person.escalation_id, ana)
    await until(page, "document.title === 'Desk'")
    await later(page, 2000)
    await page.evaluate("window.tones = 0")
    await office.escalations.pass_on(person.escalation_id, ana)
    await until(page, "document.title.includes('(1) Desk')")
    await later(page, 2000)
    assert await page.evaluate("window.tones") == 2


async def test_whoever_is_given_or_writes_alerts_until_their_words_were_on_a_page(office: Office, page: Page) -> None:
    person, sam = await person_asks(office), await staff_named(office, "Sam")
    await office.escalations.claim(person.escalation_id, sam)
    await until(page, "document.querySelector('.row.mine') !== null")
    await later(page, 2000)
    await expect(page.get_by_role("button", name=SEEN)).to_be_visible()
    await page.click(f"#open-{person.conversation_id}")
    await page.wait_for_selector(".log > li")
    await page.goto("/desk")
    await later(page, 2000)
    await expect(page.get_by_role("button", name=SEEN)).to_be_hidden()
    await office.ledger.store_inbound(text_from("+441632960001", "next", "are you there"))
    await page.reload()
    await later(page, 2000)
    await expect(page.get_by_role("button", name=SEEN)).to_be_visible()


async def test_taking_somebody_is_seeing_them(office: Office, page: Page) -> None:
    person = await person_asks(office)
    await until(page, "document.title.includes('(1) Desk')")
    await later(page, 2000)
    await page.click(f"#read-{person.conversation_id}")
    await page.go_back()
    await later(page, 2000)
    await expect(page.get_by_role("button", name=SEEN)).to_be_hidden()


async def test_what_one_page_has_seen_every_page_of_the_browser_has(
    office: Office, page: Page, context: BrowserContext
) -> None:
    other = await at_the_list(context)
    await person_asks(office)
    for one in (page, other):
        await until(one, "document.title.includes('(1) Desk')")
        await later(one, 2000)
        await expect(one.get_by_role("button", name=SEEN)).to_be_visible()
    await page.get_by_role("button", name=SEEN).click()
    await expect(other.get_by_role("button", name=SEEN)).to_be_hidden()


async def test_the_choice_is_kept_and_can_be_taken_back(page: Page) -> None:
    await switch_on(page)
    await page.reload()
    await page.click("#shift-more > summary")
    button = page.locator("[data-alerts]")
    await expect(button).to_have_attribute("aria-pressed", "true")
    await expect(button).to_have_text("Sound is on: switch it off")
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "false")
    await page.reload()
    await expect(page.locator("[data-alerts]")).to_have_text("Alert me with sound")
