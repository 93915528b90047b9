"""Telegram: the real client library on one side, our own webhook on the other, real HTTP between."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from channels.conversation import Channel, Choice, Delivery, Sender
from channels.errors import SendFailed
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.senders import TelegramSender
from channels.sending import Sending
from channels.settings import Settings
from channels.streams import Streams
from channels.telegram import GroupCall
from channels.worker_metrics import WorkerMetrics
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


async def test_setting_up_tells_telegram_where_to_send(world: World) -> None:
    await world.telegram.set_up()
    token = world.settings.telegram_token.get_secret_value()
    api = f"/simulator/telegram/bot{token}"
    info = (await world.browser.get(f"{api}/getWebhookInfo")).json()["result"]
    assert info["url"] == f"{world.settings.base_url}/hooks/telegram"
    await world.browser.post(f"{ASH.page}/messages", data={"text": "hello"})
    await world.arrives(Channel.TELEGRAM, ASH.address, "hello")


@pytest.mark.parametrize(
    ("language", "first"),
    [("", "Start a conversation"), ("en", "Start a conversation"), ("cy", "Dechrau sgwrs"), ("fr", None)],
)
async def test_the_menu_is_there_in_each_language(world: World, language: str, first: str | None) -> None:
    await world.telegram.set_menu()
    api = f"/simulator/telegram/bot{world.settings.telegram_token.get_secret_value()}"
    asked = {"language_code": language}
    menu = (await world.browser.get(f"{api}/getMyCommands", params=asked)).json()["result"]
    names = ["start", "help", "person", "privacy", "forget", "language"] if first else []
    assert [line["command"] for line in menu] == names
    assert first is None or menu[0]["description"] == first
    about = (await world.browser.get(f"{api}/getMyShortDescription", params=asked)).json()["result"]
    words = (await world.browser.get(f"{api}/getMyDescription", params=asked)).json()["result"]
    assert bool(about["short_description"]) is bool(words["description"]) is bool(first)


async def test_a_person_who_blocks_the_bot_is_known_to_have(world: World) -> None:
    await world.browser.post(f"{ASH.page}/messages", data={"text": "hello"})
    await world.arrives(Channel.TELEGRAM, ASH.address, "hello")
    person = await world.ledger.person_at(Channel.TELEGRAM, ASH.address)
    assert person is not None

    async def blocked() -> bool:
        return (await world.ledger.conversation_of(person.id)).blocked

    await world.browser.post(f"{ASH.page}/block")
    await eventually(blocked)
    await world.browser.post(f"{ASH.page}/block")

    async def back() -> bool:
        return not await blocked()

    await eventually(back)


async def test_a_group_is_given_our_link_by_the_name_telegram_knows_us_by(world: World) -> None:
    named = GroupCall(chat_id="-1", names=frozenset({"no_wrong_door_demo_bot"}))
    assert await world.telegram.link_for(named) == "https://t.me/no_wrong_door_demo_bot"
    world.phones.misbehave["telegram"].status = 500  # It is asked for its name once.
    assert await world.telegram.link_for(GroupCall(chat_id="-1", sure=True)) == "https://t.me/no_wrong_door_demo_bot"
    assert await world.telegram.link_for(GroupCall(chat_id="-1", names=frozenset({"another_bot"}))) is None


async def answer(world: World, conversation_id: str, *texts: str) -> TelegramSender:
    """Queue messages with choices and send them, as a worker does. Close what it gives."""
    drafts = [Draft(sender=Sender.ASSISTANT, text=text, choices=CHOICES) for text in texts]
    await world.ledger.append(conversation_id, drafts)
    sender = TelegramSender(world.telegram, world.ledger)
    sending = Sending(
        ledger=world.ledger,
        streams=world.streams,
        senders={Channel.TELEGRAM: sender},
        metrics=WorkerMetrics(),
        clock=lambda: datetime.now(UTC),
    )
    await sending.work_through(conversation_id)
    return sender


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [
        pytest.param(403, Delivery.FAILED, "This person has blocked the bot or closed their account.", id="blocked"),
        pytest.param(429, Delivery.QUEUED, "Telegram asked us to slow down.", id="too many, for now"),
        pytest.param(500, Delivery.QUEUED, "Telegram could not be reached in time.", id="away"),
    ],
)
async def test_what_became_of_a_message_is_said_in_words(world: World, status: int, state: Delivery, why: str) -> None:
    await world.browser.post(f"{ASH.page}/messages", data={"text": "hello"})
    first = await world.arrives(Channel.TELEGRAM, ASH.address, "hello")
    world.phones.misbehave["telegram"].status, world.phones.misbehave["telegram"].times = status, 1
    await (await answer(world, first.conversation_id, "one")).close()
    message = (await world.stored(Channel.TELEGRAM, ASH.address))[-1]
    assert (message.delivery, message.error_text) == (state, why)


async def test_a_new_list_takes_the_buttons_of_the_one_before(world: World) -> None:
    await world.browser.post(f"{ASH.page}/messages", data={"text": "hello"})
    first = await world.arrives(Channel.TELEGRAM, ASH.address, "hello")
    sender = await answer(world, first.conversation_id, "one", "two")

    async def one_keyboard() -> bool:
        return (await world.page(ASH.page)).count('<button name="data"') == len(CHOICES)

    await eventually(one_keyboard)
    messages = await world.stored(Channel.TELEGRAM, ASH.address)
    assert [message.delivery for message in messages[1:]] == [Delivery.SENT, Delivery.SENT]
    await sender.close()
