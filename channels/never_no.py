"""What nobody may hear from us: refusals, dead ends, pacts, labels. Found and said otherwise, sentence by sentence.

Rules are data (data/never_no.yml). Pure once loaded; the same rules judge our texts in CI and every message as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

NEVER_NO_FILE = Path(__file__).parent / "data" / "never_no.yml"
ENGLISH = "en"
SENTENCE = re.compile(r"[^.!?\n]*[.!?]+(?=\s|$)|[^\n]+?(?=\n|$)|\n+")
"""A sentence with its mark, the end of a line without one, or line breaks: joined again they are the text."""
STRAIGHT = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A way of turning somebody away, and what is said instead, by language."""

    id: str
    find: re.Pattern[str]
    instead: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A text that turns nobody away, and the ids of the rules that the original broke."""

    text: str
    broken: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NeverNo:
    """All rules, and what counts as somebody to reach."""

    rules: tuple[Rule, ...]
    connections: tuple[re.Pattern[str], ...]

    @classmethod
    def load(cls, path: Path = NEVER_NO_FILE) -> NeverNo:
        """Raises OSError, yaml.YAMLError, re.error or KeyError: nobody may be spoken to without it."""
        body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        return cls(
            rules=tuple(
                Rule(id=rule["id"], find=re.compile(rule["find"]), instead=rule["instead"]) for rule in body["rules"]
            ),
            connections=tuple(re.compile(pattern) for pattern in body["connections"]),
        )

    def broken(self, text: str) -> tuple[str, ...]:
        """The ids of the rules that a text breaks."""
        return tuple(dict.fromkeys(rule.id for sentence in _sentences(text) for rule in self._breaks(sentence)))

    def mend(self, text: str, language: str = ENGLISH) -> Mended:
        """The same text with other sentences in place of those that turn somebody away; none is said twice."""
        kept: list[str] = []
        broken: list[str] = []
        for sentence in _sentences(text):
            rules = self._breaks(sentence)
            broken += [rule.id for rule in rules]
            if not rules:
                kept.append(sentence)
                continue
            instead = rules[0].instead.get(language, rules[0].instead[ENGLISH])
            if not any(instead in earlier for earlier in kept):
                kept.append(_in_place_of(sentence, instead))
        return Mended(text="".join(kept).strip() if broken else text, broken=tuple(dict.fromkeys(broken)))

    def connects(self, text: str) -> bool:
        """Whether a text itself holds a way to reach somebody."""
        plain = _plain(text)
        return any(pattern.search(plain) for pattern in self.connections)

    def _breaks(self, sentence: str) -> list[Rule]:
        plain = _plain(sentence)
        return [rule for rule in self.rules if rule.find.search(plain)]


def _sentences(text: str) -> Iterator[str]:
    return (found.group() for found in SENTENCE.finditer(text))


def _in_place_of(sentence: str, instead: str) -> str:
    """With the space that stood before the sentence."""
    return sentence[: len(sentence) - len(sentence.lstrip())] + instead


def _plain(text: str) -> str:
    return text.translate(STRAIGHT).casefold()
