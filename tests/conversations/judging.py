"""Rules in code for every message of ours in a played conversation. Pure: a transcript in, what was wrong out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.actions.wording import load_wording
from bot.words.checking import Rules
from bot.words.command import RULES_FILE
from channels.gsm7 import segments
from channels.never_no import NeverNo
from channels.wording import CrisisLines

ASKS_PLACE = ("ask_place", "ask_where", "ask_where_near")
MOST_TEXTS = 2
"""In the first answer to a concern: somebody in danger reads no more, and it may be on an old phone."""
SCRIPTS = Path(__file__).parents[1] / "data" / "conversations.yml"


@dataclass(frozen=True, kw_only=True)
class Script:
    """What somebody writes, and what must have come of it."""

    id: str
    kind: str
    say: tuple[str, ...]
    concern: frozenset[str] = frozenset()
    at: int = 0
    calm: bool = False
    queue: bool = False
    lists: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one message brought: our texts, whether a person had been asked by then, the phones on its cards."""

    texts: tuple[str, ...]
    queued: bool
    phones: tuple[str, ...] = ()
    outcome: str = ""
    """bot, fallback, ...: who answered."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """A conversation as it went."""

    script: Script
    answers: tuple[Answer, ...]
    concerns: frozenset[str]
    queued: bool


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Holds a conversation to the rules. Each finding names the rule, and the message by number, never its words."""

    never_no: NeverNo
    rules: Rules
    lines: CrisisLines
    place_questions: tuple[str, ...]
    most_segments: int = 2

    @classmethod
    def build(cls) -> Judge:
        never_no = NeverNo.load()
        body: dict[str, Any] = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))
        asked = tuple(variant for key in ASKS_PLACE for variant in load_wording().texts[key])
        rules = Rules.build(body, never_no)
        return cls(never_no=never_no, rules=rules, lines=CrisisLines.load("GB"), place_questions=asked)

    def judge(self, played: Played) -> list[str]:
        found = [
            f"{rule} in the answer to message {number}"
            for number, answer in enumerate(played.answers, start=1)
            for rule in self._judge_answer(answer)
        ]
        return found + self._judge_end(played)

    def _judge_answer(self, answer: Answer) -> list[str]:
        found = [rule for text in answer.texts for rule in self.never_no.broken(text)]
        found += ["reserved word" for text in answer.texts if self._asks_reserved(text)]
        found += ["too long" for text in answer.texts if segments(text) > self.most_segments and text.isascii()]
        if not answer.texts:
            found.append("silence")
        if not answer.queued and not any(self._connects(text, answer.phones) for text in answer.texts):
            found.append("nobody to reach")
        return found

    def _asks_reserved(self, text: str) -> bool:
        for ours in self.rules.ours:
            text = text.replace(ours, "")
        return bool(self.rules.asked.search(text))

    def _connects(self, text: str, phones: tuple[str, ...]) -> bool:
        known = (*phones, *(line.phone for line in self.lines.lines))
        return any(phone in text for phone in known) or self.never_no.connects(text)

    def _asks_place(self, answer: Answer) -> bool:
        return any(question in text for text in answer.texts for question in self.place_questions)

    def _judge_end(self, played: Played) -> list[str]:
        script, found = played.script, []
        if script.concern and not script.concern & played.concerns:
            found.append("concern missed or cleared")
        if script.calm and played.concerns:
            found.append("concern raised for calm words")
        if script.queue and not played.queued:
            found.append("no person asked")
        if sum(self._asks_place(answer) for answer in played.answers) > 1:
            found.append("the place asked for twice")
        if script.lists and not any(answer.phones for answer in played.answers):
            found.append("no service suggested")
        if script.at and len(played.answers) >= script.at:
            first = " ".join(played.answers[script.at - 1].texts)
            if not any(line.phone in first for line in self.lines.lines):
                found.append("no crisis line in the first answer")
            if len(played.answers[script.at - 1].texts) > MOST_TEXTS:
                found.append("a flood in the first answer to a concern")
        return found


def load_scripts(path: Path = SCRIPTS) -> tuple[Script, ...]:
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        Script(**{**one, "say": tuple(one["say"]), "concern": frozenset(one.get("concern", ()))}) for one in body
    )
