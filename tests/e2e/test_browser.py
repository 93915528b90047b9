"""The web chat and the desk in a real headless Chromium, at phone width, with JavaScript and live updates."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import Product

pytestmark = [pytest.mark.stack, pytest.mark.browser]


async def open_page(chromium: Browser, url: str, outside: list[str], width: int = 390) -> Page:
    """A page of a new visitor that notes every request to anywhere but us, and every error of a script."""
    context = await chromium.new_context(viewport={"width": width, "height": 844}, locale="en-GB")
    page = await context.new_page()
    home = url.split("/", 3)[2]
    page.on("request", lambda request: outside.append(request.url) if home not in request.url else None)
    page.on("pageerror", lambda error: outside.append(f"script error: {error}"))
    await page.goto(url)
    return page


async def test_web_chat_and_desk_side_by_side(product: Product, chromium: Browser) -> None:
    outside: list[str] = []
    chat = await open_page(chromium, f"{product.url}/chat", outside)
    await chat.get_by_label("Your message").fill("cant pay my rent this month and im so down")
    await chat.get_by_role("button", name="Send").click()
    log = chat.get_by_role("log")
    await expect(log.get_by_text("cant pay my rent")).to_be_visible()
    await expect(log.get_by_role("link", name="Ring").first).to_be_visible()

    await chat.reload()
    await expect(log.get_by_role("link", name="Ring").first).to_be_visible()

    await chat.get_by_label("Your message").fill("can i talk to someone")
    await chat.get_by_role("button", name="Send").click()
    await expect(log.get_by_text("next").last).to_be_visible()

    desk = await open_page(chromium, f"{product.url}/desk", outside, width=1200)
    await expect(desk.get_by_role("button", name="Take").first).to_be_visible()
    await desk.get_by_role("button", name="Take").first.click()
    await expect(desk.get_by_text("cant pay my rent this month and im so down").first).to_be_visible()
    await desk.get_by_label("Write to them").fill("Hello, shall we look at this together?")
    await desk.get_by_role("button", name="Send").click()
    await expect(log.get_by_text("Hello, shall we look at this together?")).to_be_visible()
    await expect(chat.get_by_text("Sam").first).to_be_visible()

    await chat.get_by_label("Your message").fill("yes please, tonight?")
    await chat.get_by_role("button", name="Send").click()
    await expect(desk.get_by_text("yes please, tonight?", exact=True)).to_be_visible()

    await desk.get_by_role("button", name="Hand back").click()
    await expect(log.get_by_text("automatic helper")).to_be_visible()
    assert outside == []


async def test_nothing_scrolls_sideways_on_a_phone(product: Product, chromium: Browser) -> None:
    outside: list[str] = []
    for path in ("/", "/chat", "/desk", "/simulator", "/simulator/phone/1"):
        page = await open_page(chromium, f"{product.url}{path}", outside, width=360)
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, path
    assert outside == []
