"""Telegram: its types and its Bot, never its Updater (that one keeps updates in memory and loses them in a crash).

Oddities worth knowing:
- An update is sent again until it gets a 2xx, and holds up the ones behind it: what we do not use is answered 200.
- The secret that Telegram sends with each update is set by us when the webhook is set (`set_up`).
- A press on a button spins on the person's screen until it is answered, and an old keyboard can be pressed for ever.
- Message ids are numbered within a chat, so ours carry a keyed hash of the chat as well.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, Self

import structlog
from telegram import (
    Bot,
    BotCommand,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    Update,
)
from telegram.constants import ChatType
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from channels.conversation import Channel, Choice, Inbound, Media
from channels.errors import Malformed, SendFailed
from channels.settings import Settings

REAL_API: Final = "https://api.telegram.org/bot"
TIMEOUT_SECONDS: Final = 10.0
PATH: Final = "/hooks/telegram"
ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query")

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "start": ("hello", "Start a conversation"),
    "help": ("help", "How this works"),
    "person": ("person", "Talk to a person"),
    "privacy": ("privacy", "What we keep, and for how long"),
    "forget": ("forget me", "Erase what we hold about you"),
    "language": ("talk to a person in another language", "A person who can help in your language"),
}
"""Commands in the bot's menu: what each one stands for in plain words, and its line in the menu."""

ATTACHMENTS: Final[Mapping[str, str]] = {
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "sticker": "sticker",
    "document": "file",
}

FAILURES: Final[tuple[tuple[type[TelegramError], str, str, bool], ...]] = (
    (Forbidden, "blocked", "This person has blocked the bot or closed their account.", False),
    (InvalidToken, "token", "Telegram does not accept our bot token.", False),
    (ChatMigrated, "moved", "This chat has become a group.", False),
    (BadRequest, "refused", "Telegram would not take this message.", False),
    (NetworkError, "unreachable", "Telegram could not be reached in time.", True),
)
"""First match wins: BadRequest is a NetworkError in this library."""


@dataclass(frozen=True, kw_only=True)
class Press:
    """A press on one of our buttons: what has to be answered, and where the used keyboard is."""

    callback_id: str
    chat_id: str = ""
    message_id: int | None = None


class Telegram:
    """Verify, parse and send. Construct inside a running event loop; `close` frees the connections."""

    def __init__(self, settings: Settings) -> None:
        token = settings.telegram_token.get_secret_value()
        self._secret = settings.telegram_secret.get_secret_value()
        self._webhook = settings.base_url + PATH
        self._chat_key = token.encode()
        self._request = HTTPXRequest(
            read_timeout=TIMEOUT_SECONDS, connect_timeout=TIMEOUT_SECONDS / 2, pool_timeout=TIMEOUT_SECONDS / 2
        )
        self._bot: Bot = ExtBot(
            token,
            base_url=settings.telegram_api_url or REAL_API,
            request=self._request,
            get_updates_request=self._request,
            rate_limiter=AIORateLimiter(),
        )
        self._log = structlog.get_logger()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """None when Telegram is not set up: no token, or no secret to know its updates by."""
        if not settings.telegram_token.get_secret_value() or not settings.telegram_secret.get_secret_value():
            return None
        return cls(settings)

    async def close(self) -> None:
        await self._request.shutdown()

    def verify(self, header: str | None) -> bool:
        """Compare X-Telegram-Bot-Api-Secret-Token in constant time. Without a secret nothing is accepted."""
        return bool(self._secret) and hmac.compare_digest((header or "").encode(), self._secret.encode())

    def parse(self, update_json: object) -> Inbound | None:
        """None for what is not a person writing to us: groups, channels, membership changes. Raises Malformed."""
        update = self._read(update_json)
        provider_id = f"update-{update.update_id}"
        if update.callback_query is not None:
            return _from_press(update.callback_query, provider_id)
        message = update.message or update.edited_message
        if message is None or message.chat.type != ChatType.PRIVATE:
            return None
        return _from_message(message, provider_id)

    def parse_press(self, update_json: object) -> Press | None:
        """The press in an update, if it is one."""
        query = self._read(update_json).callback_query
        if query is None:
            return None
        if query.message is None:
            return Press(callback_id=query.id)
        return Press(callback_id=query.id, chat_id=str(query.message.chat.id), message_id=query.message.message_id)

    async def send(self, address: str, text: str, choices: Sequence[Choice] = ()) -> str:
        """Send plain text, with one row of the keyboard for each choice. Raises SendFailed."""
        rows = [[InlineKeyboardButton(choice.title, callback_data=choice.payload)] for choice in choices]
        try:
            message = await self._bot.send_message(
                chat_id=int(address),
                text=text,
                reply_markup=InlineKeyboardMarkup(rows) if rows else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except TelegramError as error:
            failure = _failure(error)
        else:
            chat = hmac.new(self._chat_key, address.encode(), sha256).hexdigest()[:12]
            return f"message-{message.message_id}-{chat}"
        raise failure

    async def answer_press(self, press: Press | str) -> None:
        """Stop the spinner and take the used keyboard away. Best effort: the message is stored by now."""
        if isinstance(press, str):
            press = Press(callback_id=press)
        try:
            await self._bot.answer_callback_query(press.callback_id)
            if press.message_id is not None:
                await self._bot.edit_message_reply_markup(chat_id=int(press.chat_id), message_id=press.message_id)
        except TelegramError as error:
            self._log.info("press_not_answered", problem=type(error).__name__)

    async def set_up(self) -> None:
        """Register the webhook and the menu. Waiting updates are kept: somebody wrote them. Raises SendFailed."""
        menu = [BotCommand(name, line) for name, (_words_for_it, line) in COMMANDS.items()]
        try:
            await self._bot.set_webhook(
                self._webhook, secret_token=self._secret, allowed_updates=ALLOWED_UPDATES, drop_pending_updates=False
            )
            await self._bot.set_my_commands(menu)
        except TelegramError as error:
            failure = _failure(error)
        else:
            return
        raise failure

    def _read(self, update_json: object) -> Update:
        if not isinstance(update_json, dict) or not isinstance(update_json.get("update_id"), int):
            raise Malformed("update_id is missing")
        try:
            return Update.de_json(update_json, None)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            problem = type(error).__name__
        raise Malformed(f"not an update as the Bot API describes it ({problem})")


def _failure(error: TelegramError) -> SendFailed:
    """Without its cause: the library's own text may hold the bot's address."""
    if isinstance(error, RetryAfter):
        pause = error.retry_after
        seconds = pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
        return SendFailed("flood", "Telegram asked us to slow down.", retryable=True, retry_after=seconds)
    for kind, code, explanation, retryable in FAILURES:
        if isinstance(error, kind):
            return SendFailed(code, explanation, retryable=retryable)
    return SendFailed("error", "Telegram answered with an error.", retryable=True)


def _from_press(query: CallbackQuery, provider_id: str) -> Inbound | None:
    if query.message is not None and query.message.chat.type != ChatType.PRIVATE:
        return None
    return Inbound(
        channel=Channel.TELEGRAM,
        address=str(query.message.chat.id if query.message else query.from_user.id),
        provider_id=provider_id,
        text=_pressed_title(query),
        payload=query.data or None,
        language=query.from_user.language_code,
    )


def _from_message(message: Message, provider_id: str) -> Inbound | None:
    text, media = _words(message), _media(message)
    if not text and not media:
        return None
    return Inbound(
        channel=Channel.TELEGRAM,
        address=str(message.chat.id),
        provider_id=provider_id,
        text=text,
        media=media,
        language=message.from_user.language_code if message.from_user else None,
    )


def _words(message: Message) -> str:
    """What was written, with a command from the menu put into plain words: "/forget@our_bot" is "forget me"."""
    text = message.text or message.caption or ""
    if not text.startswith("/"):
        return text
    name = text.split(maxsplit=1)[0].removeprefix("/").split("@", 1)[0].lower()
    return COMMANDS[name][0] if name in COMMANDS else text


def _pressed_title(query: CallbackQuery) -> str:
    """The words on the button, so that the story on the desk reads as the person saw it."""
    markup: Any = getattr(query.message, "reply_markup", None)
    for row in markup.inline_keyboard if markup else ():
        for button in row:
            if button.callback_data == query.data:
                return str(button.text)
    return ""


def _media(message: Message) -> tuple[Media, ...]:
    """One attachment at most. The number in a contact is somebody else's and a place is kept to about 100 metres."""
    if message.photo:
        largest = message.photo[-1]
        return (Media(kind="picture", reference=largest.file_id, size=largest.file_size),)
    if message.location:
        place = message.location
        return (Media(kind="location", reference=f"{place.latitude:.3f},{place.longitude:.3f}"),)
    if message.contact:
        return (Media(kind="contact"),)
    for name, kind in ATTACHMENTS.items():
        attachment: Any = getattr(message, name, None)
        if attachment:
            content_type = getattr(attachment, "mime_type", None) or ""
            return (
                Media(kind=kind, reference=attachment.file_id, content_type=content_type, size=attachment.file_size),
            )
    return (Media(kind="file"),) if message.effective_attachment else ()
