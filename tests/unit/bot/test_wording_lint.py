"""The house rules of every text in wording.yml: product rules 1, 8 and 9."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
import yaml

from bot.actions.wording import WORDING_FILE
from channels.gsm7 import is_gsm7
from knowledge.preferences import Preference

BODY = yaml.safe_load(WORDING_FILE.read_text(encoding="utf-8"))
TEXTS = {
    f"{key}[{number}]": text
    for key, value in BODY["texts"].items()
    for number, text in enumerate([value] if isinstance(value, str) else value)
}
TITLES = BODY["choices"]
SAMPLES = {
    "needs": "clothes and things for home and debts and bills",
    "first": "clothes and things for home",
    "others": "debts and bills and looking after someone",
    "need": "clothes and things for home",
    "wishes": "free, open now and good with children",
    "missing": "open in the evening",
}
ALL = {**TEXTS, **TITLES, **BODY["service"], **BODY["needs_in_a_sentence"], **BODY["preferences"]}

RESERVED = [
    "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "START", "UNSTOP", "YES",
    "HELP", "INFO",
]  # fmt: skip
FORBIDDEN = [
    r"\bcan ?not\b", r"\bcan'?t\b", r"\bunable\b", r"\bnot eligible\b", r"\bunfortunately\b", r"\bdon'?t understand\b",
    r"\bdid ?n'?t (understand|get|catch)\b", r"\bsorry,? (we|but|i can)\b", r"\bno results?\b", r"\bnothing found\b",
    r"\bcriteria\b", r"\bqualify\b", r"\brefer(ral|red)?\b", r"\bonly if\b", r"\btry again later\b", r"\binvalid\b",
    r"\berror\b", r"\bwe do not\b", r"\bnot possible\b", r"\bnot available\b", r"\bmust\b",
]  # fmt: skip
CLAIMS = [
    r"\bconnect(ed|ing)\b",
    r"\bon (his|her|their) way\b",
    r"\bwill (join|reply|answer|be with|call|ring)\b",
    r"\bhas been\b",
]
LABELS = [
    r"\bdepress",
    r"\baddict",
    r"\bvictim",
    r"\bdisorder",
    r"\bsuffer",
    r"\bmentally\b",
    r"\bvulnerable\b",
    r"\bhomeless\b",
]


def every(texts: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("text", [pytest.param(text, id=key) for key, text in texts.items()])


def fill(text: str) -> str:
    return text.format_map(SAMPLES)


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"[.?!:]\s*", fill(text)) if part.strip()]


def syllables(word: str) -> int:
    word = re.sub(r"(?<![aeiouyl])e$|(?<=[^aeiouydt])ed$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", word)))


def reading_grade(text: str) -> float:
    """Flesch-Kincaid grade: 4 to 6 is a reading age of 9 to 11."""
    words = re.findall(r"[A-Za-z']+", fill(text))
    return 0.39 * len(words) / len(sentences(text)) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


@every(ALL)
def test_gsm7_letters_only(text: str) -> None:
    assert is_gsm7(text)


@every(TEXTS)
def test_leaves_room_for_the_cards_of_a_text_message(text: str) -> None:
    assert len(fill(text)) <= 140


@every(TITLES)
def test_a_title_fits_a_button(text: str) -> None:
    assert 3 <= len(text) <= 24


@every({**TEXTS, **TITLES})
def test_never_no(text: str) -> None:
    assert not [rule for rule in FORBIDDEN if re.search(rule, text, re.IGNORECASE)]


@every(TEXTS)
def test_never_claims_what_only_the_worker_can_know(text: str) -> None:
    assert not [claim for claim in CLAIMS if re.search(claim, text, re.IGNORECASE)]


@every({**TEXTS, **BODY["needs_in_a_sentence"]})
def test_no_labels_on_people(text: str) -> None:
    assert not [label for label in LABELS if re.search(label, text, re.IGNORECASE)]


@every(TEXTS)
def test_sentences_are_short(text: str) -> None:
    assert max(len(sentence.split()) for sentence in sentences(text)) <= 18


@every(TEXTS)
def test_one_question_at_a_time(text: str) -> None:
    assert text.count("?") <= 1


def test_reading_age_of_all_texts_together() -> None:
    assert reading_grade(" ".join(fill(text) for text in TEXTS.values())) <= 5


@every(TEXTS)
def test_reading_age_of_each_text(text: str) -> None:
    assert reading_grade(text) <= 8


@every({**TEXTS, **TITLES})
def test_no_word_that_phone_networks_keep_is_asked_for(text: str) -> None:
    """Such a word never stands in capitals, nor alone: "Yes" as a title would be typed back as YES."""
    assert text.strip(" .!").upper() not in RESERVED
    assert not [word for word in RESERVED if re.search(rf"\b{word}\b", text)]
    asked = re.findall(r"\b(?:reply|text|type|say|send)\s+\W?(\w+)", text, re.IGNORECASE)
    assert not [word for word in asked if word.upper() in RESERVED]


@every(TEXTS)
def test_numbers_are_digits(text: str) -> None:
    assert not re.search(r"\b(two|three|four|five|six|seven|eight|nine|ten)\b", text, re.IGNORECASE)


def test_only_known_values_are_filled_in() -> None:
    named = {name for text in TEXTS.values() for _, name, _, _ in string.Formatter().parse(text) if name}
    assert named <= set(SAMPLES)


def test_every_preference_can_be_said() -> None:
    assert set(BODY["preferences"]) == {str(each) for each in Preference}


def test_the_needs_named_here_exist() -> None:
    file = Path(__file__).parents[3] / "knowledge" / "data" / "needs.yml"
    known = {item["id"] for item in yaml.safe_load(file.read_text(encoding="utf-8"))}
    named = {*BODY["needs_in_a_sentence"], *BODY["needs_not_named"], *BODY["needs_plain"], *BODY["needs_either"]}
    assert named <= known


def test_every_need_reads_well_inside_a_sentence() -> None:
    """None starts with a word that would break "For ..., these can help"."""
    file = Path(__file__).parents[3] / "knowledge" / "data" / "needs.yml"
    for item in yaml.safe_load(file.read_text(encoding="utf-8")):
        said = BODY["needs_in_a_sentence"].get(item["id"], item["label"]).lower()
        assert not said.startswith(("no ", "nowhere", "being ", "support for", "after ", "hurt ")) or (
            item["id"] in BODY["needs_not_named"] or item["id"] == "young_people"
        )
