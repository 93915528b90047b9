"""What somebody says, unasked, of whether it is safe to write to them: again, perhaps, not. Pure once loaded.

Only plain words as the whole message end the quiet that somebody who is afraid has asked for. Where they could mean
something else ("hes gone out") they are asked once; a question of theirs, or anything more, is for whoever reads it.
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

    @classmethod
    def load(cls, path: Path = FILE) -> SafeAgain:
        body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        patterns = {one: tuple(re.compile(each) for each in body[one]) for one in Safe}
        return cls(spelling=body["spelling"], around=frozenset(body["around"].split()), patterns=patterns)

    def read(self, text: str) -> Safe | None:
        if len(text) > LONGEST or "?" in text:
            return None
        words = re.findall(r"[^\W_]+", re.sub(r"['\u2018\u2019]", "", text.casefold()))
        while words and words[0] in self.around:
            words = words[1:]
        while words and words[-1] in self.around:
            words = words[:-1]
        said = " ".join(self.spelling.get(word, word) for word in words)
        for meaning, patterns in self.patterns.items():
            if any(pattern.fullmatch(said) for pattern in patterns):
                return meaning
        return None
