"""A service or organisation that somebody names: it comes first, however it was spelt."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from math import ceil, floor

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


class Names:
    """Names as people say them, and the rows of the services each one means.

    Made for a million of them: whole names are looked up, never looked through; only a message that is short enough
    to be a misspelt name is compared with names of about its length.
    """

    def __init__(self, rows: Mapping[str, tuple[int, ...]]) -> None:
        """`rows` by name, as `plain` gives it, without an article in front."""
        self._rows = rows
        self._said_by_bare: dict[str, list[str]] = {}
        for said in rows:
            self._said_by_bare.setdefault(_bare(said) or said, []).append(said)
        self._longest = max((len(said.split()) for said in rows), default=0)
        self._bares = sorted(self._said_by_bare, key=len)
        self._lengths = [len(bare) for bare in self._bares]
        self._joined = "".join(f" {bare} \n" for bare in self._bares)

    @classmethod
    def of(cls, named: Iterable[tuple[str, int]]) -> Names:
        rows: dict[str, dict[int, None]] = {}
        for name, row in named:
            said = ARTICLES.sub("", plain(name))
            if said:
                rows.setdefault(said, {})[row] = None
        return cls({said: tuple(found) for said, found in rows.items()})

    def find(self, text: str) -> dict[int, int]:
        """Row to likeness, 87 to 100, for names the text contains, is, nearly is, or is a part of (one name only).

        A name of one word ("Shout", "Calm") counts only when the message is that name and filler,
        because such words are said for other reasons too.
        """
        said = plain(text)
        bare = _bare(said)
        exact = {said, *self._said_by_bare.get(bare, ()), *self._inside(said)}
        found = {row: EXACT for name in exact for row in self._rows.get(name, ())}
        if found or len(bare) < SHORTEST:
            return found
        return self._beginning(bare) or self._misspelt(bare)

    def _inside(self, said: str) -> Iterator[str]:
        """Names of two words and more that stand in the text."""
        words = said.split()
        for start in range(len(words)):
            for end in range(start + 2, min(start + self._longest, len(words)) + 1):
                name = " ".join(words[start:end])
                if name in self._rows:
                    yield name

    def _beginning(self, bare: str) -> dict[int, int]:
        """Two words and more that are a part of one name, and of only one."""
        if " " not in bare:
            return {}
        at = self._joined.find(f" {bare} ")
        end = self._joined.find("\n", at)
        if at < 0 or self._joined.find(f" {bare} ", end) >= 0:
            return {}
        whole = self._joined[self._joined.rfind("\n", 0, at) + 1 : end].strip()
        names = self._said_by_bare[whole]
        return dict.fromkeys(self._rows[names[0]], NEAR) if len(names) == 1 else {}

    def _misspelt(self, bare: str) -> dict[int, int]:
        """Names so like the whole message that it is one of them with a typing error.

        The ratio of two texts is at most 2 * shorter / (shorter + longer), so others need not be compared.
        """
        shortest = ceil(len(bare) * NEAR / (2 * EXACT - NEAR))
        longest = floor(len(bare) * (2 * EXACT - NEAR) / NEAR)
        about_as_long = self._bares[bisect_left(self._lengths, shortest) : bisect_right(self._lengths, longest)]
        likely = process.extract(bare, about_as_long, scorer=fuzz.ratio, score_cutoff=NEAR, limit=3)
        return {
            row: int(likeness)
            for name, likeness, _at in reversed(likely)
            for said in self._said_by_bare[name]
            for row in self._rows[said]
        }


def plain(text: str) -> str:
    """Lower case without punctuation: "Men's Advice Line!" is "mens advice line"."""
    return " ".join(re.sub(r"[^\w\s]", " ", re.sub(r"['’]", "", text.lower())).split())


def _bare(said: str) -> str:
    return " ".join(word for word in said.split() if word not in FILLER)
