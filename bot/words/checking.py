"""Holds every text to the rules and says what is wrong, where, and what to do. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from bot.words.signing import SignOffs
from bot.words.texts import ENGLISH, Text
from channels.gsm7 import is_gsm7, plain, segments
from channels.never_no import NeverNo
from knowledge.editing.readability import reading_age

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`level` error fails the check, warning does not."""

    text: str
    rule: str
    level: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What texts are held to, from bot/words/rules.yml."""

    never_no: NeverNo
    asked: re.Pattern[str]
    shouted: re.Pattern[str]
    ours: Sequence[str]
    english_only: Sequence[str]
    limits: Mapping[str, int]
    samples: Mapping[str, str]

    @classmethod
    def build(cls, body: Mapping[str, Any], never_no: NeverNo) -> Rules:
        reserved = sorted(body["reserved"], key=len, reverse=True)
        words = "|".join(map(re.escape, reserved))
        verbs = "|".join(map(re.escape, sorted(body["sending"], key=len, reverse=True)))
        return cls(
            never_no=never_no,
            asked=re.compile(
                rf"\b(?:{verbs})(?: us| me| the word)? [\"']?(?:{words})[\"']?(?=[.,;:!?)]|$| to\b| for\b)",
                re.IGNORECASE,
            ),
            shouted=re.compile(rf"\b(?:{words.upper()})\b"),
            ours=body["ours"],
            english_only=body["english_only"],
            limits=body["limits"],
            samples=body["samples"],
        )

    def fill(self, text: Text) -> str:
        """As the longest it can become."""
        values = {name: self.samples.get(name, "number 27") for name in text.fields}
        return text.text.format_map(values)


def check_all(texts: Sequence[Text], rules: Rules, sign_offs: SignOffs, *, must_be_signed: bool) -> list[Problem]:
    """Every problem of every text, and between languages."""
    found = [problem for text in texts for problem in _check(text, rules)]
    found += _compare_languages(texts, rules)
    found += _check_signed(texts, sign_offs, ERROR if must_be_signed else WARNING)
    return found


def _check(text: Text, rules: Rules) -> Iterator[Problem]:
    def problem(rule: str, message: str) -> Problem:
        return Problem(text=text.key, rule=rule, level=ERROR, message=message)

    filled = rules.fill(text)
    for broken in rules.never_no.broken(text.text):
        yield problem("never_no", f"turns somebody away or labels them ({broken}); see channels/data/never_no.yml.")
    if words := _reserved(text.text, rules):
        yield problem("reserved", f"asks for {words[0]!r}; phone networks keep that word, so ask for another one.")
    if emoji := [letter for letter in text.text if unicodedata.category(letter) in {"So", "Sk", "Cs", "Co"}]:
        yield problem("emoji", f"holds {emoji[0]!r}; say it in words.")
    if text.language == ENGLISH and not is_gsm7(filled):
        letter = next(letter for letter in filled if not is_gsm7(letter))
        yield problem("letters", f"holds {letter!r}, which makes every text message dearer; use a plain letter.")
    if text.kind == "message" and (count := segments(plain(filled))) > _most_segments(text, rules):
        yield problem("length", f"takes {count} text messages when filled in; make it shorter.")
    if text.kind == "title" and len(text.text) > rules.limits["title"]:
        yield problem("length", f"is longer than a button ({rules.limits['title']} letters).")
    if text.language == ENGLISH and text.kind == "message" and (age := _age(text, rules)) > rules.limits["reading_age"]:
        yield problem("reading_age", f"needs a reading age of {age}; use shorter words and sentences.")


def _most_segments(text: Text, rules: Rules) -> int:
    """A language that needs letters outside GSM-7 has 134 letters in two; it may take twice as many texts."""
    return rules.limits["segments"] * (1 if is_gsm7(plain(text.text)) else 2)


def _age(text: Text, rules: Rules) -> float:
    """Names, numbers and lines of services read as easy words: they are quoted, not written."""
    quoted = dict.fromkeys(("service", "line", "lines"), "Anna")
    values = {name: quoted.get(name) or rules.samples.get(name, "number 27") for name in text.fields}
    return reading_age(re.sub(r"\d[\d ]+\d", "9", text.text.format_map(values))) or 0.0


def _reserved(text: str, rules: Rules) -> list[str]:
    for ours in rules.ours:
        text = text.replace(ours, "")
    return [found.group() for pattern in (rules.asked, rules.shouted) for found in pattern.finditer(text)]


def _compare_languages(texts: Sequence[Text], rules: Rules) -> Iterator[Problem]:
    """The same values are filled in, and nothing is left untranslated or translated from nowhere."""
    english = {text.id: text for text in texts if text.language == ENGLISH}
    for language in sorted({text.language for text in texts if text.id in english} - {ENGLISH}):
        theirs = {text.id: text for text in texts if text.language == language}
        for text_id, text in english.items():
            if any(fnmatch(text_id, pattern) for pattern in rules.english_only):
                continue
            other = theirs.get(text_id)
            key = f"{text_id} [{language}]"
            if other is None:
                yield Problem(text=key, rule="untranslated", level=WARNING, message="is said in English.")
            elif other.fields != text.fields:
                wrong = ", ".join(f"{{{name}}}" for name in sorted(other.fields ^ text.fields))
                yield Problem(text=key, rule="placeholders", level=ERROR, message=f"{wrong}: not in both languages.")
        known = {text_id.split(":")[0] for text_id in english}
        for text_id in sorted(theirs.keys() - english.keys()):
            if text_id.split(":")[0] in known:
                yield Problem(text=theirs[text_id].key, rule="unknown", level=ERROR, message="is no text of ours.")


def _check_signed(texts: Sequence[Text], sign_offs: SignOffs, level: str) -> Iterator[Problem]:
    for text in texts:
        if sign_offs.of(text) is None:
            changed = sign_offs.was_signed(text)
            message = "has changed since it was signed off." if changed else "is not signed off by anybody."
            yield Problem(text=text.key, rule="unsigned", level=level, message=message)
