"""Saved replies: those of data/saved_replies.yml, as leads have changed them since. Pure once loaded.

A reply may hold {name} (whoever sends it), {service}, {emergency} and {line} (one crisis line that suits). Each has its
words in one or more languages; where a language has none it is offered in English, and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml

from channels.gsm7 import plain, segments
from channels.ledger.saved_replies import ReplyChange

FILE: Final = Path(__file__).parent.parent / "data" / "saved_replies.yml"
VARIABLES: Final = frozenset({"name", "service", "emergency", "line"})
ENGLISH: Final = "en"


@dataclass(frozen=True, kw_only=True)
class SavedReply:
    """`about` are words to find it by; `checked` is when it was last read through by lived experience."""

    id: str
    title: str
    text: str
    about: str = ""
    checked: str = ""
    language: str = ENGLISH
    change: ReplyChange | None = None
    """Who made it so at the desk, and when; None for one as it came."""
    instead: bool = False
    """English, because there are no words in the language of the conversation yet."""

    @property
    def segments(self) -> int:
        """Text messages it takes."""
        return segments(plain(self.text))


@dataclass(frozen=True)
class SavedReplies:
    """All of them in every language, in the order of the file, then of their making."""

    replies: tuple[SavedReply, ...]

    @classmethod
    def load(cls, path: Path = FILE, languages: Sequence[str] = ()) -> SavedReplies:
        """`languages` beside English; one without a file has no words yet."""
        found: list[SavedReply] = []
        for language in (ENGLISH, *languages):
            file = path if language == ENGLISH else path.with_suffix(f".{language}.yml")
            rows = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader) if file.exists() else ()
            found += (SavedReply(**{**row, "text": row["text"].strip()}, language=language) for row in rows)
        return cls(tuple(found))

    def with_changes(self, changes: Iterable[ReplyChange]) -> SavedReplies:
        """Each change in the place of what was there; one that takes words away leaves none."""
        known = {(reply.id, reply.language): reply for reply in self.replies}
        for change in changes:
            known[change.reply_id, change.language] = SavedReply(
                id=change.reply_id, title=change.title, text=change.text, about=change.about,
                language=change.language, change=change,
            )  # fmt: skip
        return SavedReplies(tuple(one for one in known.values() if not (one.change and one.change.removed)))

    def within(self, language: str) -> list[SavedReply]:
        """Every reply once: in this language, or in English instead."""
        theirs = {reply.id: reply for reply in self.replies if reply.language == language}
        english = [reply for reply in self.replies if reply.language == ENGLISH]
        shown = [theirs.pop(reply.id, replace(reply, instead=language != ENGLISH)) for reply in english]
        return [*shown, *theirs.values()]

    def find(self, words: str, language: str = ENGLISH) -> list[SavedReply]:
        """Those that hold every word, the ones with it in their title first; all of them for no words.

        A reply is found by its English words too: whoever looks may think in English and answer in Welsh.
        """
        wanted = re.findall(r"\w+", words.casefold())
        english = {reply.id: haystack(reply) for reply in self.replies if reply.language == ENGLISH}
        fitting = [
            reply
            for reply in self.within(language)
            if all(word in f"{haystack(reply)} {english.get(reply.id, '')}" for word in wanted)
        ]
        return sorted(fitting, key=lambda reply: -sum(word in reply.title.casefold() for word in wanted))

    def every(self, words: str) -> list[SavedReply]:
        """Each reply once, in its first language, if its words in any language hold every one of these."""
        wanted = re.findall(r"\w+", words.casefold())
        by_id = {reply.id: self.words_of(reply.id) for reply in self.replies}
        return [
            next(iter(known.values()))
            for known in by_id.values()
            if all(any(word in haystack(reply) for reply in known.values()) for word in wanted)
        ]

    def one(self, reply_id: str, language: str = ENGLISH) -> SavedReply | None:
        return next((reply for reply in self.within(language) if reply.id == reply_id), None)

    def words_of(self, reply_id: str) -> Mapping[str, SavedReply]:
        """One reply by language, without anything instead."""
        return {reply.language: reply for reply in self.replies if reply.id == reply_id}


def haystack(reply: SavedReply) -> str:
    return f"{reply.title} {reply.about} {reply.text}".casefold()


def fill(reply: SavedReply, values: Mapping[str, str]) -> SavedReply:
    """With its variables filled in; what we have no value for is left to be written."""
    return replace(reply, text=re.sub(r"\{(\w+)\}", lambda found: values.get(found[1]) or found[0], reply.text))


def fill_all(replies: Sequence[SavedReply], values: Mapping[str, str]) -> tuple[SavedReply, ...]:
    return tuple(fill(reply, values) for reply in replies)
