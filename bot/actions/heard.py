"""What the person said and what is known so far, read from the tracker that Rasa sends. Pure.

Everything here is somebody's words or comes from another process, so each field is taken only
if it has the type it should have: a strange tracker gives an emptier `Heard`, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SEARCH_CHARACTERS = 2000
"""The part of a very long message that is searched with. People say what matters first."""

PAYLOAD = re.compile(r"/[a-z_]+\s*(\{.*\})?\s*", re.DOTALL)
"""How Rasa writes a pressed button as text. What a person types never looks like this by the time it is here."""

LOCATION = re.compile(r"(-?[0-9]{1,3}\.[0-9]{1,6}),(-?[0-9]{1,3}\.[0-9]{1,6})")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One message in its context."""

    text: str = ""
    """The person's words, cut to what is searched with. Empty when they pressed a button."""
    intent: str = ""
    value: str | None = None
    """What came with a pressed button: a service id, yes or no. Of this message only, never of an earlier one."""
    need: str | None = None
    place: str | None = None
    location: tuple[float, float] | None = None
    """Latitude and longitude, when the person sent where they are in place of words."""
    shown: tuple[str, ...] = ()
    """Service ids this person has been given since they began on this topic."""
    offered: tuple[str, ...] = ()
    """Service ids of the last list, in the order it was read."""
    last_query: str = ""
    channel: str = ""
    language: str | None = None
    turns: int = 0
    concerns: frozenset[str] = frozenset()
    previous_action: str = ""
    """The action before this message: what a bare yes or no answers."""


def read_tracker(tracker: Mapping[str, Any]) -> Heard:
    """The parts of a tracker's JSON state that decisions are made from."""
    latest = mapping_of(tracker.get("latest_message"))
    slots = mapping_of(tracker.get("slots"))
    metadata = mapping_of(latest.get("metadata"))
    intent = mapping_of(latest.get("intent"))
    turns = metadata.get("turns")
    return Heard(
        text=read_text(latest.get("text")),
        intent=text_of(intent.get("name")) or "",
        value=read_value(latest.get("entities")),
        need=text_of(slots.get("need")),
        place=text_of(slots.get("place")) or text_of(metadata.get("place")),
        location=read_location(metadata.get("location")),
        shown=texts_of(slots.get("shown")),
        offered=texts_of(slots.get("offered")),
        last_query=text_of(slots.get("last_query")) or "",
        channel=text_of(metadata.get("channel")) or "",
        language=text_of(metadata.get("language")),
        turns=turns if isinstance(turns, int) and turns >= 0 else 0,
        concerns=frozenset(texts_of(metadata.get("concerns"))),
        previous_action=read_previous_action(tracker.get("events")),
    )


def read_text(value: object) -> str:
    """The person's own words; nothing when the text is a pressed button."""
    text = text_of(value) or ""
    return "" if PAYLOAD.fullmatch(text) else text[:SEARCH_CHARACTERS]


def read_value(entities: object) -> str | None:
    """The `value` of a pressed button. The slot of that name is not used: it would still hold the button before."""
    for entity in entities if isinstance(entities, list) else []:
        if isinstance(entity, Mapping) and entity.get("entity") == "value":
            return text_of(entity.get("value"))
    return None


def read_location(value: object) -> tuple[float, float] | None:
    """'54.150,-0.900', as a phone sends it."""
    found = LOCATION.fullmatch(text_of(value) or "")
    if found is None:
        return None
    latitude, longitude = float(found[1]), float(found[2])
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def read_previous_action(events: object) -> str:
    """The last action before this message that was more than listening."""
    for event in reversed(events) if isinstance(events, list) else []:
        if isinstance(event, Mapping) and event.get("event") == "action" and event.get("name") != "action_listen":
            return text_of(event.get("name")) or ""
    return ""


def mapping_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def text_of(value: object) -> str | None:
    """Half a character (a lone surrogate, which JSON can carry) becomes "?": it could not be written again."""
    return value.encode("utf-8", "replace").decode().strip() or None if isinstance(value, str) else None


def texts_of(value: object) -> tuple[str, ...]:
    items: Iterable[object] = value if isinstance(value, list | tuple) else ()
    return tuple(text for item in items if (text := text_of(item)) is not None)
