"""Words that Rasa needs for its next turn and that are written nowhere: they stay in this process's memory.

What is stored holds a mark in their place, which says nothing without the key of this process. After a restart, or in
another copy of Rasa, the words are gone, and what the person asked is known by the name of the need, which the ledger
remembers. Bounded like the conversations. Python 3.10.
"""

from __future__ import annotations

import hmac
import json
import os
from typing import Any, Dict, List, Mapping, Sequence

from bot.components.recent import Recent

WORDS = "last_query"
"""The slot that holds what the person wrote, to be searched with again."""
MARK_LETTERS = 24


class Withheld:
    """The words of each conversation, by the marks that stand for them where it is stored."""

    def __init__(self, most: int, keep_seconds: float) -> None:
        self._key = os.urandom(32)
        self._recent = Recent(most, keep_seconds)

    def hide(self, sender: str, events: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
        """The events with a mark in the place of words; the words are kept for `show`."""
        known: Dict[str, str] = {}
        hidden = [self._hide(dict(event), sender, known) for event in events]
        if known:
            self._recent.put(sender, json.dumps(known))
        else:
            self._recent.drop(sender)
        return hidden

    def show(self, sender: str, events: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
        """The events with their words again; none where this process does not know them."""
        known = json.loads(self._recent.get(sender) or "{}")
        return [{**event, "value": known.get(event["value"])} if has_words(event) else dict(event) for event in events]

    def drop(self, sender: str) -> None:
        self._recent.drop(sender)

    def _hide(self, event: Dict[str, Any], sender: str, known: Dict[str, str]) -> Dict[str, Any]:
        if has_words(event):
            words = event["value"]
            mark = hmac.new(self._key, f"{sender}\n{words}".encode("utf-8", "replace"), "sha256").hexdigest()
            event["value"] = mark[:MARK_LETTERS]
            known[event["value"]] = words
        return event


def has_words(event: Mapping[str, Any]) -> bool:
    return event.get("event") == "slot" and event.get("name") == WORDS and isinstance(event.get("value"), str)
