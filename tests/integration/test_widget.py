"""The chat in somebody else's page: who may frame it, and which cookie it gets."""

from __future__ import annotations

import re

import httpx
import pytest

from channels.conversation import Channel
from channels.errors import SettingsError
from channels.ledger import Ledger
from channels.settings import Settings, read_settings
from channels.streams import Streams
from channels.webchat.visitor import COOKIE, FRAMED_COOKIE, Visitor
from tests.chat_builders import OFFER, SCRIPT, BrokenLedger, browser, make_app, words_of

SITES = "https://www.wrenbridge.example, http://localhost:8123"
ALLOWED = "frame-ancestors https://www.wrenbridge.example http://localhost:8123"


@pytest.fixture
def listed(settings: Settings) -> Settings:
    return settings.model_copy(update={"embed_sites": SITES})


@pytest.fixture
def public(listed: Settings) -> Settings:
    return listed.model_copy(update={"public_url": "https://help.example"})


@pytest.mark.parametrize(
    ("path", "framed"),
    [
        pytest.param("/chat?embed=1", True, id="the framed page"),
        pytest.param("/chat?embed=1&theme=dark", True, id="the framed page with a theme"),
        pytest.param("/chat", False, id="our own page"),
        pytest.param("/chat?embed=2", False, id="something like it"),
        pytest.param("/chat/log", False, id="a part of our own page"),
    ],
)
async def test_only_the_framed_page_may_be_framed_and_only_by_sites_in_the_list(
    ledger: Ledger, streams: Streams, listed: Settings, path: str, framed: bool
) -> None:
    async with browser(make_app(ledger, streams, listed)) as client:
        headers = (await client.get(path)).headers
    assert (ALLOWED in headers["content-security-policy"]) is framed
    assert ("frame-ancestors 'none'" in headers["content-security-policy"]) is not framed
    assert ("x-frame-options" in headers) is not framed


async def test_without_a_list_nobody_frames_anything(ledger: Ledger, streams: Streams, settings: Settings) -> None:
    async with browser(make_app(ledger, streams, settings)) as client:
        headers = (await client.get("/chat?embed=1")).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"


async def test_a_framed_page_stays_framed_when_the_ledger_is_away(streams: Streams, listed: Settings) -> None:
    async with browser(make_app(BrokenLedger(), streams, listed)) as client:
        page = await client.get("/chat?embed=1", headers={"Cookie": f"{FRAMED_COOKIE}={'a' * 22}"})
    assert page.status_code == 503
    assert ALLOWED in page.headers["content-security-policy"]
    assert 'action="/chat/messages?embed=1"' in page.text


@pytest.mark.parametrize(
    "sites",
    [
        "https://www.example.org/path",
        "www.example.org",
        "*",
        "https://*.example.org",
        "https://a.example; script-src *",
        "https://a.example 'self'",
        "javascript:alert(1)",
    ],
)
def test_a_site_that_is_no_origin_is_named_at_start(sites: str) -> None:
    with pytest.raises(SettingsError, match="NWD_EMBED_SITES"):
        read_settings(embed_sites=sites)


async def test_over_https_the_framed_cookie_is_kept_apart_for_each_site(
    ledger: Ledger, streams: Streams, public: Settings
) -> None:
    async with browser(make_app(ledger, streams, public)) as client:
        framed = (await client.get("/chat?embed=1")).headers["set-cookie"]
        own = (await client.get("/chat")).headers["set-cookie"]
        left = (await client.post("/chat/leave?embed=1&quiet=1")).headers["set-cookie"]
    kept = r"; Path=/chat; HttpOnly; {}Secure; SameSite=None; Partitioned"
    assert re.fullmatch(FRAMED_COOKIE + r"=[\w-]{22}" + kept.format(""), framed)
    assert left == FRAMED_COOKIE + "=" + kept.format("Max-Age=0; ")
    assert re.fullmatch(COOKIE + r"=[\w-]{22}; Path=/chat; HttpOnly; Secure; SameSite=Lax", own)


async def test_over_http_the_framed_cookie_is_one_that_browsers_take(
    ledger: Ledger, streams: Streams, listed: Settings
) -> None:
    async with browser(make_app(ledger, streams, listed)) as client:
        framed = (await client.get("/chat?embed=1")).headers["set-cookie"]
    assert framed.endswith("; Path=/chat; HttpOnly; SameSite=Lax")


async def test_a_frame_never_shows_the_conversation_of_our_own_page(
    ledger: Ledger, streams: Streams, listed: Settings
) -> None:
    async with browser(make_app(ledger, streams, listed)) as client:
        await client.get("/chat")
        await client.post("/chat/messages", data={"text": "only on your own page"})
        assert "only on your own page" not in (await client.get("/chat?embed=1")).text
        assert "only on your own page" not in (await client.get("/chat/log?embed=1&after=0")).text


async def test_every_address_of_a_framed_page_stays_framed(ledger: Ledger, streams: Streams, listed: Settings) -> None:
    async with browser(make_app(ledger, streams, listed)) as client:
        await client.get("/chat?embed=1")
        sent = await client.post("/chat/messages?embed=1", data={"text": "hello from a frame"})
        assert str(sent.url) == "http://test/chat?embed=1#end"
        person = await ledger.person_at(Channel.WEB, Visitor(secret=client.cookies[FRAMED_COOKIE]).address)
        assert person is not None
        await ledger.append((await ledger.conversation_of(person.id)).id, [OFFER])
        page = await client.get("/chat?embed=1")
    assert "hello from a frame" in words_of(page)
    stays = re.findall(r'(?:action|data-log|data-events|href)="(/chat[^"#]*)', page.text)
    assert len(stays) >= 6
    assert [address for address in stays if "embed=1" not in address and "safety" not in address] == []


async def test_a_framed_browser_without_our_cookie_is_offered_its_own_tab(
    ledger: Ledger, streams: Streams, listed: Settings
) -> None:
    async with browser(make_app(ledger, streams, listed)) as client:
        part = await client.get("/chat/log?embed=1&after=0", headers=SCRIPT)
    assert "Open the chat in its own tab" in part.text
    assert "116 123" in part.text


async def test_another_site_cannot_write_into_a_frame(ledger: Ledger, streams: Streams, public: Settings) -> None:
    async with browser(make_app(ledger, streams, public)) as client:
        headers = {"Sec-Fetch-Site": "cross-site", "Cookie": f"{FRAMED_COOKIE}={'a' * 22}"}
        answer = await client.post("/chat/messages?embed=1", data={"text": "forged"}, headers=headers)
        assert answer.status_code == 403
        kept = await client.post("/chat/leave?embed=1&quiet=1", headers=headers)
    assert "set-cookie" not in kept.headers
    assert await ledger.person_at(Channel.WEB, Visitor(secret="a" * 22).address) is None


async def test_the_script_is_for_every_site_and_holds_no_address(
    ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    async with browser(make_app(ledger, streams, settings)) as client:
        script: httpx.Response = await client.get("/chat/widget.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age=300" in script.headers["cache-control"]
    assert "set-cookie" not in script.headers
    assert re.findall(r"https?://(?!OUR-ADDRESS)[a-z0-9]", script.text) == []
