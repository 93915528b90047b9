"""The editor's pages in a real Chromium: axe-core on every page and state, a keyboard, a phone, dark mode."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from knowledge.editor import create_app
from knowledge.settings import Settings
from tests import patience
from tests.chromium import violations
from tests.integration.serving import free_port, serving
from tests.integration.test_accessibility import LOOKS

pytestmark = pytest.mark.browser
SHOP = "/listings/svc-advice-shop"


@pytest.fixture
async def address(own: Settings) -> AsyncIterator[str]:
    port = free_port()
    settings = own.model_copy(update={"port": port - 1})
    async with serving(create_app(settings), port) as served:
        yield served


async def open_as(chromium: Browser, address: str, login: str, **look: object) -> Page:
    context = await chromium.new_context(**look)  # type: ignore[arg-type]  # looks are Playwright's own options
    page = await context.new_page()
    page.set_default_timeout(patience.MILLISECONDS)
    await page.goto(f"{address}/?as={login}")
    return page


async def sideways(page: Page) -> int:
    wider: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )  # fmt: skip
    return wider


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_on_any_page_of_the_editor(
    chromium: Browser, address: str, look: dict[str, object]
) -> None:
    page = await open_as(chromium, address, "ana", **look)
    wrong: list[str] = []

    async def look_at(path: str) -> None:
        await page.goto(address + path)
        wrong.extend(await violations(page, path))
        if await sideways(page) > 0:
            wrong.append(f"{path}: scrolls sideways")

    for path in ("/", "/?show=overdue", SHOP, f"{SHOP}/edit", f"{SHOP}/history", "/listings/new", "/organisations/new",
                 "/published", "/problems", "/asked", "/try", "/no-such-page"):  # fmt: skip
        await look_at(path)
    await page.goto(f"{address}/try")
    await page.get_by_label("Message").fill("cant pay my rent")
    await page.get_by_role("button", name="Try").click()
    await expect(page.get_by_role("heading", name="Understood")).to_be_visible()
    wrong += await violations(page, "tried")
    await page.goto(f"{address}{SHOP}")
    await page.get_by_role("button", name="Report").click()
    await look_at("/problems")
    await page.goto(f"{address}{SHOP}/edit")
    await page.get_by_label("Name", exact=True).fill("")
    await page.get_by_label("Somebody writes").fill("cant pay my rent")
    await page.get_by_role("button", name="Save the draft and try").click()
    await expect(page.get_by_text("The first reply, as a text message")).to_be_visible()
    wrong += await violations(page, "edit, wrong and tried")
    await page.get_by_label("Name", exact=True).fill("New Name")
    await page.get_by_role("button", name="Save and send for review").click()
    await expect(page.get_by_role("heading", name="Review: New Name")).to_be_visible()
    wrong += await violations(page, "review, of one's own")
    await page.goto(f"{address}/?as=robin")
    await look_at(f"{SHOP}/review")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("it is live")).to_be_visible()
    wrong += await violations(page, "published")
    await look_at(f"{SHOP}/history")
    wrong += await axe_on_an_import(page, address)
    await page.get_by_role("button", name="Sign out").click()
    wrong += await violations(page, "signed out")
    assert not wrong, "\n".join(wrong)


TABLE = b"Service,Telephone,Email\nSoup,01632 960001,soup\n" + b"Tea,01632 960002,tea\n" * 60


async def axe_on_an_import(page: Page, address: str) -> list[str]:
    """Every state of an import, from the empty form to the end."""
    wrong: list[str] = []

    async def look(name: str) -> None:
        wrong.extend(await violations(page, name))
        if await sideways(page) > 0:
            wrong.append(f"{name}: scrolls sideways")

    await page.goto(f"{address}/import")
    await look("import")
    await page.get_by_role("button", name="Look at it first").click()
    await look("import, nothing chosen")
    await page.get_by_label("A file").set_input_files(
        files=[{"name": "list.csv", "mimeType": "text/csv", "buffer": TABLE}]
    )
    await page.get_by_role("button", name="Look at it first").click()
    await expect(page.get_by_role("heading", name="Which column is what?")).to_be_visible()
    await look("import, columns")
    await page.get_by_role("button", name="Look at it first").click()
    await expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    await look("import, looked at")
    await page.get_by_role("button", name="Take it in").click()
    await expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    await look("import, done")
    await page.goto(f"{address}/import")
    await look("imports")
    return wrong


async def test_two_editors_choose_between_their_versions(chromium: Browser, address: str) -> None:
    ana, robin = [await open_as(chromium, address, login) for login in ("ana", "robin")]
    for page in (ana, robin):
        await page.goto(f"{address}{SHOP}/edit")
    for page, name in ((ana, "Name of Ana"), (robin, "Name of Robin")):
        await page.get_by_label("Name", exact=True).fill(name)
        await page.get_by_role("button", name="Save the draft", exact=True).first.click()
        await page.wait_for_load_state()
    await expect(robin.get_by_role("heading", name="Two versions of Name of Ana")).to_be_visible()
    assert await violations(robin, "merge") == []
    await robin.get_by_label("Robin: Name of Robin").check()
    await robin.get_by_role("button", name="Keep these").click()
    await expect(robin.get_by_label("Name", exact=True)).to_have_value("Name of Robin")


async def test_a_listing_is_edited_and_sent_for_review_by_keyboard_alone(chromium: Browser, address: str) -> None:
    page = await open_as(chromium, address, "ana", viewport={"width": 360, "height": 780}, color_scheme="dark")
    await page.goto(f"{address}{SHOP}/edit")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()

    async def tab_to(name: str) -> None:
        for _ in range(400):
            await page.keyboard.press("Tab")
            if await page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).innerText") == name:
                return
        raise AssertionError(f"Tab never reached {name}")

    await tab_to("Cost")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Free, and tea")
    await tab_to("Save and send for review")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Review: Bell Street Advice Shop")).to_be_visible()
    await expect(page.get_by_text("Free, and tea")).to_be_visible()
    background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(25, 23, 20)"
    assert await sideways(page) <= 0
