"""Every text the actions say, loaded from wording.yml and filled in. Pure once loaded.

Choosing a variant is by turn number, not by chance: a person does not hear the same sentence
twice in a row, and a test always sees the same one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from channels.conversation import Choice

VOWELS: Final = frozenset("aeiouwy")
"""Of Welsh; in English the two words for "and" are the same."""
WORDING_FILE = Path(__file__).with_name("wording.yml")
NEED_OPENING = "heard_need_"


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The texts, the titles of choices, and how needs are named inside a sentence."""

    texts: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, str]
    service: Mapping[str, str]
    language_names: Mapping[str, str]
    needs_in_a_sentence: Mapping[str, str]
    needs_not_named: frozenset[str]
    needs_plain: frozenset[str]
    needs_either: frozenset[str]
    preferences: Mapping[str, str]
    """How help should be, as it reads after "help that is"."""
    times: Mapping[str, str]
    """Days, months and the other words of opening hours and dates, by the English ones; empty in English."""

    def say(self, key: str, turn: int = 0, **values: str) -> str:
        """The text for `key`; variants take turns. Raises KeyError for an unknown key or a missing value."""
        variants = self.texts[key]
        return variants[turn % len(variants)].format_map(values)

    def about_service(self, key: str, **values: str) -> str:
        return self.service[key].format_map(values)

    def choices(self, *payloads: str) -> tuple[Choice, ...]:
        """Choices by payload, with the titles people read."""
        return tuple(Choice(title=self.titles[payload], payload=payload) for payload in payloads)

    def pick_opening(self, needs: Collection[str]) -> str | None:
        """The key of the first words for a need that has its own, in the order of the file; None when none has."""
        own = (key for key in self.texts if key.startswith(NEED_OPENING))
        return next((key for key in own if key.removeprefix(NEED_OPENING) in needs), None)

    def name_need(self, need_id: str, label: str) -> str:
        """The need as it reads inside a sentence: `Feeling low` -> `feeling low`; `LGBT+ life` stays."""
        known = self.needs_in_a_sentence.get(need_id)
        if known:
            return known
        first = label.split(" ", 1)[0]
        return label[:1].lower() + label[1:] if first[1:].islower() or len(first) == 1 else label

    def join(self, words: Sequence[str]) -> str:
        """`a`, `a and b`, `a, b and c`. Welsh has another "and" before a vowel."""
        if len(words) < 2:
            return "".join(words)
        joined = self.service["and_vowel" if words[-1][:1].casefold() in VOWELS else "and"]
        return f"{', '.join(words[:-1])} {joined} {words[-1]}"

    def tell_time(self, words: str) -> str:
        """Opening hours or a date, which come in English, in this language."""
        if not self.times:
            return words
        known = "|".join(re.escape(each) for each in sorted(self.times, key=len, reverse=True))
        return re.sub(rf"\b(?:{known})\b", lambda found: self.times[found.group()], words)


def build_wording(body: Mapping[str, Any]) -> Wording:
    """Turn the file's content into a Wording; a single text is a list of one."""
    texts = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in body["texts"].items()}
    return Wording(
        texts=texts,
        titles=body["choices"],
        service=body["service"],
        language_names=body["language_names"],
        needs_in_a_sentence=body["needs_in_a_sentence"],
        needs_not_named=frozenset(body["needs_not_named"]),
        needs_plain=frozenset(body["needs_plain"]),
        needs_either=frozenset(body["needs_either"]),
        preferences=body["preferences"],
        times=body["times"],
    )


def load_wording(path: Path = WORDING_FILE, language: str = "") -> Wording:
    """Read wording.yml; with a language, its own texts in place of those that are translated.

    Raises OSError or yaml.YAMLError: the process must not start without its words.
    """
    body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    if language:
        theirs = yaml.load(path.with_suffix(f".{language}.yml").read_text(encoding="utf-8"), yaml.CSafeLoader)
        body = {**body, **{part: {**body[part], **texts} for part, texts in theirs.items()}}
    return build_wording(body)


def load_other_wordings(path: Path = WORDING_FILE) -> Mapping[str, Wording]:
    """The languages that wording.yml is translated into, by ISO 639-1 code. Raises as load_wording does."""
    files = path.parent.glob(f"{path.stem}.*.yml")
    codes = sorted(file.suffixes[0].removeprefix(".") for file in files)
    return {code: load_wording(path, code) for code in codes}
