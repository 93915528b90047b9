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

FORGOTTEN_SECONDS = 3600.0
"""After this long nobody remembers what was asked, and a yes answers nothing."""

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
    basket: tuple[str, ...] = ()
    """Needs that were mentioned and not looked at yet, the most urgent first."""
    about: str = ""
    """Who help is for, as far as they said: me, someone or worker."""
    preferences: tuple[str, ...] = ()
    """How help should be, as they said since they began on this topic."""
    asked: str = ""
    """What our last message asked: place, next, which, topic or more. What a bare yes, no or "idk" answers."""
    place_asked: bool = False
    """The place is asked for once, whatever came of it."""
    silence: float = 0.0
    """Seconds since they last wrote; 0 when this is the first message we remember."""
    channel: str = ""
    language: str | None = None
    turns: int = 0
    concerns: frozenset[str] = frozenset()
    mentioned: tuple[str, ...] = ()
    """Needs of a message too long to be here whole, read by the worker from all of it; the most urgent first."""
    last_cards: tuple[str, ...] = ()
    """Service ids of the cards that were sent last, in the order they were read: of a list, or of one in full."""
    last_said: tuple[str, ...] = ()
    """Our words since they wrote before, in this episode."""
    previous_action: str = ""
    """The action before this message: what a bare yes or no answers."""


def read_tracker(tracker: Mapping[str, Any]) -> Heard:
    """The parts of a tracker's JSON state that decisions are made from."""
    latest = mapping_of(tracker.get("latest_message"))
    slots = mapping_of(tracker.get("slots"))
    metadata = mapping_of(latest.get("metadata"))
    intent = mapping_of(latest.get("intent"))
    remembered = mapping_of(metadata.get("remembered"))
    turns = metadata.get("turns")
    silence = read_silence(tracker.get("events")) or read_seconds(metadata.get("silence"))

    def known(name: str) -> object:
        """What this episode knows, else what was known before it."""
        held = slots.get(name)
        return remembered.get("query" if name == "last_query" else name) if held is None else held

    return Heard(
        text=read_text(latest.get("text")),
        intent=text_of(intent.get("name")) or "",
        value=read_value(latest.get("entities")),
        need=text_of(known("need")),
        place=text_of(slots.get("place")) or text_of(metadata.get("place")),
        location=read_location(metadata.get("location")),
        shown=texts_of(known("shown")),
        offered=texts_of(known("offered")),
        last_query=text_of(known("last_query")) or "",
        basket=texts_of(known("basket")),
        about=text_of(known("about")) or "",
        preferences=texts_of(known("preferences")),
        asked=read_asked(slots.get("asked"), silence),
        place_asked=known("place_asked") is True,
        silence=silence,
        channel=text_of(metadata.get("channel")) or "",
        language=text_of(metadata.get("language")),
        turns=turns if isinstance(turns, int) and turns >= 0 else 0,
        concerns=frozenset(texts_of(metadata.get("concerns"))),
        mentioned=texts_of(metadata.get("needs")),
        last_cards=read_last_cards(tracker.get("events")),
        last_said=read_last_said(tracker.get("events")),
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


def read_silence(events: object) -> float:
    """Seconds between the last two messages of the person, as Rasa's clock has them."""
    said = [
        event.get("timestamp")
        for event in (events if isinstance(events, list) else [])
        if isinstance(event, Mapping) and event.get("event") == "user"
    ]
    times = [float(time) for time in said[-2:] if isinstance(time, int | float)]
    return max(0.0, times[-1] - times[0]) if times else 0.0


def read_seconds(value: object) -> float:
    """How long they had been away, by the worker's clock: a new episode cannot know."""
    return max(0.0, float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def read_asked(value: object, silence: float) -> str:
    """An answer that comes after long is no answer to the question before."""
    return "" if silence >= FORGOTTEN_SECONDS else text_of(value) or ""


def read_last_cards(events: object) -> tuple[str, ...]:
    for event in reversed(events) if isinstance(events, list) else []:
        custom = mapping_of(mapping_of(mapping_of(event).get("data")).get("custom"))
        cards = mapping_of(custom.get("reply")).get("cards")
        if isinstance(cards, list) and cards:
            return texts_of([mapping_of(card).get("service_id") for card in cards])
    return ()


def read_last_said(events: object) -> tuple[str, ...]:
    """What we said between their last two messages, newest first."""
    said: list[str] = []
    messages = 0
    for event in reversed(events) if isinstance(events, list) else []:
        kind = mapping_of(event).get("event")
        messages += kind == "user"
        if messages > 1:
            break
        reply = mapping_of(mapping_of(mapping_of(mapping_of(event).get("data")).get("custom")).get("reply"))
        if kind == "bot" and messages and (text := text_of(reply.get("text"))):
            said.append(text)
    return tuple(said)


def mapping_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def text_of(value: object) -> str | None:
    """Half a character (a lone surrogate, which JSON can carry) becomes "?": it could not be written again."""
    return value.encode("utf-8", "replace").decode().strip() or None if isinstance(value, str) else None


def texts_of(value: object) -> tuple[str, ...]:
    items: Iterable[object] = value if isinstance(value, list | tuple) else ()
    return tuple(text for item in items if (text := text_of(item)) is not None)
