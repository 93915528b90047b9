"""The widget in a real browser: on a site in the list, on one that is not, over https and over http, at phone width."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.async_api import Browser, BrowserContext, FrameLocator, Page, expect
from playwright.async_api import Error as PlaywrightError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from channels.conversation import Channel, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.pages import SecurityHeaders, static_routes
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.visitor import FRAMED_COOKIE, Visitor
from tests import patience
from tests.chat_builders import make_app
from tests.integration.serving import free_port, serving

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
BUDGET = 50_000


@dataclass
class Town:
    """A website with our one line in it. `localhost` is another site than 127.0.0.1, where our chat is."""

    chat: str
    site: str
    context: BrowserContext
    asked: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    async def visit(self, options: str = "") -> Page:
        page = await self.context.new_page()
        page.set_default_timeout(patience.MILLISECONDS)
        page.on("request", lambda request: self.asked.append(request.url))
        await page.goto(f"{self.site}/?{options}")
        return page

    async def open(self, page: Page) -> FrameLocator:
        await page.get_by_role("button", name="Talk to us").click()
        return page.frame_locator("iframe")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    made = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return {"ssl_certfile": str(folder / "cert.pem"), "ssl_keyfile": str(folder / "key.pem")}


def website(chat: str) -> Starlette:
    """A site with a strict policy of its own: its styles may stand in files only."""

    async def front(request: Request) -> Response:
        options = unquote(request.url.query)
        page = (
            "<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>Wrenbridge</title>"
            f'<h1>Wrenbridge</h1><script src="{chat}/chat/widget.js" {options} defer></script>'
        )
        policy = f"default-src 'self'; script-src {chat}; frame-src {chat}"
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    return Starlette(routes=[Route("/", front)])


@dataclass
class Builder:
    """Puts our chat and a website on this machine. `allowed`: whether the site is in our list."""

    stack: AsyncExitStack
    chromium: Browser
    ledger: Ledger
    streams: Streams
    settings: Settings
    certificate: dict[str, str]

    async def town(self, *, tls: bool = True, allowed: bool = True, host: str = "localhost", **options: object) -> Town:
        scheme, port, site_port = "https" if tls else "http", free_port(), free_port()
        chat, site = f"{scheme}://127.0.0.1:{port}", f"{scheme}://{host}:{site_port}"
        listed = site if allowed else f"{scheme}://somebody-else.example"
        settings = self.settings.model_copy(update={"public_url": chat, "embed_sites": listed})
        app = make_app(self.ledger, self.streams, settings)
        app.router.routes.extend(static_routes())
        assert [middleware.cls for middleware in app.user_middleware] == [Middleware(SecurityHeaders).cls]
        files = self.certificate if tls else {}
        await self.stack.enter_async_context(serving(app, port, **files))
        await self.stack.enter_async_context(serving(website(chat), site_port, **files))
        context = await self.chromium.new_context(ignore_https_errors=True, **options)  # type: ignore[arg-type]
        return Town(chat=chat, site=site, context=context)


@pytest.fixture
async def build(
    chromium: Browser, ledger: Ledger, streams: Streams, settings: Settings, certificate: dict[str, str]
) -> AsyncIterator[Builder]:
    async with AsyncExitStack() as stack:
        yield Builder(stack, chromium, ledger, streams, settings, certificate)


async def test_a_listed_site_holds_a_whole_conversation_in_a_cookie_of_its_own(build: Builder) -> None:
    town = await build.town(viewport={"width": 1200, "height": 800})
    page = await town.visit()
    assert [url for url in town.asked if "/chat" in url] == [f"{town.chat}/chat/widget.js"]

    frame = await town.open(page)
    await expect(frame.get_by_label("Your message")).to_be_focused()
    await frame.get_by_label("Your message").fill("cant pay my rent")
    await page.keyboard.press("Enter")
    await expect(frame.locator("li.you[data-seq='1'] .bubble")).to_have_text("cant pay my rent")

    cookie = next(one for one in await town.context.cookies() if one["name"] == FRAMED_COOKIE)
    assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("None", True, True)
    assert "localhost" in str(cookie.get("partitionKey", ""))
    person = await build.ledger.person_at(Channel.WEB, Visitor(secret=cookie["value"]).address)
    assert person is not None

    await page.keyboard.press("Escape")
    conversation = await build.ledger.conversation_of(person.id)
    await build.ledger.append(conversation.id, [Draft(sender=Sender.PEER, text="Hello, I am Sam.", sender_name="Sam")])
    await build.streams.changed(conversation.id)
    await page.get_by_role("button", name="New message").click()
    await expect(frame.get_by_text("Hello, I am Sam.")).to_be_visible()

    await page.reload()
    frame = await town.open(page)
    await expect(frame.get_by_text("cant pay my rent")).to_be_visible()
    outside = [url for url in town.asked if not url.startswith((town.chat, town.site))]
    assert outside == []
    assert await page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


async def test_focus_goes_in_on_open_and_back_on_close(build: Builder) -> None:
    town = await build.town()
    page = await town.visit()
    launcher = page.get_by_role("button", name="Talk to us")
    await page.keyboard.press("Tab")
    await expect(launcher).to_be_focused()
    for _ in range(2):
        await page.keyboard.press("Enter")
        await expect(page.frame_locator("iframe").get_by_label("Your message")).to_be_focused()
        await expect(page.get_by_role("dialog", name="Talk to us")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(launcher).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Close").click()
    await expect(launcher).to_be_focused()


async def test_a_site_that_is_not_in_the_list_gets_no_frame_but_a_way_to_the_chat(build: Builder) -> None:
    town = await build.town(allowed=False)
    page = await town.visit()
    frame = await town.open(page)
    link = page.get_by_role("link", name="Open it in its own tab")
    await expect(link).to_be_visible()
    assert await link.get_attribute("href") == f"{town.chat}/chat"
    assert await frame.get_by_label("Your message").count() == 0
    assert all("/chat/log" not in url for url in town.asked)


async def test_over_plain_http_another_site_is_told_to_use_a_tab(build: Builder) -> None:
    town = await build.town(tls=False)
    frame = await town.open(await town.visit())
    await expect(frame.get_by_role("link", name="Open the chat in its own tab")).to_be_visible()


async def test_over_plain_http_the_same_host_works(build: Builder) -> None:
    town = await build.town(tls=False, host="127.0.0.1")
    page = await town.visit()
    frame = await town.open(page)
    await expect(frame.get_by_label("Your message")).to_be_focused()
    await frame.get_by_label("Your message").fill("hello")
    await page.keyboard.press("Enter")
    await expect(frame.locator("li.you[data-seq='1'] .bubble")).to_have_text("hello")


async def test_on_a_phone_it_fills_the_screen_and_nothing_scrolls_sideways(build: Builder) -> None:
    town = await build.town(viewport=PHONE)
    page = await town.visit()
    frame = await town.open(page)
    await expect(frame.get_by_label("Your message")).to_be_visible()
    box = await page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    inside = page.frames[1]
    for place in (page.main_frame, inside):
        wider = await place.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0


@pytest.mark.parametrize("way", ["button", "shift three times"])
async def test_leaving_takes_the_whole_page_along(build: Builder, way: str) -> None:
    town = await build.town()
    await town.context.route("https://www.bbc.co.uk/**", lambda route: route.fulfill(body="weather"))
    page = await town.visit()
    frame = await town.open(page)
    await expect(frame.get_by_label("Your message")).to_be_focused()
    if way == "button":
        await frame.get_by_role("button", name="Leave this page").click()
    else:
        for _ in range(3):
            await page.keyboard.press("Shift")
    await page.wait_for_url("https://www.bbc.co.uk/weather")
    with suppress(PlaywrightError):  # there may be nothing to go back to: the chat's entry was replaced
        await page.go_back()
    assert not page.url.startswith(town.site)


async def test_words_from_other_windows_are_not_listened_to(build: Builder) -> None:
    town = await build.town()
    page = await town.visit()
    frame = await town.open(page)
    await expect(frame.get_by_label("Your message")).to_be_focused()
    await page.evaluate("window.postMessage({nwd: 'leave', to: 'https://evil.example/'}, '*')")
    await page.evaluate("window.postMessage({nwd: 'close'}, '*')")
    await page.frames[1].evaluate("window.parent.postMessage({nwd: 'leave', to: 'javascript:alert(1)'}, '*')")
    await page.frames[1].evaluate("window.postMessage({nwd: 'open', accent: '#ff0000'}, '*')")
    await page.evaluate("new Promise(done => setTimeout(done, 150))")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert page.url.startswith(town.site)
    assert await page.frames[1].evaluate("document.documentElement.style.length") == 0


@pytest.mark.parametrize(
    ("options", "accent", "theme"),
    [
        pytest.param("data-accent='#73209c'", "#73209c", None, id="a colour that can be read"),
        pytest.param("data-accent='#ffee00'", "#1c5d58", None, id="one that cannot"),
        pytest.param("data-theme=dark", "#7fcdc4", "dark", id="dark"),
    ],
)
async def test_a_site_chooses_colours_as_long_as_words_can_be_read(
    build: Builder, options: str, accent: str, theme: str | None
) -> None:
    town = await build.town(color_scheme="light")
    page = await town.visit(quote(options))
    frame = await town.open(page)
    await expect(frame.get_by_label("Your message")).to_be_focused()
    look = "getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"
    assert await page.frames[1].evaluate(look) == accent
    assert await page.frames[1].evaluate("document.documentElement.dataset.theme || null") == theme


async def test_everything_together_is_small(build: Builder) -> None:
    town = await build.town()
    bodies: dict[str, bytes] = {}
    page = await town.context.new_page()

    async def weigh(url: str) -> None:
        bodies[url] = await (await town.context.request.get(url)).body()

    page.on("request", lambda request: town.asked.append(request.url))
    await page.goto(town.site)
    frame = await town.open(page)
    await expect(frame.get_by_label("Your message")).to_be_focused()
    for url in {url for url in town.asked if url.startswith(town.chat) and "/chat/log" not in url}:
        await weigh(url)
    assert len(bodies) >= 6, "script, page, style, and the page's three scripts"
    squeezed = sum(len(gzip.compress(body)) for body in bodies.values())
    print(f"widget: {len(bodies)} files, {squeezed} bytes gzipped, {sum(map(len, bodies.values()))} plain")
    assert squeezed < BUDGET
