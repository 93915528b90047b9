"""Asks the assistant what it would say, over HTTP: this package knows nothing of the assistant but its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from knowledge.settings import Settings

PATIENCE = 5.0


@dataclass(frozen=True, kw_only=True)
class Concern:
    """A kind of concern that the assistant's check raises, which layer found it, and why in words."""

    kind: str
    layer: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """A reply: its words, and the services under them."""

    text: str
    services: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """`problem` says in words why there is no answer, when there is none."""

    concerns: tuple[Concern, ...] = ()
    replies: tuple[Said, ...] = ()
    asks_for_person: bool = False
    problem: str = ""


def ask_assistant(settings: Settings, text: str) -> Tried:
    """What the assistant makes of a message. One that is away is said so; the rest is shown."""
    token = settings.actions_token.get_secret_value()
    if not token:
        return Tried(problem="The assistant is not set up here: NWD_ACTIONS_TOKEN is empty.")
    try:
        answer = httpx.post(
            f"{settings.assistant_url}/try", json={"text": text}, headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE, trust_env=False,
        )  # fmt: skip
        answer.raise_for_status()
        return _read(answer.json())
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return Tried(problem="The assistant did not answer. Is it running?")


def _read(body: dict[str, Any]) -> Tried:
    return Tried(
        concerns=tuple(Concern(kind=one["kind"], layer=one["layer"], reason=one["reason"]) for one in body["concerns"]),
        replies=tuple(Said(text=one["text"], services=tuple(one["services"])) for one in body["replies"]),
        asks_for_person="HandOver" in body["asks"] or bool(body["concerns"]),
    )
