"""One request of the gateway, checked. Pure; Python 3.10.

{"sender": "e7f3...", "message_id": "m1", "text": "cant pay my rent", "payload": null, "metadata": {"channel": "sms"}}
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import AbstractSet, Any, Dict, Mapping, Optional

from bot.components.words import read_text

SENDER = re.compile(r"[A-Za-z0-9._-]{1,128}")
"""Opaque ids only. A phone number in E.164 form does not fit, so it can never become a key."""
PAYLOAD = re.compile(r"([a-z][a-z0-9_]*)(?::(.+))?", re.DOTALL)
LONGEST_PAYLOAD = 64


class NotUsable(Exception):
    """The request cannot be a turn; the text says why and never repeats what was sent. Answered with 422."""


@dataclass(frozen=True)
class Press:
    """A pressed button: the intent it stands for and what came with it."""

    name: str
    value: Optional[str] = None


@dataclass(frozen=True)
class Incoming:
    """One message for Rasa: either typed text, or a press."""

    sender: str
    message_id: Optional[str]
    text: str
    press: Optional[Press]
    metadata: Dict[str, Any] = field(default_factory=dict)


def read_incoming(body: Any, intents: AbstractSet[str]) -> Incoming:
    """`intents` are those a button may stand for. Raises NotUsable."""
    if not isinstance(body, Mapping):
        raise NotUsable("the body is not a JSON object")
    sender = body.get("sender")
    if not isinstance(sender, str) or not SENDER.fullmatch(sender):
        raise NotUsable("sender must be an opaque id")
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise NotUsable("metadata is not a JSON object")
    press = read_press(body.get("payload"), intents)
    text = body.get("text")
    if press is None and (not isinstance(text, str) or not text.strip()):
        raise NotUsable("neither text nor payload")
    message_id = body.get("message_id")
    return Incoming(
        sender=sender,
        message_id=message_id if isinstance(message_id, str) else None,
        text=f"/{press.name}" if press else read_text(str(text)),
        press=press,
        metadata=dict(metadata),
    )


def read_press(payload: Any, intents: AbstractSet[str]) -> Optional[Press]:
    """`details:svc-rent-help` -> Press("details", "svc-rent-help"). Raises NotUsable for a name that is no intent."""
    if payload is None or payload == "":
        return None
    found = PAYLOAD.fullmatch(payload) if isinstance(payload, str) and len(payload) <= LONGEST_PAYLOAD else None
    if found is None or found.group(1) not in intents:
        raise NotUsable("unknown payload")
    return Press(name=found.group(1), value=found.group(2))
