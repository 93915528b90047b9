"""A service or organisation that somebody names: it comes first, however it was spelt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

EXACT = 100
NEAR = 87
"""Similarity of a whole message to a name from which it is that name with a typing error."""
SHORTEST = 5
FILLER = frozenset(
    [
        "a",
        "about",
        "an",
        "and",
        "call",
        "can",
        "contact",
        "details",
        "do",
        "for",
        "give",
        "have",
        "help",
        "how",
        "i",
        "info",
        "is",
        "me",
        "need",
        "number",
        "of",
        "on",
        "open",
        "phone",
        "please",
        "pls",
        "ring",
        "service",
        "text",
        "thanks",
        "the",
        "to",
        "today",
        "want",
        "what",
        "whats",
        "when",
        "where",
        "wheres",
        "you",
        "your",
    ]
)
ARTICLES = re.compile(r"^(?:the|a|an) ")


@dataclass(frozen=True)
class Names:
    """Names as people say them, and the rows of the services each one means."""

    rows: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, named: Iterable[tuple[str, int]]) -> Names:
        rows: dict[str, tuple[int, ...]] = {}
        for name, row in named:
            key = ARTICLES.sub("", plain(name))
            if key and row not in rows.get(key, ()):
                rows[key] = (*rows.get(key, ()), row)
        return cls(rows)

    def find(self, text: str) -> dict[int, int]:
        """Row to likeness, 87 to 100, for names the text contains, is, or nearly is.

        A name of one word ("Shout", "Calm") counts only when the message is that name and filler,
        because such words are said for other reasons too.
        """
        said = plain(text)
        if not said:
            return {}
        found = {}
        bare = " ".join(word for word in said.split() if word not in FILLER)
        for name, rows in self.rows.items():
            whole = name in {said, bare} or _without_filler(name) == bare
            if whole or (" " in name and len(name.split()) >= 2 and f" {name} " in f" {said} "):
                found.update(dict.fromkeys(rows, EXACT))
        if not found and len(bare) >= SHORTEST:
            for name, likeness, _key in process.extract(
                bare, list(self.rows), scorer=fuzz.ratio, score_cutoff=NEAR, limit=3
            ):
                found.update(dict.fromkeys(self.rows[name], int(likeness)))
        return found


def plain(text: str) -> str:
    """Lower case without punctuation: "Men's Advice Line!" is "mens advice line"."""
    return " ".join(re.sub(r"[^\w\s]", " ", re.sub(r"['’]", "", text.lower())).split())


def _without_filler(name: str) -> str:
    return " ".join(word for word in name.split() if word not in FILLER) or name
