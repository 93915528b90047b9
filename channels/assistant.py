"""The one file that knows how Rasa is called.

    POST {url}/webhooks/gateway/message   {"sender": episode, "text": ..., "payload": null, "metadata": {...}}
    200 {"messages": [{"custom": {"reply": {...}}}, {"custom": {"request": {"kind": "hand_over", ...}}}], ...}

Anything but a usable answer in time is AssistantSilent: an empty list is a failure, never a reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from typing import Any, Final

import httpx
import structlog

from channels.conversation import (
    Choice,
    Concern,
    Consent,
    ForgetMe,
    HandOver,
    MyInfo,
    Note,
    Reply,
    ReportWrong,
    Request,
    ServiceCard,
    StartAgain,
    Turn,
    Withdraw,
)
from channels.errors import AssistantSilent
from channels.ledger.records import ConversationRecord, MessageRecord

PATH: Final = "/webhooks/gateway/message"
START_LETTERS, END_LETTERS = 1500, 400
"""What is kept of a very long message: people say what matters first or last. The ledger keeps all of it."""

CARD_FIELDS: Final = tuple(field.name for field in fields(ServiceCard))


class Assistant:
    """Holds one connection pool; `close` frees it. `deadline` is in seconds, for the whole of an answer."""

    def __init__(self, url: str, token: str, deadline: float) -> None:
        self._url = url.rstrip("/") + PATH
        self._deadline = deadline
        # A proxy set for the outside world must never see what people write.
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=deadline, trust_env=False
        )
        self._log = structlog.get_logger()

    async def close(self) -> None:
        await self._client.aclose()

    async def answer(
        self,
        conversation: ConversationRecord,
        message: MessageRecord,
        payload: str | None = None,
        *,
        waiting: bool = False,
        concerns: Collection[Concern] = (),
    ) -> Turn:
        """All the assistant says to one message; `concerns` are those of this message. Raises AssistantSilent."""
        body = {
            "sender": conversation.episode,
            "message_id": message.id,
            "text": shorten(message.text),
            "payload": payload,
            "metadata": {
                "channel": str(conversation.channel),
                "language": message.language,
                "place": conversation.place,
                "turns": conversation.turns,
                "waiting": waiting,
                "concerns": sorted({*conversation.concerns, *concerns}),
                **_location(message),
            },
        }
        return read_turn(await self._post(body, message.id))

    async def _post(self, body: Mapping[str, Any], message_id: str) -> Any:
        """Raises AssistantSilent without a cause: the client's own errors may hold the request."""
        silent = ""
        try:
            async with asyncio.timeout(self._deadline):
                response = await self._client.post(self._url, json=body)
            if response.status_code == httpx.codes.OK:
                return response.json()
            self._log.warning("assistant_refused", message_id=message_id, status=response.status_code)
            silent = "refused"
        except (TimeoutError, httpx.TimeoutException):
            silent = "timeout"
        except httpx.HTTPError:
            silent = "unreachable"
        except ValueError:
            silent = "malformed"
        raise AssistantSilent(silent)


def _location(message: MessageRecord) -> dict[str, str]:
    """'54.150,-0.900' when that is what they sent; the assistant reads it as the name of the place."""
    here = next((media.reference for media in message.media if media.kind == "location"), None)
    return {} if here is None else {"location": here}


def shorten(text: str) -> str:
    """The start and the end of a very long message."""
    if len(text) <= START_LETTERS + END_LETTERS:
        return text
    return f"{text[:START_LETTERS]}\n{text[-END_LETTERS:]}"


def is_shortened(text: str) -> bool:
    return len(text) > START_LETTERS + END_LETTERS


def read_turn(body: Any) -> Turn:
    """What came back, as nouns. Fields we do not know are passed over. Raises AssistantSilent."""
    try:
        messages = body["messages"]
        if not isinstance(messages, list):
            raise TypeError
        replies = [reply for message in messages if (reply := _reply(message)) is not None]
        requests = [request for message in messages if (request := _request(message)) is not None]
        understood = {"intent": body.get("intent") or {}, "problems": tuple(body.get("problems") or ())}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AssistantSilent("malformed") from None
    if not replies and all(isinstance(request, Note | StartAgain | ReportWrong) for request in requests):
        raise AssistantSilent("empty")
    return Turn(replies=tuple(replies), requests=tuple(requests), understood=understood)


def _reply(message: Mapping[str, Any]) -> Reply | None:
    """From an action (`custom.reply`) or from a response of the domain (`text`, `buttons`)."""
    custom = message.get("custom") or {}
    held = custom.get("reply")
    if held is None:
        if "request" in custom or not message.get("text"):
            return None
        held = {"text": message["text"], "choices": message.get("buttons") or ()}
    reply = Reply(
        text=_text(held.get("text")).strip(),
        cards=tuple(_card(card) for card in held.get("cards") or ()),
        choices=tuple(_choice(choice) for choice in held.get("choices") or ()),
        detail=bool(held.get("detail", False)),
    )
    return reply if reply.text or reply.cards or reply.choices else None


def _card(held: Mapping[str, Any]) -> ServiceCard:
    values = {name: _text(held.get(name)) for name in CARD_FIELDS}
    if not values["service_id"] or not values["name"]:
        raise ValueError("a card without an id or a name")
    return ServiceCard(**values)


def _choice(held: Mapping[str, Any]) -> Choice:
    """A response in the domain writes a payload as Rasa does, with a slash."""
    title, payload = _text(held["title"]), _text(held["payload"]).removeprefix("/")
    if not title or not payload:
        raise ValueError("a choice without words or payload")
    return Choice(title=title, payload=payload)


def _request(message: Mapping[str, Any]) -> Request | None:
    held = (message.get("custom") or {}).get("request")
    return None if held is None else REQUESTS[held["kind"]](held)


def _hand_over(held: Mapping[str, Any]) -> HandOver:
    need, language = _text(held.get("need")) or None, _text(held.get("language")) or None
    return HandOver(reason=_text(held.get("reason")) or "asked", need=need, language=language)


def _note(held: Mapping[str, Any]) -> Note:
    needs = tuple(_text(need) for need in held.get("needs") or ())
    return Note(needs=needs, place=_text(held.get("place")) or None, intent=_text(held.get("intent")))


REQUESTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Request]]] = {
    "hand_over": _hand_over,
    "forget_me": lambda held: ForgetMe(confirmed=held.get("confirmed") is True),
    "my_info": lambda held: MyInfo(),
    "note": _note,
    "start_again": lambda held: StartAgain(),
    "report_wrong": lambda held: ReportWrong(
        service_id=_text(held["service_id"])[:64], wrong=_text(held["wrong"])[:32]
    ),
    "withdraw": lambda held: Withdraw(what=Consent(_text(held["what"]))),
}
"""What the assistant can ask for. Each raises KeyError, TypeError or ValueError for anything else."""


def _text(value: object) -> str:
    """Raises TypeError for anything that is neither text nor nothing."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError
    return value
