"""The Bot API: knowing its updates, sending, and what goes with sending.

Oddities worth knowing:
- The secret that Telegram sends with each update is set by us when the webhook is set.
- A press on a button spins on the person's screen until it is answered, and an old keyboard can be pressed for ever.
- Message ids are numbered within a chat, so ours carry a keyed hash of the chat as well.
- Updates can be asked for only while no webhook is set, and asking from number N says that all before N are safe.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Awaitable, Sequence
from hashlib import sha256
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlencode

import structlog
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, User
from telegram.constants import ChatAction
from telegram.error import TelegramError
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from channels.conversation import Choice, Inbound
from channels.settings import Settings
from channels.telegram.failures import failure_of
from channels.telegram.menu import load_menus
from channels.telegram.nouns import Arrival, GroupCall, Press
from channels.telegram.parsing import arrival_of, read_update

REAL_API: Final = "https://api.telegram.org/bot"
TIMEOUT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 25
"""How long Telegram holds a question for updates open when there are none."""
PATH: Final = "/hooks/telegram"
ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member", "channel_post")
MESSAGE_ID: Final = re.compile(r"message-([0-9]+)-[0-9a-f]+")


T = TypeVar("T")


class Telegram:
    """Verify, parse and send. Construct inside a running event loop; `close` frees the connections."""

    def __init__(self, settings: Settings) -> None:
        token = settings.telegram_token.get_secret_value()
        self._secret = settings.telegram_secret.get_secret_value()
        self._webhook = settings.base_url + PATH
        self._country = settings.country
        self._chat_key = token.encode()
        number = token.split(":", 1)[0]
        self._bot_id = int(number) if number.isdecimal() else 0
        self._me: User | None = None
        self._request = _connection()
        self._asking = _connection()
        self._bot: Bot = ExtBot(
            token,
            base_url=settings.telegram_api_url or REAL_API,
            request=self._request,
            get_updates_request=self._asking,
            rate_limiter=AIORateLimiter(),
        )
        self._log = structlog.get_logger()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """None when Telegram is not set up: no token, or no secret to know its updates by."""
        known = settings.telegram_secret.get_secret_value() or settings.telegram_polling
        return cls(settings) if settings.telegram_token.get_secret_value() and known else None

    async def close(self) -> None:
        await self._request.shutdown()
        await self._asking.shutdown()

    # -- what comes in

    def verify(self, header: str | None) -> bool:
        """Compare X-Telegram-Bot-Api-Secret-Token in constant time. Without a secret nothing is accepted."""
        return bool(self._secret) and hmac.compare_digest((header or "").encode(), self._secret.encode())

    def read(self, update_json: object) -> Arrival:
        """Everything an update tells us. Raises Malformed."""
        return arrival_of(read_update(update_json), self._bot_id)

    def parse(self, update_json: object) -> Inbound | None:
        """None for what is not a person writing to us: groups, channels, membership changes. Raises Malformed."""
        return self.read(update_json).inbound

    async def updates(self, offset: int | None) -> Sequence[Any]:
        """Updates from number `offset` on, as the JSON they come as; [] after a while without any. Raises SendFailed.

        Not the library's own method: that one logs an update it cannot read, with the words in it.
        """
        asked = {"timeout": POLL_SECONDS, "allowed_updates": json.dumps(ALLOWED_UPDATES)}
        query = urlencode(asked if offset is None else {**asked, "offset": offset})
        address = f"{self._bot.base_url}/getUpdates?{query}"
        found = await _called(self._asking.post(address, read_timeout=POLL_SECONDS + TIMEOUT_SECONDS))
        return found if isinstance(found, list) else []

    # -- what goes out

    async def send(self, address: str, text: str, choices: Sequence[Choice] = ()) -> str:
        """Send plain text, with one row of the keyboard for each choice. Raises SendFailed."""
        rows = [[InlineKeyboardButton(choice.title, callback_data=choice.payload)] for choice in choices]
        message = await _called(
            self._bot.send_message(
                chat_id=int(address),
                text=text,
                reply_markup=InlineKeyboardMarkup(rows) if rows else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        )
        return f"message-{message.message_id}-{self.mark(address)}"

    def mark(self, address: str) -> str:
        """What stands for a chat where its number must not."""
        return hmac.new(self._chat_key, address.encode(), sha256).hexdigest()[:12]

    async def answer_press(self, press: Press | str) -> None:
        """Stop the spinner and take the used keyboard away. Best effort: the message is stored by now."""
        if isinstance(press, str):
            press = Press(callback_id=press)
        try:
            await self._bot.answer_callback_query(press.callback_id)
        except TelegramError as error:
            self._log.info("press_not_answered", problem=type(error).__name__)
        if press.message_id is not None:
            await self._remove_keyboard(press.chat_id, press.message_id)

    async def remove_keyboard(self, address: str, provider_id: str) -> None:
        """Take the keyboard from a message we sent. Best effort: a press may have taken it already."""
        if found := MESSAGE_ID.fullmatch(provider_id):
            await self._remove_keyboard(address, int(found[1]))

    async def _remove_keyboard(self, chat_id: str, message_id: int) -> None:
        try:
            await self._bot.edit_message_reply_markup(chat_id=int(chat_id), message_id=message_id)
        except TelegramError as error:
            self._log.debug("keyboard_left", problem=type(error).__name__)

    async def show_typing(self, address: str) -> None:
        """For about five seconds, or until the next message. Raises SendFailed."""
        await _called(self._bot.send_chat_action(chat_id=int(address), action=ChatAction.TYPING))

    # -- groups

    async def link_for(self, call: GroupCall) -> str | None:
        """The address of a private chat with us, if it was us who were called. Raises SendFailed."""
        me = await self._know_myself()
        name = me.username or ""
        return f"https://t.me/{name}" if call.sure or name.casefold() in call.names else None

    async def _know_myself(self) -> User:
        """Asked once: a bot's name changes only when its owner changes it."""
        if self._me is None:
            self._me = await _called(self._bot.get_me())
        return self._me

    # -- setting up

    async def set_up(self) -> None:
        """Register the webhook. Waiting updates are kept: somebody wrote them. Raises SendFailed."""
        await _called(
            self._bot.set_webhook(
                self._webhook, secret_token=self._secret, allowed_updates=ALLOWED_UPDATES, drop_pending_updates=False
            )
        )

    async def drop_webhook(self) -> None:
        """So that updates can be asked for; those that wait are kept. Raises SendFailed."""
        await _called(self._bot.delete_webhook(drop_pending_updates=False))

    async def set_menu(self) -> None:
        """The menu and the words about the bot, in each language of the country. Raises SendFailed."""
        for menu in load_menus(self._country):
            code = menu.code or None
            commands = [BotCommand(name, line) for name, line in menu.commands.items()]
            await _called(self._bot.set_my_commands(commands, language_code=code))
            await _called(self._bot.set_my_description(menu.description, language_code=code))
            await _called(self._bot.set_my_short_description(menu.about, language_code=code))


async def _called(call: Awaitable[T]) -> T:
    """Raises SendFailed without a cause: the library's own text may hold the bot's address."""
    try:
        return await call
    except TelegramError as error:
        failure = failure_of(error)
    raise failure


def _connection() -> HTTPXRequest:
    return HTTPXRequest(
        read_timeout=TIMEOUT_SECONDS, connect_timeout=TIMEOUT_SECONDS / 2, pool_timeout=TIMEOUT_SECONDS / 2
    )
