"""Plain spelling for text-message spelling: "need food 4 my kids 2day" is "need food for my kids today".

A table of whole words and a few patterns, both data. The original is always kept beside the plain form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from knowledge.errors import CatalogueFileError

_WORDS = re.compile(r"[\w']+")


@dataclass(frozen=True)
class Spelling:
    """`plain` is pure: the same message always gives the same words."""

    words: Mapping[str, str]
    patterns: Sequence[tuple[re.Pattern[str], str]] = ()

    @classmethod
    def load(cls, path: Path) -> Spelling:
        """Raises CatalogueFileError when the table cannot be used."""
        try:
            body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
            words = {str(short).lower(): str(long) for short, long in body["words"].items()}
            patterns = [(re.compile(str(each), re.IGNORECASE), str(put)) for each, put in body.get("patterns", ())]
        except (OSError, yaml.YAMLError, re.error, KeyError, TypeError, ValueError, AttributeError) as error:
            raise CatalogueFileError([f"{path.name}: needs 'words' (short: long) and 'patterns'. {error}"]) from None
        return cls(words, tuple(patterns))

    def plain(self, text: str) -> str:
        """The message in ordinary words; the same text when there is nothing to change."""
        spelled = _WORDS.sub(self._spell, text)
        for pattern, put in self.patterns:
            spelled = pattern.sub(put, spelled)
        return spelled

    def _spell(self, match: re.Match[str]) -> str:
        word = match.group()
        return self.words.get(word.lower().replace("'", "") if "'" in word else word.lower(), word)
