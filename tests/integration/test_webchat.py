"""The web chat, as a browser without JavaScript uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from channels.conversation import Channel
from channels.ledger import Ledger
from channels.settings import EXIT_TO, Settings
from channels.streams import Streams
from channels.webchat.visitor import COOKIE
from tests.chat_builders import (
    OFFER,
    SCRIPT,
    Story,
    browser,
    make_app,
    said,
    words_of,
)


@pytest.fixture
async def chat(ledger: Ledger, streams: Streams, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(make_app(ledger, streams, settings)) as client:
        yield client


@pytest.fixture
def story(ledger: Ledger, chat: httpx.AsyncClient) -> Story:
    return Story(ledger, chat)


# -- a whole conversation without JavaScript


async def test_a_conversation_without_javascript(chat: httpx.AsyncClient, story: Story) -> None:
    first = await chat.get("/chat")
    assert "Hello. What is going on?" in first.text
    sent = await chat.post("/chat/messages", data={"text": "cant pay my rent", "client_message_id": "first-one"})
    assert sent.url == "http://test/chat#end"
    assert "cant pay my rent" in sent.text

    await story.answer(OFFER)
    page = await chat.get("/chat")
    shown = words_of(page)
    for fact in ("Rent Rescue drop-in", "open now until 4:30pm", "12 Bell Street", "Free", "Bring any letters"):
        assert fact in shown
    assert "Checked 14 October 2026" in shown
    assert 'href="tel:01632960112"' in page.text
    assert '<button name="payload" value="details:svc-rent-help">' in page.text

    await chat.post("/chat/messages", data={"payload": "details:svc-rent-help"})
    pressed = (await story.messages())[-1]
    assert (pressed.text, pressed.payload) == ("Rent Rescue drop-in", "details:svc-rent-help")


async def test_nothing_is_stored_and_nothing_asked_before_the_first_message(
    chat: httpx.AsyncClient, story: Story, ledger: Ledger
) -> None:
    page = await chat.get("/chat")
    assert page.text.count("<input") == 1  # The hidden id of the message; no name, number or consent first.
    assert await ledger.person_at(Channel.WEB, story.visitor.address) is None


async def test_the_cookie_ends_with_the_browser_session_and_is_not_for_scripts(chat: httpx.AsyncClient) -> None:
    header = (await chat.get("/chat")).headers["set-cookie"].lower()
    assert "httponly" in header
    assert "samesite=lax" in header
    assert "path=/chat" in header
    assert "expires" not in header
    assert "max-age" not in header
    assert "secure" not in header  # On plain http a secure cookie would be thrown away.


async def test_the_cookie_is_secure_once_the_service_is_public(
    ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    public = settings.model_copy(update={"public_url": "https://help.example"})
    async with browser(make_app(ledger, streams, public)) as client:
        assert "secure" in (await client.get("/chat")).headers["set-cookie"].lower()


async def test_the_ledger_never_learns_what_is_in_the_cookie(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    secret = chat.cookies[COOKIE]
    assert secret not in (await story.person()).address
    assert secret not in (await story.messages())[0].provider_id


async def test_two_browsers_see_only_their_own_conversation(
    chat: httpx.AsyncClient, ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "only for my eyes"})
    async with browser(make_app(ledger, streams, settings)) as other:
        assert "only for my eyes" not in (await other.get("/chat")).text
        assert "only for my eyes" not in (await other.get("/chat/log?after=0")).text


async def test_a_browser_that_keeps_no_cookies_is_told_why_it_sees_no_answer(
    chat: httpx.AsyncClient, ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    async with browser(make_app(ledger, streams, settings)) as forgetful:
        forgetful.event_hooks["response"] = [forget_cookies(forgetful)]
        page = await forgetful.post("/chat/messages", data={"text": "hello"})
    assert "keeps no cookies" in page.text
    assert "116 123" in page.text


def forget_cookies(client: httpx.AsyncClient) -> Callable[[httpx.Response], Any]:
    async def forget(response: httpx.Response) -> None:
        response.headers.pop("set-cookie", None)
        client.cookies.clear()

    return forget


# -- sending


async def test_the_same_message_sent_twice_is_stored_once(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    for _ in range(3):
        answer = await chat.post(
            "/chat/messages", data={"text": "hello", "client_message_id": "0123456789abcdef"}, headers=SCRIPT
        )
        assert answer.status_code == 204
    assert len(await story.messages()) == 1


async def test_an_old_form_with_new_words_is_a_new_message(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    for words in ("first", "second"):
        await chat.post("/chat/messages", data={"text": words, "client_message_id": "0123456789abcdef"})
    assert [message.text for message in await story.messages()] == ["first", "second"]


@pytest.mark.parametrize("words", ["", "   ", "\r\n"])
async def test_nothing_to_say_is_not_stored(chat: httpx.AsyncClient, story: Story, ledger: Ledger, words: str) -> None:
    await chat.get("/chat")
    assert (await chat.post("/chat/messages", data={"text": words})).status_code == 200
    assert await ledger.person_at(Channel.WEB, story.visitor.address) is None


async def test_twenty_thousand_letters_arrive_whole(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    words = "困" * 20_000
    await chat.post("/chat/messages", data={"text": words})
    assert (await story.messages())[0].text == words


async def test_more_than_that_comes_back_to_be_sent_in_parts(chat: httpx.AsyncClient) -> None:
    page = await chat.post("/chat/messages", data={"text": "x" * 20_001})
    assert page.status_code == 413
    assert "two or three parts" in page.text
    assert "x" * 20_001 in page.text


async def test_a_payload_counts_only_if_it_is_on_offer(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    await story.answer(OFFER)
    await chat.post("/chat/messages", data={"payload": "forget:yes", "text": "not a press"})
    last = (await story.messages())[-1]
    assert (last.text, last.payload) == ("not a press", None)


async def test_a_button_that_is_out_of_date_counts_as_its_words(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    await story.answer(OFFER, *(said(f"more {number}") for number in range(6)))
    page = await chat.get("/chat")
    assert '<button name="payload"' not in page.text
    await chat.post("/chat/messages", data={"payload": "person"})
    last = (await story.messages())[-1]
    assert (last.text, last.payload) == ("Talk to a person", None)


async def test_another_site_cannot_write_in_somebodys_name(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    answer = await chat.post("/chat/messages", data={"text": "hello"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert await story.ledger.person_at(Channel.WEB, story.visitor.address) is None


@pytest.mark.parametrize(("header", "language"), [("cy-GB,en;q=0.8", "cy"), ("PL", "pl"), ("*", None), ("", None)])
async def test_the_browsers_language_goes_with_the_message(
    chat: httpx.AsyncClient, story: Story, header: str, language: str | None
) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"}, headers={"Accept-Language": header})
    assert (await story.messages())[0].language == language


# -- leaving


async def test_leaving_forgets_the_browser_and_goes_somewhere_ordinary(chat: httpx.AsyncClient) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "words that stay here"})
    page = await chat.get("/chat")
    assert "Leave this page" in page.text
    answer = await chat.post("/chat/leave", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, EXIT_TO)
    assert answer.headers["clear-site-data"] == '"cache"'
    assert COOKIE not in chat.cookies
    assert "words that stay here" not in (await chat.get("/chat")).text


async def test_the_beacon_of_the_script_goes_nowhere(chat: httpx.AsyncClient) -> None:
    await chat.get("/chat")
    answer = await chat.post("/chat/leave?quiet=1", follow_redirects=False)
    assert answer.status_code == 204
    assert COOKIE not in chat.cookies
