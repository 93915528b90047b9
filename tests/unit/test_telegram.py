"""Telegram's updates, as the JSON they come as, turned into our nouns."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels.conversation import Channel, Inbound, Media
from channels.errors import Malformed
from channels.settings import Settings
from channels.telegram import GroupCall, Press, Reach, Telegram
from channels.telegram.menu import COMMANDS, load_menus

DATA = Path(__file__).parent.parent / "data" / "telegram"
SECRET = "secret-of-the-tests"


def recorded(name: str) -> dict[str, Any]:
    update: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return update


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    opened = Telegram(Settings(telegram_token="123456789:token-of-the-tests", telegram_secret=SECRET))
    yield opened
    await opened.close()


def inbound(name: str, words: str = "", **changes: Any) -> Inbound:
    return Inbound(
        channel=Channel.TELEGRAM,
        address="770090123",
        provider_id=f"update-{recorded(name)['update_id']}",
        text=words,
        language="en",
        **changes,
    )


def with_media(name: str, words: str = "", **media: Any) -> Inbound:
    return inbound(name, words, media=(Media(**media),))


LARGE = {"kind": "picture", "reference": "AgAClarge", "size": 98765}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("text", inbound("text", "my landlord wants me out by friday")),
        ("edited", inbound("edited", "my landlord wants me out by monday")),
        ("start", inbound("start", "hello")),
        ("start_by_link", inbound("start_by_link", "hello", came_from="poster-library")),
        ("command_to_bot", inbound("command_to_bot", "forget me")),
        ("unknown_command", inbound("unknown_command", "/restart now")),
        ("slash", inbound("slash", "/")),
        ("caption", with_media("caption", "this is the letter i got", **LARGE)),
        ("photo", with_media("photo", **LARGE)),
        ("voice", with_media("voice", kind="voice", reference="AwACvoice", content_type="audio/ogg", size=15000)),
        ("video_note", with_media("video_note", kind="video", reference="DQACnote", size=54000)),
        ("sticker", with_media("sticker", kind="sticker", reference="CAACsticker", size=20000)),
        (
            "document",
            with_media("document", kind="file", reference="BQACdoc", content_type="application/pdf", size=32000),
        ),
        ("location", with_media("location", kind="location", reference="54.150,-0.900")),
        ("contact", with_media("contact", kind="contact")),
        ("dice", with_media("dice", kind="file")),
        ("press", inbound("press", "Talk to a person", payload="person")),
        ("press_on_old_message", inbound("press_on_old_message", payload="more")),
        ("press_without_message", inbound("press_without_message", payload="more")),
        ("live_location_moves", None),
        ("group_mention", None),
        ("group_command", None),
        ("added_to_group", None),
        ("unblocked_us", None),
        ("group_text", None),
        ("group_press", None),
        ("channel_post", None),
        ("blocked_us", None),
        ("kind_from_the_future", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_recorded_update_becomes_an_inbound_or_is_left_alone(
    telegram: Telegram, name: str, expected: Inbound | None
) -> None:
    assert telegram.parse(recorded(name)) == expected


def test_every_recorded_update_is_read_without_an_error(telegram: Telegram) -> None:
    for path in DATA.glob("*.json"):
        telegram.parse(recorded(path.stem))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("press", Press(callback_id="4382bfdwdsb323b2d9", chat_id="770090123", message_id=42)),
        ("press_on_old_message", Press(callback_id="4382bfdwdsb323b2da", chat_id="770090123", message_id=7)),
        ("press_without_message", Press(callback_id="4382bfdwdsb323b2db")),
        ("text", None),
    ],
)
def test_a_press_says_what_to_answer_and_which_keyboard_is_used_up(
    telegram: Telegram, name: str, expected: Press | None
) -> None:
    assert telegram.read(recorded(name)).press == expected


GROUP = "-1001234567890"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("group_mention", GroupCall(chat_id=GROUP, names=frozenset({"no_wrong_door_bot"}))),
        ("group_mention_of_another", GroupCall(chat_id=GROUP, names=frozenset({"somebody_else"}))),
        ("group_command", GroupCall(chat_id=GROUP, sure=True)),
        ("group_command_to_bot", GroupCall(chat_id=GROUP, names=frozenset({"no_wrong_door_bot"}))),
        ("group_command_to_another", GroupCall(chat_id=GROUP, names=frozenset({"weather_bot"}))),
        ("group_command_by_hidden_administrator", GroupCall(chat_id=GROUP, names=frozenset({"no_wrong_door_bot"}))),
        ("group_text_mention", GroupCall(chat_id=GROUP, sure=True)),
        ("group_reply_to_us", GroupCall(chat_id=GROUP, sure=True)),
        ("added_to_group", GroupCall(chat_id=GROUP, sure=True)),
        ("channel_mention", GroupCall(chat_id="-1009876543210", names=frozenset({"no_wrong_door_bot"}))),
        ("group_text", None),
        ("group_command_unknown", None),
        ("group_command_by_a_bot", None),
        ("made_administrator", None),
        ("removed_from_group", None),
        ("channel_post", None),
        ("text", None),
        ("command_to_bot", None),
        ("blocked_us", None),
    ],
)
def test_a_group_calls_us_when_it_lets_us_in_names_us_or_gives_a_command(
    telegram: Telegram, name: str, expected: GroupCall | None
) -> None:
    assert telegram.read(recorded(name)).call == expected


def test_text_that_cannot_be_counted_names_nobody(telegram: Telegram) -> None:
    update = recorded("group_mention")
    update["message"]["text"] = "hey \ud83d @no_wrong_door_bot"
    assert telegram.read(update).call is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("blocked_us", Reach(address="770090123", blocked=True)),
        ("unblocked_us", Reach(address="770090123", blocked=False)),
        ("removed_from_group", None),
        ("text", None),
    ],
)
def test_somebody_shuts_us_out_and_lets_us_in_again(telegram: Telegram, name: str, expected: Reach | None) -> None:
    assert telegram.read(recorded(name)).reach == expected


@pytest.mark.parametrize(
    ("typed", "words", "came_from"),
    [
        pytest.param("/start poster-library", "hello", "poster-library", id="a poster"),
        pytest.param("/start A_1-z", "hello", "A_1-z", id="every kind of letter"),
        pytest.param("/start " + "x" * 64, "hello", "x" * 64, id="as long as a link can be"),
        pytest.param("/start " + "x" * 65, "hello", None, id="longer than a link can be"),
        pytest.param("/start im morgan ring me", "hello", None, id="typed words"),
        pytest.param("/start caf\u00e9", "hello", None, id="a letter that no link has"),
        pytest.param("/start ", "hello", None, id="nothing"),
        pytest.param("/help poster-library", "help", None, id="another command"),
        pytest.param("/start code-ACDEF3", "ACDEF3", None, id="a code, as if it were typed"),
        pytest.param("/start code-", "hello", "code-", id="half a code"),
        pytest.param("start poster-library", "start poster-library", None, id="words without a slash"),
    ],
)
def test_a_link_says_where_somebody_came_from(
    telegram: Telegram, typed: str, words: str, came_from: str | None
) -> None:
    update = recorded("start")
    update["message"]["text"] = typed
    parsed = telegram.parse(update)
    assert parsed is not None
    assert (parsed.text, parsed.came_from) == (words, came_from)


def test_updates_that_are_asked_for_need_no_secret() -> None:
    assert Telegram.from_settings(Settings(telegram_token="1:x", telegram_polling=True)) is not None


@pytest.mark.parametrize(
    "update",
    [
        pytest.param(None, id="not JSON"),
        pytest.param([], id="a list"),
        pytest.param({}, id="empty"),
        pytest.param({"update_id": "1"}, id="an id that is no number"),
        pytest.param({"update_id": 1, "message": {"text": "secret words"}}, id="a message without its parts"),
        pytest.param({"update_id": 1, "message": "secret words"}, id="a message that is text"),
        pytest.param({"update_id": 1, "callback_query": {"id": "1"}}, id="a press by nobody"),
    ],
)
def test_what_is_no_update_is_malformed_and_does_not_say_what_was_in_it(telegram: Telegram, update: object) -> None:
    with pytest.raises(Malformed) as problem:
        telegram.parse(update)
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        pytest.param(SECRET, True, id="the secret"),
        pytest.param(SECRET + "x", False, id="longer"),
        pytest.param(SECRET[:-1], False, id="shorter"),
        pytest.param("", False, id="empty"),
        pytest.param(None, False, id="missing"),
        pytest.param("sécret", False, id="not ASCII"),
    ],
)
def test_only_the_secret_opens(telegram: Telegram, header: str | None, accepted: bool) -> None:
    assert telegram.verify(header) is accepted


async def test_without_a_secret_nothing_opens() -> None:
    open_door = Telegram(Settings(telegram_token="123456789:token"))
    assert not open_door.verify("")
    assert not open_door.verify(None)
    await open_door.close()


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(Settings(), id="nothing set"),
        pytest.param(Settings(telegram_token="1:x"), id="no secret"),
        pytest.param(Settings(telegram_secret="x"), id="no token"),
    ],
)
def test_telegram_is_off_until_it_is_set_up(settings: Settings) -> None:
    assert Telegram.from_settings(settings) is None


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("/start", "hello"),
        ("/help", "help"),
        ("/person", "person"),
        ("/privacy", "privacy"),
        ("/forget", "forget me"),
        ("/language", "talk to a person in another language"),
        ("/LANGUAGE@our_bot", "talk to a person in another language"),
    ],
)
def test_a_command_of_the_menu_stands_for_plain_words(telegram: Telegram, typed: str, means: str) -> None:
    update = recorded("start")
    update["message"]["text"] = typed
    parsed = telegram.parse(update)
    assert parsed is not None
    assert (parsed.text, parsed.payload) == (means, None)


# -- the menu

LONGEST = {"command": 256, "description": 512, "about": 120}
"""Letters, as the Bot API has it."""


@pytest.mark.parametrize(("country", "codes"), [("GB", ["", "en", "cy"]), ("IE", ["", "en"])])
def test_a_country_has_a_menu_in_each_of_its_languages(country: str, codes: list[str]) -> None:
    menus = load_menus(country)
    assert [menu.code for menu in menus] == codes
    for menu in menus:
        assert list(menu.commands) == list(COMMANDS)
        assert all(0 < len(line) <= LONGEST["command"] for line in menu.commands.values())
        assert 0 < len(menu.description) <= LONGEST["description"]
        assert 0 < len(menu.about) <= LONGEST["about"]


def test_the_emergency_number_in_the_menu_is_the_countrys() -> None:
    assert all("999" in menu.description for menu in load_menus("GB"))
    assert all("112 or 999" in menu.description for menu in load_menus("IE"))


def test_welsh_is_not_english() -> None:
    _, english, welsh = load_menus("GB")
    assert not set(english.commands.values()) & set(welsh.commands.values())
