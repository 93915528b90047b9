"""How one thought looks that is written in pieces: "hi", "its my landlord", "hes", "chucking us out". Pure once loaded.

Nothing here knows what a message is about: only whether more is about to come, and whether it may be read with the
next one. The words are in data/pieces.yml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import yaml

FILE: Final = Path(__file__).parent / "data" / "pieces.yml"
LONGEST_PIECE: Final = 4
"""Words of a message that goes on with what came just before it."""
LONGEST_OPEN: Final = 8
"""Words. A longer message says enough to be answered, even if it ends in "and"."""
TRAILING: Final = ("...", "\u2026", ",")
CLOSED: Final = (".", "!", "?")
OFF: Final = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """`hold`: how long the newest piece may wait for the next one."""

    hold: timedelta
    greetings: frozenset[str]
    dangling: frozenset[str]
    asks: frozenset[str]
    beginnings: tuple[re.Pattern[str], ...]
    alone: frozenset[str]

    @classmethod
    def load(cls, hold_seconds: float, path: Path = FILE) -> Pieces:
        body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        return cls(
            hold=timedelta(seconds=hold_seconds),
            greetings=frozenset(body["greetings"].split()),
            dangling=frozenset(body["dangling"].split()),
            asks=frozenset(body["asks"].split()),
            beginnings=tuple(re.compile(each) for each in body["beginnings"]),
            alone=frozenset(each.strip() for each in body["alone"].split("|")),
        )

    def is_open(self, text: str, *, goes_on: bool) -> bool:
        """Whether more is likely to come at once. `goes_on`: another piece came just before it."""
        words, end = split(text), text.rstrip()
        if not words or " ".join(words) in self.alone or (end.endswith(CLOSED) and not end.endswith(TRAILING)):
            return False
        if self.is_greeting(text) or (goes_on and len(words) <= LONGEST_PIECE):
            return True
        if len(words) > LONGEST_OPEN:
            return False
        said = " ".join(words)
        unfinished = end.endswith(TRAILING) or (words[-1] in self.dangling and words[0] not in self.asks)
        return unfinished or any(pattern.fullmatch(said) for pattern in self.beginnings)

    def is_greeting(self, text: str) -> bool:
        words = split(text)
        return bool(words) and all(word in self.greetings for word in words)

    def may_join(self, text: str) -> bool:
        """Words that are not an answer or a request in themselves."""
        words = split(text)
        return bool(words) and " ".join(words) not in self.alone and not text.strip().isdecimal()

    def join(self, texts: Sequence[str]) -> str:
        """Oldest first. A greeting says nothing more once something else does, and then only stands in the way."""
        said = [text.strip() for text in texts if text.strip()]
        return " ".join([text for text in said if not self.is_greeting(text)] or said[-1:])


def split(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub(r"['\u2018\u2019]", "", text.casefold()))
