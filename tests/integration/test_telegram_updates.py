"""What Telegram's updates do beside bringing messages: groups, being shut out, and where somebody came from."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from channels.conversation import Channel, Choice
from channels.errors import SendFailed
from channels.intake import Intake
from channels.ledger import Ledger
from channels.ledger.records import ConversationRecord
from channels.metrics import Metrics
from channels.settings import Settings
from channels.streams import Streams
from channels.telegram import GroupCall, Telegram
from channels.updates import Updates
from channels.wording import Wording

DATA = Path(__file__).parent.parent / "data" / "telegram"
CHAT, GROUP, LINK = "770090123", "-1001234567890", "https://t.me/no_wrong_door_bot"
WORDING = Wording.load()


class SayingTelegram(Telegram):
    """Reads as the real one does; what it says is kept here. `away`: Telegram does not answer."""

    away = False

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.said: list[tuple[str, str]] = []

    async def link_for(self, call: GroupCall) -> str | None:
        if self.away:
            raise SendFailed("unreachable", "", retryable=True)
        return LINK if call.sure or "no_wrong_door_bot" in call.names else None

    async def send(self, address: str, text: str, choices: Sequence[Choice] = ()) -> str:
        self.said.append((address, text))
        return "message-1-x"


@dataclass
class Door:
    telegram: SayingTelegram
    updates: Updates
    metrics: Metrics
    ledger: Ledger

    async def take(self, *names: str, **changes: Any) -> None:
        for name in names:
            errand = await self.updates.take({**recorded(name), **changes})
            if errand is not None:
                await errand()

    async def conversation(self) -> ConversationRecord | None:
        person = await self.ledger.person_at(Channel.TELEGRAM, CHAT)
        return await self.ledger.conversation_of(person.id) if person else None


def recorded(name: str) -> dict[str, Any]:
    update: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return update


@pytest.fixture
async def door(settings: Settings, ledger: Ledger, streams: Streams) -> AsyncIterator[Door]:
    secrets = {"telegram_token": SecretStr("123456789:token"), "telegram_secret": SecretStr("s")}
    telegram = SayingTelegram(settings.model_copy(update=secrets))
    metrics = Metrics(["poster-library"])
    intake = Intake(ledger, streams, metrics)
    updates = Updates(telegram=telegram, intake=intake, ledger=ledger, streams=streams, wording=WORDING)
    yield Door(telegram, updates, metrics, ledger)
    await telegram.close()


# -- groups


@pytest.mark.parametrize(
    "name", ["added_to_group", "group_mention", "group_command", "group_command_to_bot", "group_reply_to_us"]
)
async def test_a_group_that_calls_us_hears_where_to_talk_alone(door: Door, name: str) -> None:
    await door.take(name)
    assert door.telegram.said == [(GROUP, WORDING.say("group", link=LINK))]
    assert LINK in door.telegram.said[0][1]
    assert await door.conversation() is None


async def test_a_group_hears_it_once(door: Door) -> None:
    await door.take("added_to_group", "group_mention", "group_command", "group_mention", "group_text")
    assert len(door.telegram.said) == 1
    await door.take("channel_mention")
    assert [address for address, _ in door.telegram.said] == [GROUP, "-1009876543210"]


@pytest.mark.parametrize(
    "name",
    ["group_text", "group_command_to_another", "group_mention_of_another", "removed_from_group", "made_administrator"],
)
async def test_what_a_group_says_among_itself_is_not_answered(door: Door, name: str) -> None:
    await door.take(name)
    assert door.telegram.said == []


async def test_a_group_is_not_answered_when_telegram_is_away_and_is_the_next_time(door: Door) -> None:
    door.telegram.away = True
    await door.take("group_command")
    door.telegram.away = False
    await door.take("group_command")
    assert len(door.telegram.said) == 1


# -- being shut out


async def test_somebody_who_shuts_us_out_is_known_to_have_until_they_are_back(door: Door) -> None:
    await door.take("text", "blocked_us")
    blocked = await door.conversation()
    assert blocked is not None
    assert blocked.blocked
    await door.take("unblocked_us")
    back = await door.conversation()
    assert back is not None
    assert not back.blocked


async def test_writing_shows_that_they_are_back(door: Door) -> None:
    await door.take("text", "blocked_us", "photo")
    conversation = await door.conversation()
    assert conversation is not None
    assert not conversation.blocked


@pytest.mark.parametrize("name", ["blocked_us", "unblocked_us"])
async def test_nobody_is_stored_who_has_not_written(door: Door, name: str) -> None:
    await door.take(name)
    assert await door.conversation() is None


# -- where they came from


async def test_the_first_link_that_brought_somebody_stays(door: Door) -> None:
    await door.take("start_by_link", "text")
    again = recorded("start_by_link")
    again["message"]["text"] = "/start another-poster"
    await door.take("start_by_link", update_id=1, message=again["message"])
    conversation = await door.conversation()
    assert conversation is not None
    assert conversation.came_from == "poster-library"


async def test_links_are_counted_by_name_only_if_the_name_is_known(door: Door) -> None:
    link = recorded("start_by_link")
    for number in range(30):
        link["message"]["text"] = f"/start made-up-{number}"
        await door.take("start_by_link", update_id=number, message=link["message"])
    await door.take("start_by_link", "start_by_link", "start", "text")
    counted = [line for line in door.metrics.render().decode().splitlines() if line.startswith("nwd_came_from_total")]
    assert sorted(counted) == [
        'nwd_came_from_total{channel="telegram",source="other"} 30.0',
        'nwd_came_from_total{channel="telegram",source="poster-library"} 1.0',
    ]


async def test_forgetting_takes_where_they_came_from_along(door: Door) -> None:
    await door.take("start_by_link")
    person = await door.ledger.person_at(Channel.TELEGRAM, CHAT)
    assert person is not None
    await door.ledger.forget(person.id)
    assert (await door.ledger.conversation_of(person.id)).came_from is None
