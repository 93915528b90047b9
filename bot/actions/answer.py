"""What a decision gives back, and its form on the wire. Pure.

Actions answer, the worker acts: a request (hand over, forget me, ...) travels beside the words, and
nothing here claims that it has been done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from channels.conversation import Note, Reply, Request

CLEARED: Mapping[str, Any] = {
    "need": None,
    "shown": None,
    "offered": None,
    "last_query": None,
    "basket": None,
    "about": None,
    "preferences": None,
    "asked": None,
}
"""The slots of one topic, emptied. The place stays, and that it was asked: people rarely move between two messages."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Replies in reading order, requests for the worker, and the slots to remember."""

    replies: tuple[Reply, ...] = ()
    requests: tuple[Request, ...] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)
    response: str = ""
    """One of the domain's own texts, said before the replies."""


def write_messages(answer: Answer) -> list[dict[str, Any]]:
    """The `custom` bodies of an answer: replies first, then requests."""
    return [write_reply(reply) for reply in answer.replies] + [write_request(request) for request in answer.requests]


def write_reply(reply: Reply) -> dict[str, Any]:
    body = asdict(reply)
    return {"reply": {**body, "cards": list(body["cards"]), "choices": list(body["choices"])}}


def write_request(request: Request) -> dict[str, Any]:
    """`HandOver(reason="asked")` -> `{"request": {"kind": "hand_over", "reason": "asked", "need": None}}`."""
    body: dict[str, Any] = asdict(request)
    if isinstance(request, Note):
        body["needs"] = list(request.needs)
        if not request.intent:
            del body["intent"]
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(request).__name__).lower()
    return {"request": {"kind": kind, **body}}


def write_slots(slots: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """Rasa's slot events."""
    return [
        {"event": "slot", "timestamp": None, "name": name, "value": write_value(value)} for name, value in slots.items()
    ]


def write_value(value: Any) -> Any:
    """JSON knows lists and plain text only."""
    return [str(each) for each in value] if isinstance(value, tuple) else value
