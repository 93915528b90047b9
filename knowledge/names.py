"""A service or organisation that somebody names: it comes first, however it was spelt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

EXACT = 100
NEAR = 87
"""Similarity of a whole message to a name from which it is that name with a typing error."""
SHORTEST = 5
# fmt: off
FILLER = frozenset((
    "a", "about", "an", "and", "call", "can", "contact", "details", "do", "for", "give", "have", "help",
    "how", "i", "info", "is", "me", "need", "number", "of", "on", "open", "phone", "please", "pls", "ring",
    "service", "text", "thanks", "the", "to", "today", "want", "what", "whats", "when", "where", "wheres",
    "you", "your",
))
# fmt: on
ARTICLES = re.compile(r"^(?:the|a|an) ")


@dataclass(frozen=True)
class _Name:
    said: str
    bare: str
    """Without filler words."""
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Names:
    """Names as people say them, and the rows of the services each one means."""

    names: tuple[_Name, ...]

    @classmethod
    def of(cls, named: Iterable[tuple[str, int]]) -> Names:
        rows: dict[str, list[int]] = {}
        for name, row in named:
            said = ARTICLES.sub("", plain(name))
            if said and row not in rows.setdefault(said, []):
                rows[said].append(row)
        return cls(tuple(_Name(said, _bare(said) or said, tuple(found)) for said, found in rows.items()))

    def find(self, text: str) -> dict[int, int]:
        """Row to likeness, 87 to 100, for names the text contains, is, nearly is, or is a part of (one name only).

        A name of one word ("Shout", "Calm") counts only when the message is that name and filler,
        because such words are said for other reasons too.
        """
        said = plain(text)
        bare = _bare(said)
        padded = f" {said} "
        found: dict[int, int] = {}
        for name in self.names:
            if name.said == said or name.bare == bare or (" " in name.said and f" {name.said} " in padded):
                found.update(dict.fromkeys(name.rows, EXACT))
        if found or len(bare) < SHORTEST:
            return found
        parts = [name for name in self.names if " " in bare and f" {bare} " in f" {name.bare} "]
        if len(parts) == 1:
            return dict.fromkeys(parts[0].rows, NEAR)
        likely = process.extract(
            bare, [name.bare for name in self.names], scorer=fuzz.ratio, score_cutoff=NEAR, limit=3
        )
        for _name, likeness, at in likely:
            found.update(dict.fromkeys(self.names[at].rows, int(likeness)))
        return found


def plain(text: str) -> str:
    """Lower case without punctuation: "Men's Advice Line!" is "mens advice line"."""
    return " ".join(re.sub(r"[^\w\s]", " ", re.sub(r"['’]", "", text.lower())).split())


def _bare(said: str) -> str:
    return " ".join(word for word in said.split() if word not in FILLER)
