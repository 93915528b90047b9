"""A listing is imported, put right by two editors, and in the next text message: the whole product."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests import patience
from tests.e2e.conftest import Product
from tests.e2e.people import PeerWorker, SimulatedPhone
from tests.e2e.test_browser import open_page

pytestmark = [pytest.mark.stack, pytest.mark.browser]
EXAMPLE = Path(__file__).parents[1] / "data" / "open_referral_uk" / "service_full.json"
NAME = "Community Counselling"
LISTING = "ac148810-d857-441c-9679-408f346de14b"
FIXED = "01632 960299"
COMPLAINT = "that number is wrong, the woman who answers is rude"
PERSON = "00900006"


async def bring_in(page: Page, editor: str, file: Path) -> None:
    """A file is sent, looked at and taken in: its listings wait as drafts."""
    await page.goto(f"{editor}/import")
    await page.get_by_label("A file").set_input_files(file)
    await page.get_by_role("button", name="Look at it first").click()
    await expect(page.get_by_role("heading", name="What would happen")).to_be_visible(timeout=3 * patience.MILLISECONDS)
    await page.get_by_role("button", name="Take it in").click()
    await expect(page.get_by_role("heading", name="What happened")).to_be_visible(timeout=3 * patience.MILLISECONDS)


async def test_an_imported_listing_is_put_right_and_a_phone_gets_its_number(
    product: Product, chromium: Browser
) -> None:
    """It comes without a phone number, so nobody is offered it until an editor has found one."""
    editor = f"http://127.0.0.1:{product.port + 1}"
    phone = SimulatedPhone(product.url, 6)
    outside: list[str] = []
    page = await open_page(chromium, f"{editor}/?as=ana", outside, width=1200)
    page.set_default_timeout(patience.MILLISECONDS)
    await bring_in(page, editor, EXAMPLE)
    await page.get_by_role("link", name=re.compile("Drafts, and why")).click()
    await expect(page.get_by_text("no phone number: add one")).to_be_visible()
    await page.get_by_role("link", name=NAME, exact=True).click()
    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.get_by_label("Number").first.fill(FIXED)
    await page.get_by_label("Website").fill("https://example.com/counselling")
    await page.get_by_role("button", name="Save and send for review").click()
    await expect(page.get_by_text("another publisher has to look at it")).to_be_visible()

    await page.goto(f"{editor}/?as=robin")
    await page.goto(f"{editor}/listings/{LISTING}/review")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Published: it is live.")).to_be_visible(timeout=3 * patience.MILLISECONDS)

    for _ in range(3):  # the assistant looks for a newer index once a second
        phone.write(f"tell me about {NAME}")
        got = phone.wait_for("960")
        if FIXED in got:
            break
    assert NAME in got
    assert FIXED in got

    phone.write("1")
    phone.wait_for(FIXED)
    phone.write(COMPLAINT)
    phone.wait_for("Thank you for telling me")
    await expect_report(page, editor)
    peer = PeerWorker(product.url)
    conversation = peer.wait_for_somebody()
    assert COMPLAINT in peer.read(conversation), "whoever complains is in line for a person as well"
    peer.act(conversation, "take")
    peer.act(conversation, "hand-back")
    assert outside == []


async def expect_report(page: Page, editor: str) -> None:
    """In the editors' queue, with the listing it is about, and without a word or a number of who said it."""
    problem = page.get_by_role("listitem").filter(has_text=NAME)
    for _ in range(30):  # the worker looks for what is to be told every 15 seconds
        await page.goto(f"{editor}/problems")
        if await problem.count():
            break
        await page.wait_for_timeout(1_000)
    await expect(problem).to_contain_text("The phone number is wrong")
    await expect(problem).to_contain_text("somebody who was sent there")
    written = await page.content()
    assert not [each for each in (COMPLAINT, "rude", PERSON) if each in written.replace(" ", "") or each in written]
    await problem.get_by_role("link", name=re.compile("Edit")).click()
    await expect(page.get_by_label("Number").first).to_have_value(FIXED)
    await page.goto(f"{editor}/problems")
    await problem.get_by_role("button", name=re.compile("Done")).click()
    await expect(page.get_by_text("Nothing is reported.")).to_be_visible()
