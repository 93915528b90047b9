"""A message as search understands it: its vector, the needs in it, the age somebody gave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Need
from knowledge.embedding import Encoder
from knowledge.need_head import Array, NeedHead
from knowledge.needs import split_clauses
from knowledge.second_opinion import SecondOpinion
from knowledge.spelling import Spelling

LONGEST_TEXT = 2000
"""Characters that are read; of each part the encoder itself reads about the first 100 words."""
ASSERTED = 0.95
"""Probability of a need that is known from elsewhere, such as a button somebody pressed."""

_AGE = re.compile(
    r"\b(?:i'?m|i am|he'?s|she'?s|aged?|turned|(?:son|daughter|brother|sister|child|mum|mother|dad|father|nan|gran) is)"
    r"\s+(?:only\s+|just\s+)?([1-9][0-9])\b(?!\s*(?:%|pounds?|quid|weeks?|wks?|months?|days?|hours?|stone|miles?|k\b))"
    r"|\b([1-9][0-9])\s*-?(?:years?[\s-]old|yrs? old|yo\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a message says. `chances` is one probability per need, in the order of the index's needs."""

    said: str
    """As it was written."""
    text: str
    """In plain spelling."""
    vectors: Array
    """The whole message first, then its parts."""
    chances: Array
    speakers: NDArray[np.int64]
    """For each need, the row of `vectors` that speaks for it most."""
    age: int | None = None
    """In years, of whoever help is for."""


class Reader:
    """Turns messages into readings. `opinion`, when there is one, reads the whole message too."""

    def __init__(
        self,
        encoder: Encoder,
        spelling: Spelling,
        needs: Sequence[Need],
        head: NeedHead,
        opinion: SecondOpinion | None = None,
    ) -> None:
        self._encoder = encoder
        self._spelling = spelling
        self._columns = {need.id: column for column, need in enumerate(needs)}
        self._head = head
        self._opinion = opinion

    def read(self, text: str, asserted: Sequence[str] = ()) -> Reading:
        """Read a text that went through `clean`. One without letters or digits has no needs but those asserted."""
        plain = self._spelling.plain(text)
        vectors = self._encoder.encode([plain, *split_clauses(plain)])
        second = self._opinion.chances(plain) if self._opinion else None
        chances, speakers = self._head.read_message(vectors, second)
        if not any(letter.isalnum() for letter in text):
            chances = np.zeros_like(chances)
        for need in asserted:
            if need in self._columns:
                chances[self._columns[need]] = max(ASSERTED, float(chances[self._columns[need]]))
        return Reading(said=text, text=plain, vectors=vectors, chances=chances, speakers=speakers, age=age_in(text))


def clean(text: str) -> str:
    """The part that is read, with nothing in it that a model or a pattern cannot take."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode().replace("\0", " ").strip()


def age_in(text: str) -> int | None:
    """ "im 15" and "my 9 year old" say an age; "im 20 pounds short" does not."""
    found = _AGE.search(text)
    return int(found.group(1) or found.group(2)) if found else None
