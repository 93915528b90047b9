"""What somebody says, unasked, of whether it is safe to write to them: again, perhaps, not. Pure once loaded.

That somebody else reads their phone is heard wherever it stands in a message. Only plain words as the whole message
end the quiet that somebody who is afraid has asked for. Where they could mean something else ("hes gone out") they are
asked once; a question of theirs, or anything more, is for whoever reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import yaml

FILE: Final = Path(__file__).parent / "data" / "safe_again.yml"
LONGEST: Final = 80
"""Letters. A longer message says more than that."""


class Safe(StrEnum):
    UNSAFE = "unsafe"
    SAFE = "safe"
    PERHAPS = "perhaps"


@dataclass(frozen=True, kw_only=True)
class SafeAgain:
    """Patterns of data/safe_again.yml, by what they say; what is not safe is looked for first."""

    spelling: Mapping[str, str]
    around: frozenset[str]
    patterns: Mapping[Safe, tuple[re.Pattern[str], ...]]
    watched: tuple[re.Pattern[str], ...]

    @classmethod
    def load(cls, path: Path = FILE) -> SafeAgain:
        body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        patterns = {one: tuple(re.compile(each) for each in body[one]) for one in Safe}
        watched = tuple(re.compile(rf"\b(?:{each})\b") for each in body["watched"])
        around = frozenset(body["around"].split())
        return cls(spelling=body["spelling"], around=around, patterns=patterns, watched=watched)

    def tells_watched(self, text: str) -> bool:
        """Somebody else reads what is written to them, or they ask us not to write, anywhere in the message."""
        said = " ".join(self._words(text))
        return any(pattern.search(said) for pattern in self.watched)

    def read(self, text: str) -> Safe | None:
        if len(text) > LONGEST:
            return None
        if self.tells_watched(text):
            return Safe.UNSAFE
        if "?" in text:
            return None
        words = self._words(text)
        while words and words[0] in self.around:
            words = words[1:]
        while words and words[-1] in self.around:
            words = words[:-1]
        said = " ".join(words)
        for meaning, patterns in self.patterns.items():
            if any(pattern.fullmatch(said) for pattern in patterns):
                return meaning
        return None

    def _words(self, text: str) -> list[str]:
        words = re.findall(r"[^\W_]+", re.sub(r"['\u2018\u2019]", "", text.casefold()))
        return [self.spelling.get(word, word) for word in words]
