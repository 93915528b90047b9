"""Asking Telegram for updates: the real client against the fake, and nothing lost or doubled when a part is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from channels.app import create_app
from channels.conversation import Channel
from channels.errors import LedgerUnavailable, Malformed, SendFailed
from channels.ledger import Ledger
from channels.polling import Poller
from channels.settings import Settings
from channels.streams import Streams
from channels.updates import Errand
from tests.integration.serving import eventually, serving
from tests.phone_builders import ASH, World, open_world, with_phones
from tests.worker_builders import cut_short


@dataclass
class Turned:
    """What could not be read."""

    reasons: list[str] = field(default_factory=list)

    async def record(self, channel: Channel, reason: str, ids: Mapping[str, str]) -> None:
        self.reasons.append(reason)


@dataclass
class ListedTelegram:
    """Gives what comes from a number on, and remembers the numbers it was asked for."""

    updates_there: list[Any]
    asked: list[int | None] = field(default_factory=list)
    failures: list[SendFailed] = field(default_factory=list)
    webhook: bool = True

    async def drop_webhook(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.webhook = False

    async def updates(self, offset: int | None) -> list[Any]:
        await asyncio.sleep(0)
        self.asked.append(offset)
        return [update for update in self.updates_there if offset is None or update["update_id"] >= offset]


@dataclass
class Taker:
    """Takes updates; raises what stands for a number once."""

    problems: dict[int, Exception] = field(default_factory=dict)
    taken: list[int] = field(default_factory=list)

    async def take(self, update_json: object) -> Errand | None:
        assert isinstance(update_json, dict)
        number = update_json["update_id"]
        if number in self.problems:
            raise self.problems.pop(number)
        self.taken.append(number)
        return None


THREE = [{"update_id": number} for number in (7, 8, 9)]


async def test_the_number_moves_only_when_the_ledger_has_the_update() -> None:
    telegram, taker = ListedTelegram(THREE), Taker({8: LedgerUnavailable("disk full")})
    poller = Poller(telegram=telegram, updates=taker, on_unreadable=Turned())
    with pytest.raises(LedgerUnavailable):
        await poller.look()
    assert (poller.offset, taker.taken) == (8, [7])
    await poller.look()
    await poller.look()
    assert telegram.asked == [None, 8, 10]
    assert taker.taken == [7, 8, 9]


async def test_an_update_that_cannot_be_read_is_recorded_and_holds_nobody_up() -> None:
    telegram, taker, turned = ListedTelegram(THREE), Taker({8: Malformed("no chat")}), Turned()
    poller = Poller(telegram=telegram, updates=taker, on_unreadable=turned)
    await poller.look()
    assert (poller.offset, taker.taken, turned.reasons) == (10, [7, 9], ["malformed"])


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(LedgerUnavailable("disk full"), id="the ledger is away"),
        pytest.param(RuntimeError("nobody foresaw it"), id="something nobody foresaw"),
    ],
)
async def test_polling_goes_on_after_any_trouble(problem: Exception) -> None:
    telegram = ListedTelegram(THREE, failures=[SendFailed("unreachable", "", retryable=True)])
    taker = Taker({8: problem})
    poller = Poller(telegram=telegram, updates=taker, on_unreadable=Turned(), first_pause=0.01)
    task = asyncio.create_task(poller.run())
    await eventually(lambda: poller.offset == 10)
    await cut_short(task)
    assert taker.taken == [7, 8, 9]
    assert not telegram.webhook


# -- the real client and the fake Telegram


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_phones(settings)


@pytest.fixture
async def world(settings: Settings, ledger: Ledger, streams: Streams) -> AsyncIterator[World]:
    async with open_world(settings, ledger, streams) as opened:
        yield opened


@asynccontextmanager
async def polling(world: World, **changes: Any) -> AsyncIterator[Poller]:
    values = {"telegram": world.telegram, "updates": world.updates, "on_unreadable": Turned(), "first_pause": 0.05}
    poller = Poller(**{**values, **changes})
    task = asyncio.create_task(poller.run())
    try:
        yield poller
    finally:
        await cut_short(task)


async def write(world: World, *texts: str) -> None:
    for text in texts:
        await world.browser.post(f"{ASH.page}/messages", data={"text": text})


async def texts(world: World) -> list[str]:
    return [message.text for message in await world.stored(Channel.TELEGRAM, ASH.address)]


async def test_messages_arrive_in_order_without_a_webhook(world: World) -> None:
    async with polling(world) as poller:
        await eventually(lambda: poller.listening)
        await write(world, "one", "two", "three")
        await world.arrives(Channel.TELEGRAM, ASH.address, "three")
    assert await texts(world) == ["one", "two", "three"]


async def test_what_was_stored_when_the_process_died_is_not_doubled(world: World) -> None:
    await world.telegram.drop_webhook()
    await write(world, "one")
    (update,) = await eventually_updates(world)
    await world.updates.take(update)  # Stored; then the process dies, and the number with it.
    async with polling(world):
        await write(world, "two")
        await world.arrives(Channel.TELEGRAM, ASH.address, "two")
    assert await texts(world) == ["one", "two"]


async def test_what_waits_when_nobody_asks_is_kept_for_the_webhook(world: World) -> None:
    await world.telegram.drop_webhook()
    await write(world, "one", "two")
    await world.telegram.set_up()
    await world.arrives(Channel.TELEGRAM, ASH.address, "two")
    assert await texts(world) == ["one", "two"]


async def test_nothing_can_be_asked_for_while_a_webhook_is_set(world: World) -> None:
    with pytest.raises(SendFailed) as failure:
        await world.telegram.updates(None)
    assert (failure.value.code, failure.value.retryable) == ("conflict", True)


async def test_an_answer_that_breaks_off_loses_nothing(world: World) -> None:
    async with polling(world) as poller:
        await eventually(lambda: poller.listening)
        world.phones.misbehave["telegram"].reset, world.phones.misbehave["telegram"].times = True, 2
        await write(world, "one", "two")
        await world.arrives(Channel.TELEGRAM, ASH.address, "two")
    assert await texts(world) == ["one", "two"]


async def test_the_app_asks_when_it_is_told_to_and_needs_no_secret(
    settings: Settings, ledger: Ledger, valkey_url: str
) -> None:
    given = {"telegram_polling": True, "telegram_secret": SecretStr(""), "redis_url": SecretStr(valkey_url)}
    told = settings.model_copy(update=given)
    info = f"/simulator/telegram/bot{told.telegram_token.get_secret_value()}/getWebhookInfo"
    async with serving(create_app(told), told.port) as address, httpx.AsyncClient(base_url=address) as browser:

        async def webhook_is_gone() -> bool:
            return (await browser.get(info)).json()["result"]["url"] == ""

        await eventually(webhook_is_gone)
        await browser.post(f"{ASH.page}/messages", data={"text": "hello"})
        await eventually(lambda: ledger.person_at(Channel.TELEGRAM, ASH.address))


async def eventually_updates(world: World) -> list[Any]:
    found = await eventually(lambda: world.telegram.updates(None))
    assert isinstance(found, list)
    return found
