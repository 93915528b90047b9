"""A page of the desk whose session has ended, in a real browser: it says so, and keeps what was being written."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from channels.ledger.talk_records import NoteKind
from tests.desk_builders import Office
from tests.integration.test_desk_browser import base, page, taken

__all__ = ["base", "page"]
pytest_plugins = ["tests.desk_fixtures"]
pytestmark = pytest.mark.browser
LOOK_AGAIN = "setTimeout(function () { document.dispatchEvent(new Event('visibilitychange')); }, 0)"


async def test_whoever_was_signed_out_while_writing_is_told_so_and_keeps_the_words(office: Office, page: Page) -> None:
    person, sam = await taken(office, page)
    await office.ledger.talk.add(person.conversation_id, NoteKind.NOTE, sam.id, {"text": "a private note"})
    await page.reload()
    await page.get_by_label("Write to them").fill("half a sentence")
    await page.context.clear_cookies()
    await page.evaluate(LOOK_AGAIN)
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    await expect(page.get_by_text("Your sign-in has ended. What you wrote is still in the box")).to_be_visible()
    await expect(page.get_by_label("Write to them")).to_have_value("half a sentence")
    await expect(page.get_by_text("cant pay my rent")).to_be_hidden()
    await expect(page.get_by_text("a private note")).to_have_count(0)


async def test_whoever_was_writing_nothing_is_back_at_the_door(office: Office, page: Page, base: str) -> None:
    person, _ = await taken(office, page)
    await page.context.clear_cookies()
    await page.evaluate(LOOK_AGAIN)
    await expect(page).to_have_url(f"{base}/desk/sign-in?to={person.page}#latest")
