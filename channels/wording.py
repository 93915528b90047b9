"""Every word that `channels` says to a person, and the crisis lines of the country. Data in data/*.yml."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from channels.conversation import Concern
from channels.errors import SettingsError

DATA = Path(__file__).parent / "data"
ANY = "any"
ENGLISH = "en"
PHONE = "phone"

URGENCY = (
    Concern.DANGER_NOW,
    Concern.ATTEMPT,
    Concern.CHILD_AT_RISK,
    Concern.SUICIDE,
    Concern.METHOD_SEEKING,
    Concern.ABUSE,
    Concern.SELF_HARM,
    Concern.EATING_DISORDER,
    Concern.SOMEONE_ELSE,
)
"""Which concern is spoken to when a message holds several. An order for words, not a score of a person."""


def most_urgent(concerns: Iterable[Concern]) -> Concern:
    """Raises ValueError when there is none."""
    return min(concerns, key=URGENCY.index)


@dataclass(frozen=True, kw_only=True)
class CrisisLine:
    """A line anybody can reach now. `say` is what a person reads, at most 60 letters."""

    id: str
    name: str
    say: str
    phone: str
    kinds: tuple[str, ...]
    by: tuple[str, ...] = ("phone",)
    """How it is reached: phone, text, web."""
    hours: str = ""
    """When, in words; empty where the line itself should be asked."""
    says: Mapping[str, str] = field(default_factory=dict, hash=False)
    """`say` in other languages."""


@dataclass(frozen=True, kw_only=True)
class CrisisLines:
    """The profile of one country; data, so that a country is added without code."""

    country: str
    emergency: str
    lines: tuple[CrisisLine, ...]
    timezone: str
    spelling: str
    """Of English, as a browser wants it: en-GB."""
    languages: tuple[str, ...]
    """Those our own texts are shown in; the first one unless a conversation is in another."""
    privacy: Mapping[str, str]
    """One line, with its limit, by language."""

    @classmethod
    def load(cls, country: str, path: Path = DATA / "crisis_lines.yml") -> CrisisLines:
        """Raises SettingsError when the country has no profile."""
        profiles: dict[str, dict[str, Any]] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        if country not in profiles:
            known = ", ".join(sorted(profiles))
            raise SettingsError(f"NWD_COUNTRY: no crisis lines for {country}; there are profiles for {known}.")
        profile = profiles[country]
        try:
            return cls(
                country=country,
                emergency=profile["emergency"],
                lines=tuple(_line(line, profile["languages"][1:]) for line in profile["lines"]),
                timezone=profile["timezone"],
                spelling=profile["spelling"],
                languages=tuple(profile["languages"]),
                privacy=profile["privacy"],
            )
        except (KeyError, TypeError) as problem:
            raise SettingsError(f"{path.name}: {country}: the profile is not complete ({problem}).") from None

    def in_language(self, language: str) -> CrisisLines:
        """The same profile, with what people read in this language where it is there."""
        return replace(self, lines=tuple(replace(line, say=line.says.get(language, line.say)) for line in self.lines))

    def choose(self, concerns: Iterable[Concern] = (), limit: int = 2) -> tuple[CrisisLine, ...]:
        """The lines that suit, the most urgent concern's first, each concern served before any gets a second."""
        by_kind = [self._of(concern) for concern in sorted(concerns, key=URGENCY.index)]
        chosen: list[CrisisLine] = []
        for place in range(max((len(lines) for lines in by_kind), default=0)):
            chosen.extend(lines[place] for lines in by_kind if place < len(lines))
        return tuple(dict.fromkeys([*chosen, *([] if chosen else self._of(ANY))]))[:limit]

    def _of(self, kind: str) -> list[CrisisLine]:
        return [line for line in self.lines if kind in line.kinds]


def _line(line: Mapping[str, Any], others: Iterable[str]) -> CrisisLine:
    """Raises KeyError, TypeError."""
    says = {language: line[language] for language in others if language in line}
    plain = {name: value for name, value in line.items() if name not in says}
    return CrisisLine(**{**plain, "kinds": tuple(line["kinds"]), "by": tuple(line["by"]), "says": says})


class Wording:
    """Texts by key, filled in. A key or a value that is missing raises KeyError: a test covers every key."""

    def __init__(
        self, messages: Mapping[str, str], pieces: Mapping[str, str], crisis: CrisisLines, service: str
    ) -> None:
        self.messages = dict(messages)
        self.pieces = dict(pieces)
        self.crisis = crisis
        self.service = service
        self.language = ENGLISH
        self.abroad: Mapping[str, str] = {}
        """The first words to somebody in danger who writes in another language, by ISO 639-1 code."""
        self.others: dict[str, Wording] = {}
        """The same in the other languages of the country, each with English where a text is not translated."""
        self.look: Callable[[str], str] = str
        """The last look at a message once it is filled in: the guard's, in a process that speaks to people."""

    @classmethod
    def load(cls, country: str = "GB", service: str = "No Wrong Door", path: Path = DATA / "wording.yml") -> Wording:
        texts: dict[str, dict[str, str]] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        profile = CrisisLines.load(country)
        wording = cls(texts["messages"], texts["pieces"], profile, service)
        wording.abroad = load_abroad()
        for language in profile.languages[1:]:
            body = yaml.load(path.with_suffix(f".{language}.yml").read_text(encoding="utf-8"), yaml.CSafeLoader)
            other = cls(
                {**texts["messages"], **body["messages"]}, {**texts["pieces"], **body["pieces"]},
                profile.in_language(language), service,
            )  # fmt: skip
            other.language, other.abroad = language, wording.abroad
            wording.others[language] = other
        return wording

    def within(self, language: str | None) -> Wording:
        """These words in the language of a conversation ("cy", "cy-GB"); in the country's first one for any other."""
        other = self.others.get((language or "").lower().split("-")[0])
        if other is None:
            return self
        other.look = self.look
        return other

    def say(self, key: str, /, **values: object) -> str:
        """The text under this key. {service}, {emergency}, {line} and {lines} are there without being given."""
        text = self.messages[key] if key in self.messages else self.pieces[key]
        filled = {name: value for name, value in self._always().items() if name in fields_of(text)}
        said = text.format(**{**filled, **values})
        return self.look(said) if key in self.messages else said

    def concern(self, concerns: Iterable[Concern]) -> str:
        """The first words to somebody whose message holds these concerns."""
        found = tuple(concerns)
        return self.say(f"concern_{most_urgent(found)}", lines=self.lines(found))

    def concern_abroad(self, concerns: Iterable[Concern], language: str) -> str:
        """The first words to these concerns in a language that our texts are not in, without a question that leads on.

        Where there are none in that language: briefly in English, with the same numbers.
        """
        chosen = [line for line in self.crisis.choose(concerns) if PHONE in line.by] or self.crisis.choose()
        if language not in self.abroad:
            return self.say("concern_again", line=chosen[0].say)
        # "112 or 999" holds a word of English.
        emergency = self.crisis.emergency.split()[0]
        return self.abroad[language].format(emergency=emergency, number=chosen[0].phone)

    def lines(self, concerns: Iterable[Concern] = (), limit: int = 2) -> str:
        return "\n".join(line.say for line in self.crisis.choose(concerns, limit))

    def thing(self, kind: str) -> str:
        """'your picture', 'your voice message'; any kind we have no word for is a file."""
        return self.pieces.get(f"thing_{kind}", self.pieces["thing_file"])

    def place(self, number: int) -> str:
        """A place in the queue in words; 1 is next."""
        return self.say("place_next") if number <= 1 else self.say("place_number", number=number)

    def _always(self) -> dict[str, str]:
        return {
            "service": self.service,
            "emergency": self.crisis.emergency,
            "privacy": self.crisis.privacy.get(self.language, self.crisis.privacy[ENGLISH]),
            "line": self.lines(limit=1),
            "lines": self.lines(),
        }


def load_abroad(path: Path = DATA / "safety_languages.yml") -> Mapping[str, str]:
    body: dict[str, dict[str, str]] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {language: words["safe"] for language, words in body.items()}


def fields_of(text: str) -> frozenset[str]:
    """The names between curly brackets."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)
