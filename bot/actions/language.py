"""Is this English words, no words at all, or another language, and which? Pure once loaded.

The search of the catalogue understands English only. Guessing at another language would give wrong answers with
confidence, so anything that is clearly not English goes to a person, with what language it is in.
The check leans towards English: short, misspelt and mixed messages are searched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import yaml

LANGUAGES_FILE = Path(__file__).with_name("languages.yml")
NAMED_LANGUAGES = (
    "ar", "bn", "cs", "cy", "de", "el", "en", "es", "fa", "fr", "gu", "hi", "hu", "it", "ku", "lt", "lv", "nl", "pa",
    "pl", "ps", "pt", "ro", "ru", "sk", "so", "sq", "sw", "ta", "th", "tr", "uk", "ur", "vi", "zh", "ja", "ko", "bg",
    "am",
)  # fmt: skip
"""What is told apart (ISO 639-1): the languages most used in UK support services. Among fewer it is surer."""
ENOUGH_WORDS = 3
"""Below this many Latin words the language of a phone says more than the words do."""
ENOUGH_TO_NAME = 2
"""Everyday words of one language that name it: one alone may be its neighbour's too."""
WORDS_TO_HEAR = 4
MOST_ENGLISH = 1 / 3
"""Share of everyday English words above which a message is taken for English whatever it sounds like."""
LONGEST_COURTESY = 4
"""Words."""
SURE = 0.7
"""Probability from which a message sounds foreign. With the share above, 0 of the project's 9,114 English
training sentences are mistaken, misspelt ones included."""
READ_CHARACTERS = 2000
"""More of a message than this changes nothing about which language it is in."""


class Reading(StrEnum):
    """What can be done with a message's words."""

    ENGLISH = "english"
    WORDLESS = "wordless"
    """Emoji, punctuation, digits, one stray letter: there is nothing to search with."""
    OTHER = "other"
    """Another script, or clearly another language."""


class Identifier(Protocol):
    """The part of py3langid that is used: the likeliest language of a text, and how likely (0 to 1)."""

    def classify(self, text: str) -> tuple[str, float]: ...


@dataclass(frozen=True, kw_only=True)
class Languages:
    """Everyday words, per language, that tell English from not English."""

    english: frozenset[str]
    other: Mapping[str, frozenset[str]]
    """By ISO 639-1 code."""
    identifier: Identifier | None = None
    courtesies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of a short yes, no or thanks, by ISO 639-1 code."""
    everywhere: frozenset[str] = frozenset()
    """Those of every language: they tell nothing of which one it is."""

    def read_courtesy(self, text: str, language: str | None, *, spoken: bool) -> str | None:
        """The language (ISO 639-1) in which the whole message is a short yes, no or thanks. None for any other message.

        `language` is the one they wrote in before; `spoken`: we have just answered in it, so that an "ok" is in it too.
        """
        code = (language or "").lower().split("-")[0]
        words = set(fold_words(text))
        if not words or len(text.split()) > LONGEST_COURTESY:
            return None
        theirs = words & self.courtesies.get(code, frozenset())
        telling = theirs - self.english
        return code if words <= theirs | self.everywhere and (telling or spoken) else None

    def read(self, text: str, language: str | None = None, *, worried: bool = False) -> Reading:
        """Decide. `language` is what the channel or an earlier message says (ISO code). It only ever tips a message
        without an English word, and a short one only when something `worried` us: a yes there must not bring English.
        """
        sample = unicodedata.normalize("NFKC", text[:READ_CHARACTERS])
        latin, foreign = count_letters(sample)
        if latin + foreign < 2:
            return Reading.OTHER if foreign else Reading.WORDLESS
        if foreign > latin:
            return Reading.OTHER
        words = fold_words(sample)
        english = sum(word in self.english for word in words)
        best = max((sum(word in known for word in words) for known in self.other.values()), default=0)
        hinted = bool(language) and not str(language).lower().startswith("en")
        if best > english and (best >= 2 or english == 0):
            return Reading.OTHER
        if hinted and english == 0 and (worried or len(words) >= 4):
            return Reading.OTHER
        if len(words) >= WORDS_TO_HEAR and english <= MOST_ENGLISH * len(words) and self._sounds_foreign(sample):
            return Reading.OTHER
        return Reading.ENGLISH

    def _sounds_foreign(self, text: str) -> bool:
        if self.identifier is None:
            return False
        code, chance = self.identifier.classify(text)
        return code != "en" and chance >= SURE

    def name(self, text: str, hint: str | None = None) -> str | None:
        """Which language a message that is not English is in (ISO 639-1), or None when nobody can say.

        `hint` is what the channel says of the person's device: it decides where there are too few words.
        """
        hinted = (hint or "").lower().split("-")[0] or None
        hinted = hinted if hinted in NAMED_LANGUAGES and hinted != "en" else None
        latin, foreign = count_letters(text[:READ_CHARACTERS])
        if self.identifier is None or (foreign <= latin and len(text.split()) < ENOUGH_WORDS):
            return hinted or self._named_by_words(text)
        code, _ = self.identifier.classify(text[:READ_CHARACTERS])
        return code if code != "en" else hinted

    def _named_by_words(self, text: str) -> str | None:
        """The one language whose everyday words these are; None where they are those of several."""
        words = fold_words(text)
        counts = {code: sum(word in known for word in words) for code, known in self.other.items()}
        most = max(counts.values(), default=0)
        found = [code for code, count in counts.items() if count == most]
        return found[0] if most >= ENOUGH_TO_NAME and len(found) == 1 and found[0] in NAMED_LANGUAGES else None


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


def build_languages(english: str, other: Mapping[str, str], identifier: Identifier | None = None) -> Languages:
    """Word lists are written as one long string each."""
    return Languages(
        english=frozenset(english.split()),
        other={code: frozenset(words.split()) for code, words in other.items()},
        identifier=identifier,
    )


def load_languages(path: Path = LANGUAGES_FILE) -> Languages:
    """Read languages.yml. Raises OSError or yaml.YAMLError: the process must not start without it."""
    body: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    known = build_languages(body["english"], body["other"], load_identifier())
    courtesies = {code: frozenset(words.split()) for code, words in body["courtesies"].items()}
    return replace(known, courtesies=courtesies, everywhere=frozenset(body["everywhere"].split()))


def load_identifier() -> Identifier:
    """py3langid's own model (4.5 MB, in the package), told which languages there can be."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(NAMED_LANGUAGES)
    identifier: Identifier = model
    return identifier
