"""Telegram: the real client library on one side, our own webhook on the other, real HTTP between."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from channels.conversation import Channel, Choice
from channels.errors import SendFailed
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from tests.integration.serving import eventually
from tests.phone_builders import ASH, World, open_world, with_phones


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_phones(settings)


@pytest.fixture
async def world(settings: Settings, ledger: Ledger, streams: Streams) -> AsyncIterator[World]:
    async with open_world(settings, ledger, streams) as opened:
        yield opened


# -- Telegram


CHOICES = (
    Choice(title="Rent Rescue drop-in", payload="details:svc-rent-help"),
    Choice(title="Talk to a person", payload="person"),
)


async def test_a_telegram_conversation_with_buttons(world: World) -> None:
    await world.browser.post(f"{ASH.page}/messages", data={"text": "/start"})
    await world.arrives(Channel.TELEGRAM, ASH.address, "hello")
    provider_id = await world.telegram.send(ASH.address, "These can help:", CHOICES)
    assert ASH.address not in provider_id
    page = await world.page(ASH.page)
    assert page.count('<button name="data"') == 2

    bubble = re.search(r'name="message" value="(\d+)"', page)
    assert bubble is not None
    press = {"message": bubble[1], "data": "details:svc-rent-help"}
    await world.browser.post(f"{ASH.page}/press", data=press)
    message = await world.arrives(Channel.TELEGRAM, ASH.address, "Rent Rescue drop-in")
    assert message.payload == "details:svc-rent-help"

    async def keyboard_is_gone() -> bool:
        return '<button name="data"' not in await world.page(ASH.page)

    await eventually(keyboard_is_gone)
    await world.browser.post(f"{ASH.page}/press", data=press)
    assert len(await world.stored(Channel.TELEGRAM, ASH.address)) == 2


async def test_only_buttons_that_are_there_can_be_pressed(world: World) -> None:
    await world.telegram.send(ASH.address, "These can help:", CHOICES)
    for press in ({"message": "1", "data": "forget:yes"}, {"message": "999", "data": "person"}, {"message": "x"}):
        assert (await world.browser.post(f"{ASH.page}/press", data=press)).status_code == 200
    assert await world.stored(Channel.TELEGRAM, ASH.address) == []


async def test_a_person_who_blocks_the_bot_cannot_be_sent_to_until_they_unblock_it(world: World) -> None:
    await world.browser.post(f"{ASH.page}/block")
    with pytest.raises(SendFailed) as failure:
        await world.telegram.send(ASH.address, "hello")
    assert (failure.value.code, failure.value.retryable) == ("blocked", False)
    await world.browser.post(f"{ASH.page}/block")
    await world.telegram.send(ASH.address, "hello")


async def test_failures_at_telegram_say_what_to_do_next(world: World) -> None:
    for status, expected in {
        429: ("flood", True, 1.0),
        500: ("unreachable", True, None),
        401: ("token", False, None),
        400: ("refused", False, None),
    }.items():
        world.phones.misbehave["telegram"].status, world.phones.misbehave["telegram"].times = status, 1
        with pytest.raises(SendFailed) as failure:
            await world.telegram.send(ASH.address, "hello")
        assert (failure.value.code, failure.value.retryable, failure.value.retry_after) == expected


async def test_an_answer_that_breaks_off_is_worth_another_try(world: World) -> None:
    world.phones.misbehave["telegram"].reset = True
    with pytest.raises(SendFailed) as failure:
        await world.telegram.send(ASH.address, "hello")
    assert failure.value.retryable


async def test_what_telegram_would_not_take_is_not_taken_here(world: World) -> None:
    too_much = (Choice(title="x", payload="x" * 65),)
    for address, words, choices in (
        ("1", "a chat that is not there", ()),
        (ASH.address, " ", ()),
        (ASH.address, "x" * 4097, ()),
        (ASH.address, "a payload over 64 bytes", too_much),
    ):
        with pytest.raises(SendFailed) as failure:
            await world.telegram.send(address, words, choices)
        assert (failure.value.code, failure.value.retryable) == ("refused", False), words[:30]


async def test_a_press_that_cannot_be_answered_is_let_go(world: World) -> None:
    world.phones.misbehave["telegram"].status = 500
    await world.telegram.answer_press("1")


async def test_setting_up_tells_telegram_where_to_send_and_what_the_menu_holds(world: World) -> None:
    await world.telegram.set_up()
    token = world.settings.telegram_token.get_secret_value()
    api = f"/simulator/telegram/bot{token}"
    info = (await world.browser.get(f"{api}/getWebhookInfo")).json()["result"]
    assert info["url"] == f"{world.settings.base_url}/hooks/telegram"
    menu = (await world.browser.get(f"{api}/getMyCommands")).json()["result"]
    assert [line["command"] for line in menu] == ["start", "help", "person", "privacy", "forget", "language"]
    await world.browser.post(f"{ASH.page}/messages", data={"text": "hello"})
    await world.arrives(Channel.TELEGRAM, ASH.address, "hello")
