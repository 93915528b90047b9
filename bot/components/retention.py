"""What Rasa may remember of a conversation: decisions and slots, bounded, without anybody's words. Pure; Python 3.10.

The ledger keeps what was said, encrypted. To choose the next action Rasa needs the recent intents, the actions and
the slots, so that is all that is written; the current turn still has the full text in memory.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

Event = Dict[str, Any]

SESSION_START = "action_session_start"
LISTEN = "action_listen"
CHANNEL_METADATA = "session_started_metadata"
"""Rasa keeps the first message's metadata in this slot. It names concerns, and nobody reads it."""


def redact(event: Mapping[str, Any]) -> Event:
    """The event without texts, metadata of the channel, or the list of other intents it might have been.

    Of cards the ids stay: "that number is wrong" is about the one that was shown last.
    """
    kept = dict(event)
    kept.pop("metadata", None)
    if kept.get("event") == "user":
        said = kept.get("parse_data") or {}
        intent, entities = said.get("intent") or {}, said.get("entities") or []
        kept.update(text="", message_id=None, parse_data={"intent": intent, "entities": entities, "text": ""})
    elif kept.get("event") == "bot":
        kept.update(text=None, data=ids_of_cards(kept.get("data")))
    return kept


def ids_of_cards(data: Any) -> Dict[str, Any]:
    """Which services a message showed, in the shape it came in; empty when it showed none."""
    custom = data.get("custom") if isinstance(data, Mapping) else None
    reply = custom.get("reply") if isinstance(custom, Mapping) else None
    cards = reply.get("cards") if isinstance(reply, Mapping) else None
    shown = [card["service_id"] for card in cards or [] if isinstance(card, Mapping) and "service_id" in card]
    return {"custom": {"reply": {"cards": [{"service_id": each} for each in shown]}}} if shown else {}


def bound(events: Sequence[Mapping[str, Any]], slots: Mapping[str, Any], most: int) -> List[Event]:
    """At most `most` events of the present session, redacted.

    When older ones are dropped the slots they set are written again in front, and the rest begins where a turn
    begins: just after Rasa listened.
    """
    kept = [redact(event) for event in latest_session(events) if not is_slot(event, CHANNEL_METADATA)]
    if len(kept) <= most:
        return kept
    front: List[Event] = [
        {"event": "slot", "timestamp": kept[0].get("timestamp"), "name": name, "value": value}
        for name, value in slots.items()
        if value is not None and name != CHANNEL_METADATA
    ]
    tail = kept[-max(1, most - len(front) - 1) :]
    first_turn = next((i for i, event in enumerate(tail) if is_action(event, LISTEN)), 0)
    return [
        {"event": "action", "timestamp": kept[0].get("timestamp"), "name": SESSION_START},
        *front,
        *tail[first_turn:],
    ]


def latest_session(events: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """From the last session start on; it set every slot that was carried over again."""
    starts = [i for i, event in enumerate(events) if is_action(event, SESSION_START)]
    return events[starts[-1] :] if starts else events


def is_action(event: Mapping[str, Any], name: str) -> bool:
    return event.get("event") == "action" and event.get("name") == name


def is_slot(event: Mapping[str, Any], name: str) -> bool:
    return event.get("event") == "slot" and event.get("name") == name


def asks_for_a_clean_slate(events: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the turn that just ended asked the worker to erase the person or to start again.

    Then nothing is written and what was there is removed: FORGET ME must hold for Rasa too.
    """
    for event in reversed(events):
        if event.get("event") == "user":
            return False
        custom = (event.get("data") or {}).get("custom") or {} if event.get("event") == "bot" else {}
        request = custom.get("request") if isinstance(custom, Mapping) else None
        if isinstance(request, Mapping):
            if request.get("kind") == "start_again":
                return True
            if request.get("kind") == "forget_me" and request.get("confirmed") is True:
                return True
    return False
