"""Telegram's Bot API, as far as we use it, and the updates it sends."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from channels.settings import Settings
from channels.simulator.lines import Line, line_of
from channels.simulator.misbehave import HANG_SECONDS, BrokenOff, Misbehave
from channels.simulator.store import PICTURE, Bubble, Keyboard, NewBubble, PhoneStore
from channels.simulator.telegram_profile import Profile
from channels.simulator.telegram_updates import UpdateDelivery
from channels.simulator.webhooks import Webhooks

LONGEST_TEXT: Final = 4096
LONGEST_CALLBACK: Final = 64
RETRY_AFTER_SECONDS: Final = 1
CHAT_ACTIONS: Final = frozenset({"typing", "upload_photo", "upload_document", "find_location", "choose_sticker"})
"""Some of them: the ones that a service like ours could have a reason to show."""


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
        self._name = settings.service_name
        self._profile = Profile()
        self._updates = UpdateDelivery(
            webhooks=webhooks,
            url=f"{settings.base_url}/hooks/telegram",
            secret=settings.telegram_secret.get_secret_value(),
        )
        self.typing_shown: list[str] = []
        """Chats in which the bot has shown that it is typing; for tests."""
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
            "sendChatAction": self.send_chat_action,
            "getFile": self.get_file,
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.delete_webhook,
            "getWebhookInfo": self.get_webhook_info,
            "getUpdates": self.get_updates,
            **self._profile.methods,
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
        # An update normally waits until the one before it has been taken.
        order = asyncio.Lock() if self._misbehave.reorder else self._order.setdefault(line.key, asyncio.Lock())
        async with order:
            body = {"update_id": await self._store.next_number("update_id"), **update}
            taken = await self._updates.hand_in(body)
        if bubble is not None:
            await self._store.set_state(bubble.id, "Sent" if await taken else "Not delivered")

    async def change_block(self, line: Line, blocked: bool) -> None:
        """The account shuts the bot out or lets it in again; the bot is told."""
        was, now = ("member", "kicked") if blocked else ("kicked", "member")
        told = {
            "chat": {"id": int(line.address), "type": "private", "first_name": line.name},
            "from": _person(line),
            "date": int(time.time()),
            "old_chat_member": self._member(was),
            "new_chat_member": self._member(now),
        }
        self._webhooks.start(self._hand_in(line, {"my_chat_member": told}, None))

    def _member(self, status: str) -> dict[str, Any]:
        member: dict[str, Any] = {"user": self._bot(), "status": status}
        return {**member, "until_date": 0} if status == "kicked" else member

    # -- from us to an account: the Bot API

    async def call(self, request: Request) -> Response:
        bad = self._misbehave.takes_now()
        await self._misbehave.wait()
        if bad and self._misbehave.hang:
            await asyncio.sleep(HANG_SECONDS)
            return BrokenOff()
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
        return {**self._bot(), "can_join_groups": True, "can_read_all_group_messages": False}

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

    async def send_chat_action(self, fields: Fields) -> object:
        line = await self._reachable(fields)
        if fields.get("action") not in CHAT_ACTIONS:
            raise Refusal(400, "Bad Request: wrong parameter action in request")
        self.typing_shown.append(line.address)
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

    async def set_webhook(self, fields: Fields) -> object:
        self._updates.set_webhook(str(fields.get("url", "")), str(fields.get("secret_token", "")))
        return True

    async def delete_webhook(self, _fields: Fields) -> object:
        self._updates.set_webhook("", "")
        return True

    async def get_webhook_info(self, _fields: Fields) -> object:
        return {
            "url": self._updates.url,
            "has_custom_certificate": False,
            "pending_update_count": self._updates.pending,
        }

    async def get_updates(self, fields: Fields) -> object:
        if self._updates.url:
            problem = (
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
            raise Refusal(409, f"Conflict: {problem}")
        offset = int(fields["offset"]) if fields.get("offset") else None
        return await self._updates.after(offset, float(fields.get("timeout", 0)))

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
