"""Leaving in a hurry: where to, what the policy lets through, and what people are told about it."""

from __future__ import annotations

import httpx
import pytest

from channels.errors import SettingsError
from channels.ledger import Ledger
from channels.pages import SecurityHeaders, form_action
from channels.settings import EXIT_TO, Settings, read_settings
from channels.streams import Streams
from tests.chat_builders import browser, make_app, words_of

OTHER = "https://www.metoffice.gov.uk/weather/forecast?q=1"


async def test_a_service_may_choose_where_leaving_goes(ledger: Ledger, streams: Streams, settings: Settings) -> None:
    chosen = settings.model_copy(update={"exit_url": OTHER, "embed_sites": "https://www.example.org"})
    async with browser(make_app(ledger, streams, chosen)) as client:
        page = await client.get("/chat")
        framed = await client.get("/chat?embed=1")
        left = await client.post("/chat/leave", follow_redirects=False)
    assert f'data-leave="{OTHER}"' in page.text
    assert left.headers["location"] == OTHER
    assert "form-action 'self' https://www.metoffice.gov.uk;" in framed.headers["content-security-policy"] + ";"


@pytest.mark.parametrize(
    ("exit_to", "allowed"),
    [
        pytest.param(EXIT_TO, "'self' https://www.bbc.co.uk https://www.bbc.com", id="the BBC, which redirects abroad"),
        pytest.param(OTHER, "'self' https://www.metoffice.gov.uk", id="another page"),
        pytest.param("http://localhost:8123", "'self' http://localhost:8123", id="with a port"),
    ],
)
async def test_the_policy_lets_the_form_go_there_and_nowhere_else(exit_to: str, allowed: str) -> None:
    assert form_action(exit_to) == allowed
    sent: list[dict[str, object]] = []

    async def page(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]

    async def collect(message: dict[str, object]) -> None:
        sent.append(message)

    await SecurityHeaders(page, exit_to=exit_to)({"type": "http"}, None, collect)  # type: ignore[arg-type]
    headers = dict(sent[0]["headers"])  # type: ignore[call-overload]
    assert headers[b"content-security-policy"].decode().endswith(f"form-action {allowed}")


@pytest.mark.parametrize(
    "address", ["", "bbc.co.uk", "javascript:alert(1)", "https://a.example/x; script-src *", "/chat"]
)
def test_an_exit_that_is_no_page_is_named_at_start(address: str) -> None:
    with pytest.raises(SettingsError, match="NWD_EXIT_URL"):
        read_settings(exit_url=address)


async def test_the_safety_page_is_honest_about_what_stays(ledger: Ledger, streams: Streams, settings: Settings) -> None:
    async with browser(make_app(ledger, streams, settings)) as client:
        chat = await client.get("/chat")
        page: httpx.Response = await client.get("/chat/safety")
    assert 'href="/chat/safety"' in chat.text
    said = words_of(page)
    for truth in ("does not clear your history", "for up to 90 days", "FORGET ME", "private window", "116 123", "999"):
        assert truth in said
    assert 'action="/chat/leave"' in page.text
    assert "<textarea" not in page.text
