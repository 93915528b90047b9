"""Is this English words, no words at all, or something a person should read? Pure once loaded.

The search understands English only. Guessing at another language would give wrong answers with
confidence, so anything that is clearly not English goes to a person (and is never scored).
The check leans towards English: short, misspelt and mixed messages are searched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

LANGUAGES_FILE = Path(__file__).with_name("languages.yml")
READ_CHARACTERS = 2000
"""More of a message than this changes nothing about which language it is in."""


class Reading(StrEnum):
    """What can be done with a message's words."""

    ENGLISH = "english"
    WORDLESS = "wordless"
    """Emoji, punctuation, digits, one stray letter: there is nothing to search with."""
    OTHER = "other"
    """Another script, or clearly another language."""


@dataclass(frozen=True, kw_only=True)
class Languages:
    """Everyday words, per language, that tell English from not English."""

    english: frozenset[str]
    other: tuple[frozenset[str], ...]

    def read(self, text: str, language: str | None = None) -> Reading:
        """Decide. `language` is the channel's hint (ISO code); it only ever tips a message that has no English word."""
        sample = unicodedata.normalize("NFKC", text[:READ_CHARACTERS])
        latin, foreign = count_letters(sample)
        if latin + foreign < 2:
            return Reading.OTHER if foreign else Reading.WORDLESS
        if foreign > latin:
            return Reading.OTHER
        words = fold_words(sample)
        english = sum(word in self.english for word in words)
        best = max((sum(word in known for word in words) for known in self.other), default=0)
        hinted = bool(language) and not str(language).lower().startswith("en")
        if best > english and (best >= 2 or english == 0):
            return Reading.OTHER
        if hinted and english == 0 and len(words) >= 4:
            return Reading.OTHER
        return Reading.ENGLISH


def count_letters(text: str) -> tuple[int, int]:
    """Letters of the Latin alphabet, and of any other script."""
    letters = [unicodedata.name(character, "") for character in text if character.isalpha()]
    latin = sum(name.startswith("LATIN") for name in letters)
    return latin, len(letters) - latin


def fold_words(text: str) -> list[str]:
    """Lower-case words without accents or apostrophes: `Pieniędzy` -> `pieniedzy`, `can't` -> `cant`."""
    folded = unicodedata.normalize("NFKD", text.lower().replace("ł", "l").replace("ı", "i"))
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    return re.findall(r"[a-z]+", plain.replace("'", "").replace("\u2019", ""))


def build_languages(english: str, other: Iterable[str]) -> Languages:
    """Word lists are written as one long string each."""
    return Languages(english=frozenset(english.split()), other=tuple(frozenset(words.split()) for words in other))


def load_languages(path: Path = LANGUAGES_FILE) -> Languages:
    """Read languages.yml. Raises OSError or yaml.YAMLError: the process must not start without it."""
    body: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return build_languages(body["english"], body["other"].values())
