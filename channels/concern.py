"""Does a message hold a reason to put somebody first? Pure: no model, no network; patterns in data/concern.yml.

A concern orders the queue and changes the tone. It never gates, never scores a person and never clears itself.

    >>> find_concerns("honestly dnt want 2 b here nemore")
    (Found(concern=<Concern.SUICIDE: 'suicide'>, reason='talks about not wanting to be here'),)
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from channels.conversation import Concern

DATA = Path(__file__).parent / "data" / "concern.yml"

LAUGHTER = re.compile("[\U0001f602\U0001f923\U0001f606\U0001f639]+")
SENTENCE = re.compile(r"[.!?;:\n\r]+(?=\s|$)|\n")
LETTER_STANDS_FOR = str.maketrans({"1": "i", "3": "e", "0": "o", "5": "s", "4": "a", "$": "s", "@": "a", "!": "i"})
SPACED_OUT = re.compile(r"(?<!\S)(?:\w ){3,}\w(?!\S)")
"""A word written letter by letter: "k i l l"."""

BEFORE_A_MATCH, WORDS_BEFORE = 80, 2
"""Letters looked at for somebody else whom a match is about, and words looked at for the writer."""


@dataclass(frozen=True)
class Found:
    """A concern and, in words a peer worker reads, what in the message it comes from. Never the message itself."""

    concern: Concern
    reason: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One reason. `unless` is looked for in the sentence of the match; `together` names concerns that must be there."""

    concern: Concern
    reason: str
    pattern: re.Pattern[str]
    about_writer: bool
    unless: re.Pattern[str] | None
    together: frozenset[Concern]


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """The data file, compiled once."""

    spelling: dict[str, str]
    phrases: tuple[tuple[re.Pattern[str], str], ...]
    hidden: tuple[str, ...]
    harmless: re.Pattern[str]
    somebody_else: re.Pattern[str]
    """Ends just before a match when the words are about somebody other than the writer ("do you want to die")."""
    told: re.Pattern[str]
    """A message that teaches, comforts, sings or tells a story: in it only words about the writer count."""
    writer: re.Pattern[str]
    over: re.Pattern[str]
    """A sentence about what is over, unless `still` is in it too."""
    still: re.Pattern[str]
    rules: tuple[Rule, ...]


def find_concerns(text: str) -> tuple[Found, ...]:
    """Every concern in the message with its first reason, in the order of the rules."""
    knowledge = load_knowledge()
    words = knowledge.harmless.sub(" ~ ", in_plain_words(text, knowledge))
    told = bool(knowledge.told.search(words))
    found: dict[Concern, str] = {}
    for rule in knowledge.rules:
        if rule.concern in found or (rule.together and not rule.together & found.keys()):
            continue
        if any(_counts(rule, match, words, told, knowledge) for match in rule.pattern.finditer(words)):
            found[rule.concern] = rule.reason
    return tuple(Found(concern, reason) for concern, reason in found.items())


def _counts(rule: Rule, match: re.Match[str], words: str, told: bool, knowledge: Knowledge) -> bool:
    """Whether a match is about the writer, or whoever they worry about, and about now."""
    before = words[max(0, match.start() - BEFORE_A_MATCH) : match.start()].rstrip()
    if rule.about_writer and knowledge.somebody_else.search(before):
        return False
    if told and not knowledge.writer.search(f" {' '.join(before.split()[-WORDS_BEFORE:])} {match[0]} "):
        return False
    sentence = _sentence(words, match)
    if knowledge.over.search(sentence) and not knowledge.still.search(sentence):
        return False
    return not (rule.unless and rule.unless.search(sentence))


def _sentence(words: str, match: re.Match[str]) -> str:
    start = words.rfind(" . ", 0, match.start()) + 1
    end = words.find(" . ", match.end())
    return words[start : end if end >= 0 else len(words)]


def in_plain_words(text: str, knowledge: Knowledge | None = None) -> str:
    """The message in the form that the patterns are written for: " i dont want to be here . im tired "."""
    knowledge = knowledge or load_knowledge()
    text = unicodedata.normalize("NFKC", text).casefold()
    text = LAUGHTER.sub(" lol ", text)
    text = re.sub(r"[\u2018\u2019\u02bc'`\u00b4\u200b-\u200f\ufe0f]", "", text)
    text = SENTENCE.sub(" . ", text)
    words_found = [word for piece in text.split() for word in _plain_words_of(piece, knowledge)]
    plain = SPACED_OUT.sub(lambda match: match[0].replace(" ", ""), " ".join(words_found))
    words = f" {plain} "
    for pattern, replacement in knowledge.phrases:
        words = pattern.sub(replacement, words)
    return re.sub(r" {2,}", " ", words)


def _plain_words_of(piece: str, knowledge: Knowledge) -> list[str]:
    if piece == ".":
        return [piece]
    hidden = _uncover(piece, knowledge)
    parts = [hidden] if hidden else re.findall(r"\w+", piece.replace("*", "").replace("_", " "))
    return [knowledge.spelling.get(short, short) for short in map(_calm, parts)]


def _calm(word: str) -> str:
    """Without letters held down: "diiiie" -> "die", "soooo" -> "so"."""
    return re.sub(r"([^\W\d])\1{2,}", r"\1", word)


def _uncover(piece: str, knowledge: Knowledge) -> str | None:
    """The word behind "k*ll", "su!c1de" or "d.i.e"; None when the token hides none of the words we look for."""
    bare = piece.strip('.,!?"()*_~-')
    if bare.isalpha() or not re.search(r"[a-z]", bare) or len(bare) > 20:
        return None
    read = bare.translate(LETTER_STANDS_FOR)
    joined = re.sub(r"[.\-_/]", "", read)
    if joined in knowledge.hidden:
        return joined
    if not re.fullmatch(r"[a-z*#%]+", read) or not re.search(r"[a-z]", read) or read.isalpha():
        return None
    shape = re.compile(re.sub(r"[*#%]", "[a-z]", read))
    return next((word for word in knowledge.hidden if shape.fullmatch(word)), None)


@cache
def load_knowledge(path: Path = DATA) -> Knowledge:
    """Read and compile the data file: once a process, at the first message or when the worker starts."""
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    words: dict[str, str] = data["words"]
    return Knowledge(
        spelling={str(short): str(full) for short, full in data["spelling"].items()},
        phrases=tuple((re.compile(pattern), replacement) for pattern, replacement in data["phrases"]),
        hidden=tuple(data["hidden"]),
        harmless=_compile(data["harmless"], words),
        somebody_else=re.compile(_expand(data["somebody_else"], words)),
        **{name: _compile(data[name], words) for name in ("told", "writer", "over", "still")},
        rules=tuple(_rule(rule, words) for rule in data["rules"]),
    )


def _rule(rule: dict[str, Any], words: dict[str, str]) -> Rule:
    return Rule(
        concern=Concern(rule["concern"]),
        reason=rule["reason"],
        pattern=_compile(rule["any"], words),
        about_writer=rule.get("person") == "me",
        unless=_compile([rule["unless"]], words) if "unless" in rule else None,
        together=frozenset(Concern(name) for name in rule.get("with_any_of", ())),
    )


def _compile(patterns: list[str], words: dict[str, str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(_expand(pattern, words) for pattern in patterns)})(?!\w)")


def _expand(pattern: str, words: dict[str, str]) -> str:
    """Replace <end>, <gN> and the names of `words`; a name may use other names."""
    pattern = pattern.replace("<end>", r"(?= (?:\.|$))")
    pattern = re.sub(r"<g(\d+)>", r"(?:(?: \\.)* \\w+){0,\1}?(?: \\.)*", pattern)
    for name, value in words.items():
        if f"<{name}>" in pattern:
            pattern = pattern.replace(f"<{name}>", _expand(value, words))
    return pattern
