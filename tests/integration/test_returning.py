"""Coming back to a chat: on this device if asked for, on another one with a code."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import create_engine, text

from channels.codes import LETTERS
from channels.conversation import Channel, Inbound, Sender
from channels.ledger import Ledger, returning
from channels.ledger.records import Draft
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.returning import WINDOW_SECONDS, WRONG_FROM_ALL, WRONG_FROM_ONE, Guesses
from channels.webchat.visitor import COOKIE
from tests.chat_builders import Story, browser, make_app, words_of

WORDS = "the words of one person"


@pytest.fixture
async def devices(
    ledger: Ledger, streams: Streams, settings: Settings
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """The first has written; the second has only looked."""
    app = make_app(ledger, streams, settings)
    async with browser(app) as one, browser(app) as other:
        await one.get("/chat")
        await one.post("/chat/messages", data={"text": WORDS})
        await other.get("/chat")
        yield one, other


Devices = tuple[httpx.AsyncClient, httpx.AsyncClient]


async def code_for(client: httpx.AsyncClient) -> str:
    page = await client.post("/chat/return/code")
    found = re.search(r'class="code">([A-Z0-9]{3} [A-Z0-9]{3})<', page.text)
    assert found is not None, page.text
    return found[1]


def stored(settings: Settings, query: str) -> list[tuple[object, ...]]:
    engine = create_engine(settings.ledger_url.replace("+aiosqlite", ""))
    with engine.begin() as connection:
        result = connection.execute(text(query))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


async def test_a_chat_is_kept_only_when_asked_for_and_no_longer_when_not(devices: Devices) -> None:
    one, _ = devices
    page = await one.get("/chat/return")
    assert "checkbox" in page.text
    assert " checked" not in page.text
    secret = one.cookies[COOKIE]

    kept = await one.post("/chat/return/keep", data={"keep": "yes"})
    assert "Max-Age=2592000" in kept.headers["set-cookie"]
    assert one.cookies[COOKIE] == f"{secret}.kept"
    again = await one.get("/chat")
    assert WORDS in again.text
    assert "Max-Age=2592000" in again.headers["set-cookie"], "30 days from the last visit"
    assert " checked" in (await one.get("/chat/return")).text

    ended = await one.post("/chat/return/keep", data={})
    assert "Max-Age" not in ended.headers["set-cookie"]
    assert WORDS in (await one.get("/chat")).text


async def test_leaving_forgets_a_kept_chat_too(devices: Devices) -> None:
    one, _ = devices
    await one.post("/chat/return/keep", data={"keep": "yes"})
    await one.post("/chat/leave?quiet=1")
    assert COOKIE not in one.cookies
    assert WORDS not in (await one.get("/chat")).text


@pytest.mark.parametrize(
    "typed", [str, str.lower, lambda code: code.replace(" ", ""), lambda code: f" {code[:3]}-{code[4:]} "]
)
async def test_a_code_opens_the_chat_on_another_device_once(devices: Devices, typed: object) -> None:
    one, other = devices
    code = await code_for(one)
    assert callable(typed)
    opened = await other.post("/chat/return/use", data={"code": typed(code)})
    assert WORDS in opened.text
    await other.post("/chat/messages", data={"text": "and on from here"})
    assert "and on from here" in (await one.get("/chat")).text

    other.cookies.clear()
    second = await other.post("/chat/return/use", data={"code": code})
    assert second.status_code == 422
    assert "That code does not open a chat." in words_of(second)


async def test_a_code_ends_with_a_newer_one_with_time_and_with_forgetting(
    devices: Devices, ledger: Ledger, settings: Settings
) -> None:
    one, other = devices
    first, newer = await code_for(one), await code_for(one)
    assert (await other.post("/chat/return/use", data={"code": first})).status_code == 422
    stored(settings, "UPDATE return_codes SET expires_at = '2020-01-01 00:00:00.000000'")
    assert (await other.post("/chat/return/use", data={"code": newer})).status_code == 422

    last = await code_for(one)
    await ledger.forget((await Story(ledger, one).person()).id)
    assert stored(settings, "SELECT * FROM return_codes") == []
    assert (await other.post("/chat/return/use", data={"code": last})).status_code == 422


async def test_neither_the_code_nor_what_it_opens_is_in_the_ledger(devices: Devices, settings: Settings) -> None:
    one, _ = devices
    code = (await code_for(one)).replace(" ", "")
    rows = str(stored(settings, "SELECT * FROM return_codes"))
    assert code not in rows
    assert one.cookies[COOKIE] not in rows
    assert set(code) <= set(LETTERS)
    assert not set("B8I1O0S5Z2") & set(LETTERS)
    assert timedelta(minutes=15) == returning.LIFE


async def test_guessing_is_stopped_and_a_new_chat_is_still_open(devices: Devices) -> None:
    one, other = devices
    for _ in range(WRONG_FROM_ONE):
        assert (await other.post("/chat/return/use", data={"code": "AAAAAA"})).status_code == 422
    right = await code_for(one)
    stopped = await other.post("/chat/return/use", data={"code": right})
    assert stopped.status_code == 429
    assert "start a new chat" in words_of(stopped)
    assert (await other.post("/chat/messages", data={"text": "hello"})).status_code == 200


async def test_behind_our_proxy_one_who_guesses_stops_nobody_else(devices: Devices) -> None:
    one, other = devices
    right, guesser = await code_for(one), {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    for _ in range(WRONG_FROM_ONE):
        await other.post("/chat/return/use", data={"code": "AAAAAA"}, headers=guesser)
    assert (await other.post("/chat/return/use", data={"code": right}, headers=guesser)).status_code == 429
    honest = {"X-Forwarded-For": "203.0.113.10"}
    assert (await other.post("/chat/return/use", data={"code": right}, headers=honest)).status_code == 200


def test_wrong_tries_are_counted_for_each_address_and_for_all_and_forgotten_in_time() -> None:
    now = 0.0
    guesses = Guesses(clock=lambda: now)
    for _ in range(WRONG_FROM_ONE):
        assert not guesses.too_many("a")
        guesses.count("a")
    assert guesses.too_many("a")
    assert not guesses.too_many("b")
    for number in range(WRONG_FROM_ALL - WRONG_FROM_ONE):
        guesses.count(f"from {number}")
    assert guesses.too_many("b")
    now = WINDOW_SECONDS
    assert not guesses.too_many("a")


@pytest.mark.parametrize("path", ["keep", "code", "use"])
async def test_another_site_can_do_none_of_it(devices: Devices, path: str) -> None:
    one, _ = devices
    answer = await one.post(f"/chat/return/{path}", data={"keep": "yes"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_there_is_no_code_before_the_first_message(devices: Devices) -> None:
    _, other = devices
    assert "Give me a code" not in (await other.get("/chat/return")).text
    assert "no chat to take along yet" in words_of(await other.post("/chat/return/code"))


async def test_a_code_from_a_text_is_handed_on_as_a_message_and_not_used_up_here(
    devices: Devices, ledger: Ledger
) -> None:
    """Typed on the page or into the chat: the worker reads it either way."""
    _, other = devices
    inbound = Inbound(channel=Channel.SMS, address="+441632960001", provider_id="SM1", text="move")
    by_text = await ledger.store_inbound(inbound)
    conversation = await ledger.conversation(by_text.conversation_id)
    code = await ledger.make_return_code(conversation.person_id, "")
    await other.post("/chat/return/use", data={"code": code})
    story = Story(ledger, other)
    assert [message.text for message in await story.messages()] == [code]
    (message,) = await story.messages()
    moved = await ledger.redeem(message.id, code, Draft(sender=Sender.NOTICE, text="Carry on."))
    assert moved is not None
    assert "Carry on." in words_of(await other.get("/chat"))
