"""Whether a whole message plainly takes back a yes: to sharing, or to our writing first. Pure once loaded.

"dont share that any more" does; "dont share that with my mum" is for whoever reads it, and "stop" alone is STOP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from channels.conversation import Consent

FILE: Final = Path(__file__).parent / "data" / "consent.yml"
LONGEST: Final = 100
"""Letters. A longer message says more than that."""


@dataclass(frozen=True, kw_only=True)
class TakingBack:
    """Patterns of data/consent.yml, by what is taken back."""

    around: frozenset[str]
    patterns: Mapping[Consent, tuple[re.Pattern[str], ...]]

    @classmethod
    def load(cls, path: Path = FILE) -> TakingBack:
        body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        patterns = {one: tuple(re.compile(each) for each in body[one]) for one in Consent}
        return cls(around=frozenset(body["around"].split()), patterns=patterns)

    def read(self, text: str) -> Consent | None:
        if len(text) > LONGEST:
            return None
        words = re.findall(r"[^\W_]+", re.sub(r"['\u2019]", "", text.casefold()))
        for consent, patterns in self.patterns.items():
            if any(pattern.fullmatch(said) for said in self._without_around(words) for pattern in patterns):
                return consent
        return None

    def _without_around(self, words: list[str]) -> tuple[str, str]:
        """As it is, and with courtesies at either end taken away: of "no more of it" the "no" is none."""
        left = words
        while left and left[0] in self.around:
            left = left[1:]
        while left and left[-1] in self.around:
            left = left[:-1]
        return " ".join(words), " ".join(left)
