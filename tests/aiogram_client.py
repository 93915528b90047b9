"""aiogram, another Telegram library, run by an interpreter that has it: reads updates, and drives a Bot API.

    python aiogram_client.py read < updates.json                 {name: update}
    python aiogram_client.py drive URL TOKEN CHAT                steps (functions below) come in, a line each

Prints JSON, a line for each answer. Its types check what the API gives: what the real one would not ends it here.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramAPIError, TelegramRetryAfter
from aiogram.types import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Update
from aiogram.types.update import UpdateTypeLookupError

KEYBOARD = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="Talk to a person", callback_data="person")]]
)


def read(updates: dict[str, Any]) -> dict[str, Any]:
    """What kind of update each is to aiogram, in which chat, by whom, and with which words."""
    found: dict[str, Any] = {}
    for name, raw in updates.items():
        update = Update.model_validate(raw)
        try:
            kind = update.event_type
        except UpdateTypeLookupError:
            found[name] = {"kind": None}
            continue
        event: Any = update.event
        message = getattr(event, "message", None) or event
        words = getattr(event, "data", None) or getattr(event, "text", None) or getattr(event, "caption", None)
        chat = getattr(message, "chat", None)
        found[name] = {"kind": kind, "chat": chat.id if chat else None, "words": words}
    return found


async def me(bot: Bot, chat: int) -> Any:
    found = await bot.get_me()
    return [found.id, found.is_bot, found.username]


async def menu(bot: Bot, chat: int) -> Any:
    await bot.set_my_commands([BotCommand(command="start", description="Dechrau")], language_code="cy")
    await bot.set_my_description("Geiriau", language_code="cy")
    await bot.set_my_short_description("Gair", language_code="cy")
    commands = await bot.get_my_commands(language_code="cy")
    words = (
        (await bot.get_my_description("cy")).description,
        (await bot.get_my_short_description("cy")).short_description,
    )
    return [[line.command for line in commands], *words, len(await bot.get_my_commands())]


async def talk(bot: Bot, chat: int) -> Any:
    """A message with a button, the button taken away, and away again."""
    sent = await bot.send_message(chat, "These can help:", reply_markup=KEYBOARD)
    assert sent.reply_markup is not None
    edited: Any = await bot.edit_message_reply_markup(chat_id=chat, message_id=sent.message_id)
    typing = await bot.send_chat_action(chat, "typing")
    answered = await bot.answer_callback_query("1")
    again = await problem(bot.edit_message_reply_markup(chat_id=chat, message_id=sent.message_id))
    return [sent.text, edited.reply_markup is None, typing, answered, again]


async def refusals(bot: Bot, chat: int) -> Any:
    return [
        await problem(bot.send_message(chat, "x" * 4097)),
        await problem(bot.send_message(1, "nobody there")),
        await problem(bot.send_message(chat, " ")),
        await problem(bot.send_chat_action(chat, "dancing")),
        await problem(Bot("1:wrong", session=bot.session).get_me()),
    ]


async def send(bot: Bot, chat: int) -> Any:
    """For a network on a bad day."""
    return await problem(bot.send_message(chat, "hello"))


async def updates(bot: Bot, chat: int) -> Any:
    """Refused while a webhook is set; without one, everything that waits, until it is confirmed."""
    refused = await problem(bot.get_updates())
    await bot.delete_webhook()
    first = await bot.get_updates(timeout=1)
    again = await bot.get_updates(timeout=1)
    rest = await bot.get_updates(offset=first[-1].update_id + 1, timeout=0) if first else []
    return [refused, [update.event_type for update in first], len(again) == len(first), len(rest)]


async def webhook(bot: Bot, chat: int) -> Any:
    await bot.set_webhook("https://help.example/hooks/telegram", secret_token="s")
    return (await bot.get_webhook_info()).url


async def problem(call: Any) -> str:
    """The name of what aiogram makes of a refusal, and how long to wait."""
    try:
        await call
    except TelegramRetryAfter as error:
        return f"TelegramRetryAfter {error.retry_after}"
    except TelegramAPIError as error:
        return type(error).__name__
    return ""


STEPS = {step.__name__: step for step in (me, menu, talk, refusals, send, updates, webhook)}


async def drive(url: str, token: str, chat: int) -> None:
    """Until there are no more steps. One process for all of them: the library takes seconds to load."""
    async with Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url))) as bot:
        while step := (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(json.dumps(await STEPS[step](bot, chat)), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "read":
        print(json.dumps(read(json.load(sys.stdin))))
    else:
        asyncio.run(drive(sys.argv[2], sys.argv[3], int(sys.argv[4])))
