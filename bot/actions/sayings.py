"""Short answers and asides: "yeah", "wot", "which ones nearest", "free and open now", "i meant my mum". Pure.

What such words mean depends on what was said before, and a model of single sentences is at its weakest on them; so
they are read here, as data, after Rasa. Whatever is not plainly one of them stays with Rasa's own reading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from knowledge.preferences import Preference

SAYINGS_FILE = Path(__file__).with_name("sayings.yml")
LONGEST_ACT = 80
"""Letters. A longer message says more than one thing, and is read as words."""
LONGEST_CORRECTION = 160
NOT_TOPICS = "that it this right good helpful me sure really yet now today free open online bad"
NOT_A_TOPIC = frozenset(NOT_TOPICS.split())
"""Of "no not that" nothing is left to search with."""


class Act(StrEnum):
    """What a short message does in a conversation."""

    RATHER_NOT = "rather_not"
    BOTH = "both"
    NEAREST = "nearest"
    CALL_FOR_ME = "call_for_me"
    LIKE_THIS = "like_this"
    CORRECT = "correct"
    SOMETHING_ELSE = "something_else"
    NEXT = "next"
    ANYTHING = "anything"
    UNSURE = "unsure"
    SAY_AGAIN = "say_again"
    ACCEPT = "accept"
    DECLINE = "decline"
    THANKS = "thanks"


class About(StrEnum):
    """Who help is for."""

    ME = "me"
    SOMEONE = "someone"
    """A relative, a friend, a neighbour."""
    WORKER = "worker"
    """Somebody the writer works for."""


class Topic(StrEnum):
    """What is asked about a service that was shown."""

    COST = "cost"
    HOURS = "hours"
    CONTACT = "contact"
    """Whether somebody has to send you, and how to begin."""
    WHERE = "where"
    VISITS = "visits"
    ACCESS = "access"
    LANGUAGES = "languages"
    WAITING = "waiting"
    COMPANY = "company"


NOT_SO = re.compile(
    r"\b(?:not|isnt|arent|nothing|no) (?:online|free|open|in person|face to face|women only)\b(?! (?:way|one))"
)
"""What help should not be is not asked for."""
SIGNS: Mapping[str, Act] = {"\U0001f44d": Act.ACCEPT, "\U0001f44c": Act.ACCEPT, "\U0001f64f": Act.THANKS}
"""A thumb up, the sign for OK, folded hands."""
SKIN = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff\ufe0f ")


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What somebody says they meant instead, and what it was not, when they say so."""

    rest: str
    instead_of: str = ""


@dataclass(frozen=True, kw_only=True)
class Sayings:
    """Patterns, by what they mean."""

    around: frozenset[str]
    acts: Mapping[Act, tuple[re.Pattern[str], ...]]
    preferences: Mapping[Preference, tuple[re.Pattern[str], ...]]
    asides: Mapping[Preference, tuple[re.Pattern[str], ...]]
    """Preferences said beside a need: "cant pay my rent" does not ask for what is free."""
    beside: frozenset[str]
    about: Mapping[About, tuple[re.Pattern[str], ...]]
    not_about: re.Pattern[str]
    meant: tuple[re.Pattern[str], ...]
    framing: tuple[re.Pattern[str], ...]
    """How a worker begins, which says nothing of what is needed."""
    feels: tuple[re.Pattern[str], ...]
    secret: tuple[re.Pattern[str], ...]
    minds: tuple[re.Pattern[str], ...]
    minds_as: str
    """What is searched for when somebody says no more than that they cannot leave whom they look after."""
    questions: Mapping[Topic, tuple[re.Pattern[str], ...]]
    """About the services that were shown, and nothing else."""
    found: Mapping[Topic, re.Pattern[str]]
    """Where a listing answers one in a sentence."""

    def read_act(self, text: str) -> Act | None:
        """The act that is the whole message. A question mark alone asks us to say it again."""
        if len(text) > LONGEST_ACT:
            return None
        words = fold(text)
        if not words:
            signs = set(text.strip()) - SKIN
            if signs and signs <= SIGNS.keys():
                return SIGNS[signs.pop()]
            return Act.SAY_AGAIN if text.strip() and set(text.strip()) <= {"?", " ", "!"} and "?" in text else None
        for said in (words, self._without_around(words)):
            for act, patterns in self.acts.items():
                if any(pattern.fullmatch(said) for pattern in patterns):
                    return act
        return None

    def read_question(self, text: str) -> Topic | None:
        """What the whole message asks about what was shown."""
        words = fold(text)
        if not words or len(text) > LONGEST_ACT:
            return None
        for said in (words, self._without_around(words)):
            for topic, patterns in self.questions.items():
                if any(pattern.fullmatch(said) for pattern in patterns):
                    return topic
        return None

    def _without_around(self, words: str) -> str:
        """Courtesies at either end taken away: "ok which one is nearest please"."""
        left = words.split()
        while len(left) > 1 and left[0] in self.around:
            left = left[1:]
        while len(left) > 1 and left[-1] in self.around:
            left = left[:-1]
        return " ".join(left)

    def read_preferences(self, text: str) -> frozenset[Preference]:
        """All that the message says of how help should be."""
        words = NOT_SO.sub(" ", fold(text))
        return frozenset(each for each, patterns in self.preferences.items() if any(p.search(words) for p in patterns))

    def read_asides(self, text: str) -> frozenset[Preference]:
        """What a message with a need in it also says of how help should be."""
        words = fold(text)
        return frozenset(each for each, patterns in self.asides.items() if any(p.search(words) for p in patterns))

    def says_only_preferences(self, text: str) -> bool:
        """Whether a message is about how help should be and nothing else: "any free ones open now?"."""
        words = fold(text)
        found = self.read_preferences(text)
        for each in found:
            for pattern in self.preferences[each]:
                words = pattern.sub(" ", words)
        return bool(found) and all(word in self.beside or word in self.around for word in words.split())

    def read_about(self, text: str) -> About | None:
        """Who it is about, when the message says so."""
        words = fold(text)
        for who in (About.WORKER, About.ME, About.SOMEONE):
            if any(pattern.search(words) for pattern in self.about[who]):
                return None if who is About.SOMEONE and self.not_about.search(words) else who
        return None

    def without_framing(self, text: str) -> str:
        """What a worker asks for; the whole text when nothing else is in it."""
        words = fold(text)
        for pattern in self.framing:
            words = pattern.sub(" ", words)
        return " ".join(words.split()) or text

    def minds_somebody(self, text: str) -> bool:
        """ "i cant leave him alone tho": one who cares for somebody, and not one who is kept in."""
        return says_all(self.minds, text)

    def feels_it(self, text: str) -> bool:
        return says_all(self.feels, text)

    def keeps_secret(self, text: str) -> bool:
        """ "my family must not know" asks who hears of it."""
        return says_all(self.secret, text)

    def read_meant(self, text: str) -> Meant | None:
        """ "no i meant my mum", "not drinking, gambling"."""
        if len(text) > LONGEST_CORRECTION:
            return None
        words = fold(text)
        for pattern in self.meant:
            found = pattern.search(words)
            if found is None:
                continue
            instead_of = found.groupdict().get("not") or ""
            rest = found["rest"].strip()
            if rest in NOT_A_TOPIC or instead_of.split()[:1] in [[word] for word in NOT_A_TOPIC]:
                continue
            return Meant(rest=rest, instead_of=instead_of)
        return None


def says_all(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    """Whether one of them is the whole message."""
    words = fold(text)
    return any(pattern.fullmatch(words) for pattern in patterns)


def fold(text: str) -> str:
    """Lower case words and digits, one space between: "Which one's nearest?" -> "which ones nearest"."""
    plain = re.sub(r"['\u2018\u2019`]", "", text.casefold())
    return " ".join(re.findall(r"[^\W_]+", plain))


def build_sayings(body: Mapping[str, Any]) -> Sayings:
    """Raises KeyError or ValueError for a name that means nothing, re.error for a pattern that is none."""
    they = body["they"].replace("| ", "|").strip()
    return Sayings(
        around=frozenset(word for part in body["around"].split("|") for word in part.split()),
        acts={Act(name): _compile(patterns) for name, patterns in body["acts"].items()},
        preferences={Preference(name): _compile(patterns) for name, patterns in body["preferences"].items()},
        asides={Preference(name): _compile(patterns) for name, patterns in body["asides"].items()},
        beside=frozenset(body["beside"].split()),
        about={About(name): _compile(patterns) for name, patterns in body["about"].items()},
        not_about=re.compile(body["not_about"]),
        meant=_compile(body["meant"]),
        framing=_compile(body["framing"]),
        feels=_compile(body["feels"]),
        secret=_compile(body["secret"]),
        minds=_compile(body["minds"]),
        minds_as=body["minds_as"],
        questions={
            Topic(name): _compile([pattern.replace("{they}", they) for pattern in patterns])
            for name, patterns in body["questions"].items()
        },
        found={Topic(name): re.compile(pattern, re.IGNORECASE) for name, pattern in body["found"].items()},
    )


def _compile(patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


def load_sayings(path: Path = SAYINGS_FILE) -> Sayings:
    """Read sayings.yml. Raises OSError, yaml.YAMLError or what `build_sayings` does: the process must not start so."""
    return build_sayings(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
