"""Telegram's Bot API, as far as we use it, and the updates it sends."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from channels.settings import Settings
from channels.simulator.lines import Line, line_of
from channels.simulator.misbehave import HANG_SECONDS, BrokenOff, Misbehave
from channels.simulator.store import PICTURE, Bubble, Keyboard, NewBubble, PhoneStore
from channels.simulator.webhooks import Webhooks

LONGEST_TEXT: Final = 4096
LONGEST_CALLBACK: Final = 64
RETRY_AFTER_SECONDS: Final = 1


class Refusal(Exception):
    """What the Bot API answers instead of a result."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


Fields = Mapping[str, Any]
Method = Callable[[Fields], Awaitable[object]]


class FakeTelegram:
    def __init__(self, settings: Settings, store: PhoneStore, webhooks: Webhooks, misbehave: Misbehave) -> None:
        self._token = settings.telegram_token.get_secret_value()
        self._url = f"{settings.base_url}/hooks/telegram"
        self._secret = settings.telegram_secret.get_secret_value()
        self._name = settings.service_name
        self._commands: list[Any] = []
        self._store = store
        self._webhooks = webhooks
        self._misbehave = misbehave
        self._order: dict[str, asyncio.Lock] = {}

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/simulator/telegram/bot{token}/{method}", self.call, methods=["GET", "POST"]),
            Route("/simulator/telegram/file/bot{token}/{path:path}", self.give_file, methods=["GET"]),
        ]

    @property
    def methods(self) -> dict[str, Method]:
        return {
            "getMe": self.get_me,
            "sendMessage": self.send_message,
            "answerCallbackQuery": self.answer_callback_query,
            "editMessageReplyMarkup": self.edit_message_reply_markup,
            "sendChatAction": self.accept,
            "getFile": self.get_file,
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.accept,
            "getWebhookInfo": self.get_webhook_info,
            "setMyCommands": self.set_my_commands,
            "getMyCommands": self.get_my_commands,
        }

    # -- from an account to us

    async def write_from(self, line: Line, words: str) -> Bubble:
        bubble = await self._store.add(
            NewBubble(line=line.key, side="mine", text=words, address=line.address, state="Sending")
        )
        update = {"message": {**_message(bubble, line), "from": _person(line)}}
        self._webhooks.start(self._hand_in(line, update, bubble))
        return bubble

    async def press(self, line: Line, bubble_id: int, data: str) -> bool:
        """False when there is no such button any more: an old tap does nothing."""
        bubble = await self._store.get(bubble_id)
        if bubble is None or bubble.line != line.key or data not in _buttons(bubble.keyboard):
            return False
        query = {
            "id": str(secrets.randbits(62)),
            "from": _person(line),
            "message": {**_message(bubble, line), "from": self._bot()},
            "chat_instance": line.address,
            "data": data,
        }
        self._webhooks.start(self._hand_in(line, {"callback_query": query}, None))
        return True

    async def _hand_in(self, line: Line, update: Mapping[str, Any], bubble: Bubble | None) -> None:
        async with self._order.setdefault(line.key, asyncio.Lock()):
            body = {"update_id": await self._store.next_number("update_id"), **update}
            headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": self._secret}
            taken = await self._webhooks.call(self._url, json.dumps(body).encode(), headers)
        if bubble is not None:
            await self._store.set_state(bubble.id, "Sent" if taken else "Not delivered")

    # -- from us to an account: the Bot API

    async def call(self, request: Request) -> Response:
        bad = self._misbehave.takes_now()
        await self._misbehave.wait()
        if bad and self._misbehave.hang:
            await asyncio.sleep(HANG_SECONDS)
        try:
            if bad and self._misbehave.status:
                raise Refusal(self._misbehave.status, "Too Many Requests" if self._misbehave.status == 429 else "Error")
            if not self._token or not hmac.compare_digest(request.path_params["token"].encode(), self._token.encode()):
                raise Refusal(401, "Unauthorized")
            method = self.methods.get(request.path_params["method"])
            if method is None:
                raise Refusal(404, "Not Found")
            result = await method(await _fields(request))
        except Refusal as refusal:
            return _refuse(refusal)
        return BrokenOff() if bad and self._misbehave.reset else JSONResponse({"ok": True, "result": result})

    async def get_me(self, _fields: Fields) -> object:
        return {**self._bot(), "can_join_groups": False, "can_read_all_group_messages": False}

    async def send_message(self, fields: Fields) -> object:
        line = await self._reachable(fields)
        text = str(fields.get("text", ""))
        if not text.strip():
            raise Refusal(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > LONGEST_TEXT:
            raise Refusal(400, "Bad Request: message is too long")
        bubble = await self._store.add(
            NewBubble(line=line.key, side="theirs", text=text, address=line.address, keyboard=_keyboard(fields))
        )
        return {**_message(bubble, line), "from": self._bot()}

    async def edit_message_reply_markup(self, fields: Fields) -> object:
        line = await self._reachable(fields)
        bubble = await self._store.get(int(fields.get("message_id", 0)))
        if bubble is None or bubble.line != line.key:
            raise Refusal(400, "Bad Request: message to edit not found")
        keyboard = _keyboard(fields)
        if keyboard == bubble.keyboard:
            raise Refusal(400, "Bad Request: message is not modified")
        await self._store.set_keyboard(bubble.id, keyboard)
        changed = await self._store.get(bubble.id)
        return {**_message(changed or bubble, line), "from": self._bot()}

    async def answer_callback_query(self, fields: Fields) -> object:
        if not fields.get("callback_query_id"):
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        return True

    async def get_file(self, fields: Fields) -> object:
        """One path for every file: see `give_file`."""
        file_id = str(fields.get("file_id", ""))
        if not file_id:
            raise Refusal(400, "Bad Request: invalid file_id")
        return {"file_id": file_id, "file_unique_id": "dot", "file_size": len(PICTURE), "file_path": "photos/dot.png"}

    async def give_file(self, request: Request) -> Response:
        if not self._token or not hmac.compare_digest(request.path_params["token"].encode(), self._token.encode()):
            return _refuse(Refusal(401, "Unauthorized"))
        return Response(PICTURE, media_type="application/octet-stream")

    async def accept(self, _fields: Fields) -> object:
        return True

    async def set_webhook(self, fields: Fields) -> object:
        self._url, self._secret = str(fields.get("url", "")), str(fields.get("secret_token", ""))
        return True

    async def get_webhook_info(self, _fields: Fields) -> object:
        return {"url": self._url, "has_custom_certificate": False, "pending_update_count": 0}

    async def set_my_commands(self, fields: Fields) -> object:
        self._commands = _parsed(fields.get("commands", []))
        return True

    async def get_my_commands(self, _fields: Fields) -> object:
        return self._commands

    async def _reachable(self, fields: Fields) -> Line:
        line = line_of("telegram", str(fields.get("chat_id", "")))
        if line is None:
            raise Refusal(400, "Bad Request: chat not found")
        if await self._store.is_blocked(line.key):
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        return line

    def _bot(self) -> dict[str, Any]:
        number = self._token.split(":", 1)[0]
        bot_id = int(number) if number.isdecimal() else 1
        return {"id": bot_id, "is_bot": True, "first_name": self._name, "username": "no_wrong_door_demo_bot"}


def _person(line: Line) -> dict[str, Any]:
    return {"id": int(line.address), "is_bot": False, "first_name": line.name, "language_code": "en"}


def _message(bubble: Bubble, line: Line) -> dict[str, Any]:
    chat = {"id": int(line.address), "type": "private", "first_name": line.name}
    message: dict[str, Any] = {"message_id": bubble.id, "date": int(bubble.at.timestamp()), "chat": chat}
    message["text"] = bubble.text
    if bubble.text.startswith("/"):
        length = len(bubble.text.split(maxsplit=1)[0])
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
    if bubble.keyboard:
        message["reply_markup"] = {"inline_keyboard": bubble.keyboard}
    return message


def _buttons(keyboard: Keyboard) -> set[str]:
    return {button.get("callback_data", "") for row in keyboard for button in row}


def _keyboard(fields: Fields) -> Keyboard:
    markup = _parsed(fields.get("reply_markup") or {})
    keyboard: Keyboard = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    if any(not 1 <= len(data.encode()) <= LONGEST_CALLBACK for data in _buttons(keyboard)):
        raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
    return keyboard


def _parsed(value: Any) -> Any:
    """Objects travel as JSON inside a form."""
    return json.loads(value) if isinstance(value, str) else value


async def _fields(request: Request) -> Fields:
    if request.headers.get("content-type", "").startswith("application/json"):
        body: dict[str, Any] = await request.json()
        return body
    return {**request.query_params, **(await request.form())}


def _refuse(refusal: Refusal) -> Response:
    body: dict[str, Any] = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.code == 429:
        body["description"] = f"Too Many Requests: retry after {RETRY_AFTER_SECONDS}"
        body["parameters"] = {"retry_after": RETRY_AFTER_SECONDS}
    return JSONResponse(body, status_code=refusal.code)
