"""A mistake in a listing is put right by two editors, and the next text message is right: the whole product."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import Product
from tests.e2e.people import SimulatedPhone
from tests.e2e.test_browser import PATIENCE, browser, open_page

__all__ = ["browser"]
pytestmark = [pytest.mark.stack, pytest.mark.browser]
LISTING = "svc-advice-shop"
FIXED = "01632 960299"


def bring_in(_product: Product) -> Path | None:
    """Where a small catalogue is imported before the journey; until there is an import, the demo's listing is used."""
    return None


async def be(page: Page, editor: str, login: str) -> None:
    await page.goto(f"{editor}/?as={login}")


async def test_a_listing_is_fixed_and_a_phone_gets_the_right_number(product: Product, browser: Browser) -> None:
    bring_in(product)
    editor = f"http://127.0.0.1:{product.port + 1}"
    phone = SimulatedPhone(product.url, 6)
    phone.write("tell me about Bell Street Advice Shop")
    got = phone.wait_for("Bell Street Advice Shop")
    assert FIXED not in got

    outside: list[str] = []
    page = await open_page(browser, f"{editor}/?as=ana", outside, width=1200)
    page.set_default_timeout(PATIENCE)
    await page.get_by_label("Words in it").fill("Bell Street Advice Shop")
    await page.get_by_role("button", name="Show", exact=True).click()
    await page.get_by_role("link", name="Bell Street Advice Shop", exact=True).click()
    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.get_by_label("Number").first.fill(FIXED)
    await page.get_by_role("button", name="Save and send for review").click()
    await expect(page.get_by_text("another publisher has to look at it")).to_be_visible()

    await be(page, editor, "robin")
    await page.goto(f"{editor}/listings/{LISTING}/review")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Published: it is live.")).to_be_visible(timeout=PATIENCE * 3)

    for _ in range(3):  # the assistant looks for a newer index once a second
        phone.write("tell me about Bell Street Advice Shop")
        got = phone.wait_for("Bell Street Advice Shop")
        if FIXED in got:
            break
    assert FIXED in got
    assert outside == []
