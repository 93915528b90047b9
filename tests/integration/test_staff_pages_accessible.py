"""The pages of staff accounts and of people's rights: axe-core finds nothing, on a telephone too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page

from channels.conversation import Concern
from channels.desk.sessions import Sessions
from tests.chromium import open_chromium, violations
from tests.desk_builders import PASSWORD, Office, person_asks, serving

pytest_plugins = ["tests.desk_fixtures"]

pytestmark = pytest.mark.browser


SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 900}}
PAGES = (
    "", "wall", "reports", "debrief", "replies", "replies/hello", "replies/new", "account", "colleagues", "audit",
    "rights", "conversations/nobody",
)  # fmt: skip


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
async def test_axe_finds_nothing_on_any_page_of_the_desk(office: Office, size: str, colours: str) -> None:
    """Somebody waits, somebody in danger is with Robin, somebody is with Jo: on a telephone and on a desk."""
    waits = await person_asks(office, 1, language="pl")
    mine = await person_asks(office, 2, concerns=(Concern.SUICIDE,))
    theirs = await person_asks(office, 3)
    robin, jo = await office.hire("Robin", "coordinator"), await office.hire("Jo")
    await office.escalations.claim(mine.escalation_id, robin)
    await office.escalations.claim(theirs.escalation_id, jo)
    await office.ledger.care.ping(jo, robin.id, "buddy")
    person_id = (await office.ledger.conversation(mine.conversation_id)).person_id
    code = await office.ledger.accounts.invite(robin, "Mel", "peer")
    token = await office.ledger.open_session(robin.id, timedelta(hours=1))
    talks = [f"conversations/{one.conversation_id}" for one in (waits, theirs, mine)]
    wrong: list[str] = []
    async with serving(office) as address, open_chromium() as chromium:
        context = await chromium.new_context(base_url=address, viewport=SIZES[size], color_scheme=colours)
        page = await context.new_page()
        for path in ("sign-in", f"join?code={code}", "join?code=none"):
            wrong += await faults(page, path)
        cookie = Sessions(office.ledger, office.settings).cookie
        await context.add_cookies([{"name": cookie, "value": token, "url": address}])
        for path in (*PAGES, f"rights/{person_id}", *talks):
            wrong += await faults(page, path)
        await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        wrong += await violations(page, "every tool open")
    assert not wrong, "\n".join(wrong)


BROKEN_WORDS = """[...document.querySelectorAll("th")].filter(cell => {
  const words = cell.innerText.split(/[\\s-]+/), line = document.createElement("span");
  line.style.cssText = "white-space: nowrap; position: absolute; visibility: hidden";
  cell.append(line);
  const broken = words.some(word => { line.textContent = word; return line.offsetWidth > cell.clientWidth; });
  line.remove();
  return broken;
}).map(cell => cell.innerText)"""
"""Headings of tables whose column is narrower than one of their words."""


async def faults(page: Page, path: str) -> list[str]:
    """What axe-core finds, whether anything has to be scrolled sideways, and words that are broken in a table."""
    await page.goto(f"/desk/{path}".removesuffix("/"))
    if broken := await page.evaluate(BROKEN_WORDS):
        return [f"{path}: broken words {broken}"]
    wider = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return [*await violations(page, path), *([f"{path}: wider than the window"] if wider else [])]


async def test_axe_finds_nothing_on_the_pages_of_accounts_and_rights(office: Office) -> None:
    person = await person_asks(office)
    robin = await office.hire("Robin", "coordinator")
    await office.hire("Jo")
    code = await office.ledger.accounts.invite(robin, "Mel", "peer")
    token = await office.ledger.open_session(robin.id, timedelta(hours=1))
    person_id = (await office.ledger.conversation(person.conversation_id)).person_id
    wrong: list[str] = []
    async with serving(office) as address, open_chromium() as chromium:
        context = await chromium.new_context(base_url=address, viewport={"width": 360, "height": 740})
        page = await context.new_page()
        for path in ("/desk/sign-in", f"/desk/join?code={code}"):
            await page.goto(path)
            wrong += await violations(page, path)
        cookie = Sessions(office.ledger, office.settings).cookie
        await context.add_cookies([{"name": cookie, "value": token, "url": address}])
        replies = ("replies", "replies/hello", "replies/new")
        for path in (*replies, "account", "colleagues", "audit", "rights", f"rights/{person_id}"):
            await page.goto(f"/desk/{path}")
            wrong += await violations(page, path)
            assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        await page.get_by_role("button", name="Everything, to read or print").click()
        wrong += await violations(page, "export")
        await page.goto("/desk/account")
        app = page.get_by_role("region", name="Authenticator app")
        await app.get_by_label("Your password now").fill(PASSWORD)
        await app.get_by_role("button", name="Add an app").click()
        await page.get_by_label("Code").wait_for()
        wrong += await violations(page, "account, adding an app")
    assert not wrong, "\n".join(wrong)
