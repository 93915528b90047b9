"""A passkey in a real browser with a virtual authenticator: made on the account page, then enough to sign in alone."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests import patience
from tests.desk_builders import PASSWORD, Office, serving

pytest_plugins = ["tests.desk_fixtures"]

pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


async def open_page(context: BrowserContext) -> Page:
    page = await context.new_page()
    page.set_default_timeout(patience.MILLISECONDS)
    session = await context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


async def test_a_passkey_is_made_and_then_signs_in_without_a_password(chromium: Browser, office: Office) -> None:
    peer = await office.hire("Jo")
    async with serving(office) as address:
        # A passkey belongs to a name, and 127.0.0.1 is none.
        base = address.replace("127.0.0.1", "localhost")
        context = await chromium.new_context(base_url=base)
        page = await open_page(context)
        await page.goto("/desk/sign-in")
        await page.get_by_label("Login").fill("jo")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page).to_have_url(f"{base}/desk")
        await page.goto("/desk/account")
        form = page.locator("[data-make-passkey]")
        await form.get_by_label("What to call it").fill("my laptop")
        await form.get_by_label("Your password now").fill(PASSWORD)
        await form.get_by_role("button", name="Add a passkey").click()
        await expect(page.get_by_text("The passkey is added.")).to_be_visible()
        await expect(page.get_by_text("my laptop")).to_be_visible()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await expect(page.get_by_text("You are signed out.")).to_be_visible()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page).to_have_url(f"{base}/desk")
        await expect(page.get_by_role("link", name="Your account")).to_have_text("Jo")
        await context.close()
    assert [each.name for each in await office.ledger.factors.of(peer.id)] == ["my laptop"]


async def test_a_passkey_of_somebody_who_left_opens_nothing(chromium: Browser, office: Office) -> None:
    robin, peer = await office.hire("Robin", "coordinator"), await office.hire("Jo")
    async with serving(office) as address:
        base = address.replace("127.0.0.1", "localhost")
        context = await chromium.new_context(base_url=base)
        page = await open_page(context)
        await page.goto("/desk/sign-in")
        await page.get_by_label("Login").fill("jo")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.goto("/desk/account")
        form = page.locator("[data-make-passkey]")
        await form.get_by_label("Your password now").fill(PASSWORD)
        await form.get_by_role("button", name="Add a passkey").click()
        await expect(page.get_by_text("The passkey is added.")).to_be_visible()
        await office.ledger.accounts.end_access(robin, peer.id)
        await page.goto("/desk/sign-in")
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_role("alert").filter(has_text="not known here")).to_be_visible()
        await context.close()
