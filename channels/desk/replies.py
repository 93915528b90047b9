"""Saved replies: data in data/saved_replies.yml, each read through by lived experience. Pure once loaded.

A reply may hold {name} (whoever sends it), {service}, {emergency} and {line} (one crisis line that suits).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from channels.gsm7 import plain, segments

FILE: Final = Path(__file__).parent.parent / "data" / "saved_replies.yml"
VARIABLES: Final = frozenset({"name", "service", "emergency", "line"})


@dataclass(frozen=True, kw_only=True)
class SavedReply:
    """`about` are words to find it by; `checked` is when it was last read through."""

    id: str
    title: str
    text: str
    about: str = ""
    checked: str = ""

    @property
    def segments(self) -> int:
        """Text messages it takes."""
        return segments(plain(self.text))


@dataclass(frozen=True)
class SavedReplies:
    """All of them, in the order of the file."""

    replies: tuple[SavedReply, ...]

    @classmethod
    def load(cls, path: Path = FILE) -> SavedReplies:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls(tuple(SavedReply(**{**row, "text": row["text"].strip()}) for row in rows))

    def find(self, words: str) -> list[SavedReply]:
        """Those that hold every word, the ones with it in their title first; all of them for no words."""
        wanted = re.findall(r"\w+", words.casefold())
        fitting = [reply for reply in self.replies if all(word in haystack(reply) for word in wanted)]
        return sorted(fitting, key=lambda reply: -sum(word in reply.title.casefold() for word in wanted))

    def one(self, reply_id: str) -> SavedReply | None:
        return next((reply for reply in self.replies if reply.id == reply_id), None)


def haystack(reply: SavedReply) -> str:
    return f"{reply.title} {reply.about} {reply.text}".casefold()


def fill(reply: SavedReply, values: dict[str, str]) -> SavedReply:
    """With its variables filled in; what we have no value for is left to be written."""
    text = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1]) or found[0], reply.text)
    return SavedReply(id=reply.id, title=reply.title, text=text, about=reply.about, checked=reply.checked)


def fill_all(replies: Sequence[SavedReply], values: dict[str, str]) -> tuple[SavedReply, ...]:
    return tuple(fill(reply, values) for reply in replies)
