"""Every page of the chat at 400 % and at phone width, with big enough things to press, and from right to left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page, expect

from channels.conversation import Choice, Reply, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.settings import Settings
from channels.streams import Streams
from tests.chat_builders import PERSON, RENT, said
from tests.chat_visits import Visit, chat_app, visit
from tests.integration.serving import free_port, serving

pytestmark = pytest.mark.browser
PAGES: Final = ("/chat", "/chat/list", "/chat/return", "/chat/safety")
LONG: Final = "https://a-very-long-address.example/" + "x" * 200
DETAILS: Final = Choice(title="Rent Rescue drop-in", payload="details:svc-rent-help")
CARDS: Final = Draft(
    sender=Sender.ASSISTANT,
    text=LONG,
    reply=Reply(text=LONG, cards=(replace(RENT, name="Wort" * 30), RENT), choices=(DETAILS, PERSON)),
    choices=(DETAILS, PERSON),
)
MAGNIFIED: Final = {"width": 320, "height": 256}
"""A window of 1280 by 1024, enlarged to 400 %."""
SMALL_TARGETS: Final = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), textarea')]
    .filter(one => one.checkVisibility() && !one.matches('.skip'))
    .filter(one => !(one.matches('a:not(.button)') && one.parentElement.innerText.trim() !== one.innerText.trim()))
    .map(one => [one.outerHTML.slice(0, 100), one.getBoundingClientRect()])
    .filter(([, box]) => box.width < 24 || box.height < 24)
    .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
"""Links inside a sentence are exempt (WCAG 2.2, 2.5.8)."""


@pytest.fixture
async def address(ledger: Ledger, streams: Streams, settings: Settings) -> AsyncIterator[str]:
    async with serving(chat_app(ledger, streams, settings, texts=NoTexts(), mail=NoTexts()), free_port()) as served:
        yield served


class NoTexts:
    async def send(self, *_words: str) -> str:
        return ""


async def full_chat(chromium: Browser, address: str, ledger: Ledger, streams: Streams, **options: Any) -> Visit:
    """A chat with everything in it, and one service in the list."""
    here = await visit(chromium, address, ledger, streams, **options)
    await here.begins("cant pay my rent " + "a" * 300)
    await here.hears(CARDS)
    await here.page.get_by_role("button", name="Save to my list Rent Rescue drop-in").click()
    await expect(here.page.get_by_role("link", name="My list (1)")).to_be_visible()
    return here


async def wider_than_the_window(page: Page) -> int:
    found = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return int(found)


@pytest.mark.parametrize("viewport", [pytest.param(MAGNIFIED, id="400 %"), {"width": 390, "height": 844}])
async def test_nothing_scrolls_sideways_and_everything_is_big_enough_to_press(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams, viewport: dict[str, int]
) -> None:
    here = await full_chat(chromium, address, ledger, streams, viewport=viewport)
    for path in PAGES:
        await here.page.goto(address + path)
        assert await wider_than_the_window(here.page) <= 0, path
        assert await here.page.evaluate(SMALL_TARGETS) == [], path


async def test_at_400_percent_the_words_have_the_window_and_the_way_out_stays(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await full_chat(chromium, address, ledger, streams, viewport=MAGNIFIED)
    page = here.page
    await page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight / 2)")
    covered = await page.evaluate(
        "[...document.querySelectorAll('.talk-head, .compose')]"
        ".map(one => one.getBoundingClientRect())"
        ".reduce((sum, box) => sum + Math.max(0, Math.min(box.bottom, innerHeight) - Math.max(box.top, 0)), 0)"
    )
    assert covered == 0
    await expect(page.get_by_role("button", name="Leave this page")).to_be_in_viewport()


async def test_with_reduced_motion_nothing_moves(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams, reduced_motion="reduce")
    await here.begins("hello")
    await expect(here.page.get_by_text("One moment")).to_be_visible()
    assert await here.page.evaluate("document.getAnimations().length") == 0


async def test_with_forced_colours_whose_words_are_whose_can_be_told(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await full_chat(chromium, address, ledger, streams, forced_colors="active")
    borders = "items => items.map(item => getComputedStyle(item).borderTopStyle)"
    for drawn in (".bubble", ".card", "button:not(.plain)"):
        assert set(await here.page.locator(drawn).evaluate_all(borders)) == {"solid"}


async def test_arabic_words_stand_to_the_right_and_english_ones_to_the_left(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await visit(chromium, address, ledger, streams)
    await here.begins("لا أستطيع دفع الإيجار 01632 960112")
    await here.hears(said("شكرا لك. رقم الهاتف 01632 960112."), said("In English."))
    await expect(here.page.get_by_text("In English.")).to_be_visible()
    directions = await here.page.locator(".bubble").evaluate_all(
        "items => items.map(item => getComputedStyle(item).direction)"
    )
    assert directions == ["rtl", "rtl", "ltr"]
    await here.page.fill("textarea", "مرحبا")
    assert await here.page.locator("textarea").evaluate("box => getComputedStyle(box).direction") == "rtl"


async def test_a_page_from_right_to_left_is_the_same_page_in_a_mirror(
    chromium: Browser, address: str, ledger: Ledger, streams: Streams
) -> None:
    here = await full_chat(chromium, address, ledger, streams)
    page = here.page
    await page.evaluate("document.documentElement.dir = 'rtl'")
    assert await wider_than_the_window(page) <= 0
    mine, theirs = page.locator("li.you").first, page.locator("li.assistant").first
    left = "item => item.getBoundingClientRect().left"
    right = "item => innerWidth - item.getBoundingClientRect().right"
    assert await mine.evaluate(left) < await mine.evaluate(right)
    assert await theirs.evaluate(right) <= await theirs.evaluate(left)
    send, box = page.get_by_role("button", name="Send"), page.locator("textarea")
    assert await send.evaluate(left) < await box.evaluate(left)
    edges = "item => [getComputedStyle(item).borderRightWidth, getComputedStyle(item).borderLeftWidth]"
    assert await page.locator(".card").first.evaluate(edges) == ["5px", "1px"]
