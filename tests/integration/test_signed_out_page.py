"""A page of the desk whose session has ended, in a real browser: it says so, and keeps what was being written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, Route, expect

from channels.desk.sessions import Sessions
from channels.ledger.talk_records import NoteKind
from tests.desk_builders import Office
from tests.integration.test_desk_browser import base, page, taken

__all__ = ["base", "page"]
pytest_plugins = ["tests.desk_fixtures"]
pytestmark = pytest.mark.browser
KEEP_LOOKING = "setInterval(function () { document.dispatchEvent(new Event('visibilitychange')); }, 100); null"
"""As somebody does who comes back to the page; begun before it may lead elsewhere by itself."""


async def test_whoever_was_signed_out_while_writing_is_told_so_and_keeps_the_words(office: Office, page: Page) -> None:
    person, sam = await taken(office, page)
    await office.ledger.talk.add(person.conversation_id, NoteKind.NOTE, sam.id, {"text": "a private note"})
    await page.reload()
    await page.get_by_label("Write to them").fill("half a sentence")
    await page.evaluate(KEEP_LOOKING)
    await page.context.clear_cookies()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    await expect(page.get_by_text("Your sign-in has ended. What you wrote is still in the box")).to_be_visible()
    await expect(page.get_by_label("Write to them")).to_have_value("half a sentence")
    await expect(page.get_by_text("cant pay my rent")).to_be_hidden()
    await expect(page.get_by_text("a private note")).to_have_count(0)


async def test_whoever_was_writing_nothing_is_back_at_the_door(office: Office, page: Page, base: str) -> None:
    person, _ = await taken(office, page)
    await page.evaluate(KEEP_LOOKING)
    await page.context.clear_cookies()
    await expect(page).to_have_url(f"{base}/desk/sign-in?to={person.page}#latest")


async def test_an_idle_end_is_said_before_it_comes_and_can_be_put_off(page: Page) -> None:
    """The page is told that it has 10 minutes left; staying is a use of the session, so it has 12 hours again."""
    told = page.locator("[data-ending=idle]")
    await expect(told).to_be_hidden()

    async def soon(route: Route) -> None:
        await route.fulfill(status=204, headers={"desk-session": "80000,600"})

    await page.route("**/desk/presence", soon)
    await page.reload()
    await expect(told).to_be_visible()
    await expect(told).to_contain_text("What you have begun to write to somebody is kept as a draft.")
    await page.get_by_role("button", name="Stay signed in").click()
    await expect(told).to_be_hidden()


async def test_the_last_quarter_of_an_hour_of_a_session_is_said_without_a_script_too(office: Office) -> None:
    peer, browser = await office.hire("Jo"), office.browser()
    for minutes, said in ((20, False), (10, True)):
        token = await office.ledger.open_session(peer.id, timedelta(minutes=minutes))
        browser.client.cookies.set(Sessions(office.ledger, office.settings).cookie, token)
        ending = (await browser.get("/desk")).text.partition('data-ending="over"')[2].partition(">")[0]
        assert ("hidden" not in ending) is said


async def test_every_answer_says_how_long_the_session_lasts(office: Office) -> None:
    jo = await office.sit_down("Jo")
    over, idle = (int(part) for part in (await jo.get("/desk/queue")).headers["desk-session"].split(","))
    assert over <= 3600, "this one was opened for an hour"
    assert 3600 < idle <= 12 * 3600
    assert (await jo.post("/desk/stay")).status_code == 204
