"""How texts are chosen and filled in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.actions.wording import NEED_OPENING, Wording, build_wording, load_wording
from knowledge.hours import ALWAYS, ANY_TIME, ASK, CHECK, DAY_NAMES, PAUSED
from knowledge.needs import load_needs
from knowledge.settings import PACKAGE_DATA


@pytest.fixture
def wording() -> Wording:
    return build_wording(
        {
            "texts": {"hello": ["Hello {who}.", "Hi {who}."], "bye": "Bye."},
            "choices": {"more": "Show me more"},
            "service": {"checked": "checked {date}"},
            "language_names": {},
            "needs_in_a_sentence": {"homelessness": "somewhere to stay"},
            "needs_not_named": ["self_harm"],
            "needs_plain": ["transport"],
            "needs_either": [],
            "preferences": {},
            "times": {},
        }
    )


def test_variants_take_turns(wording: Wording) -> None:
    assert [wording.say("hello", turn, who="you") for turn in range(3)] == ["Hello you.", "Hi you.", "Hello you."]


def test_a_single_text_is_always_the_same(wording: Wording) -> None:
    assert wording.say("bye", 7) == "Bye."


def test_a_missing_value_is_an_error_not_a_curly_bracket(wording: Wording) -> None:
    with pytest.raises(KeyError):
        wording.say("hello")


def test_a_value_with_brackets_in_it_is_only_text(wording: Wording) -> None:
    assert wording.say("hello", who="{who.__class__}") == "Hello {who.__class__}."


def test_choices_carry_their_titles(wording: Wording) -> None:
    assert [(choice.title, choice.payload) for choice in wording.choices("more")] == [("Show me more", "more")]


@pytest.mark.parametrize(
    ("need", "label", "expected"),
    [
        pytest.param("low_mood", "Feeling low", "feeling low", id="first letter goes small"),
        pytest.param("lgbt", "LGBT+ life", "LGBT+ life", id="an abbreviation stays"),
        pytest.param("homelessness", "Nowhere to stay", "somewhere to stay", id="a label that reads oddly has its own"),
        pytest.param("x", "A new baby", "a new baby", id="one letter"),
        pytest.param("x", "", "", id="no label"),
    ],
)
def test_a_need_inside_a_sentence(wording: Wording, need: str, label: str, expected: str) -> None:
    assert wording.name_need(need, label) == expected


@pytest.mark.parametrize(
    ("words", "expected"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_joined_as_in_speech(words: list[str], expected: str) -> None:
    assert load_wording().join(words) == expected


WELSH = load_wording(language="cy")
NEEDS = Path(__file__).parents[3] / "knowledge" / "data" / "needs.yml"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["dyled", "rhent"], "dyled a rhent", id="before a consonant"),
        pytest.param(["rhent", "dyled", "alcohol"], "rhent, dyled ac alcohol", id="before a vowel"),
    ],
)
def test_welsh_has_its_own_and(words: list[str], expected: str) -> None:
    assert WELSH.join(words) == expected


@pytest.mark.parametrize(
    ("english", "welsh"),
    [
        ("open now until tomorrow 9am", "ar agor nawr tan yfory 9am"),
        ("opens next Monday midday", "yn agor dydd Llun nesaf hanner dydd"),
        (
            "Monday to Friday 9am to 5pm, Saturday 10am to 1pm",
            "dydd Llun i dydd Gwener 9am i 5pm, dydd Sadwrn 10am i 1pm",
        ),
        ("14 October 2026", "14 Hydref 2026"),
        ("any time, day or night", "unrhyw bryd, ddydd neu nos"),
    ],
)
def test_hours_and_dates_are_told_in_welsh(english: str, welsh: str) -> None:
    assert WELSH.tell_time(english) == welsh
    assert load_wording().tell_time(english) == english


def test_welsh_knows_every_word_that_hours_and_dates_are_made_of() -> None:
    """The words of knowledge.hours: a new one there fails here until it is translated."""
    days = [DAY_NAMES[day] for day in range(7)]
    fixed = [ASK, CHECK, PAUSED, ALWAYS, ANY_TIME, "every day", "today", "tomorrow", "midday", "midnight", "opens"]
    said = [*days, *(f"next {day}" for day in days), *fixed, *(f"{date(2026, month, 1):%B}" for month in range(1, 13))]
    assert [words for words in said if WELSH.tell_time(words) == words] == []


def test_welsh_names_every_need_that_may_be_named() -> None:
    english = load_wording()
    needs = {need.id for need in load_needs(NEEDS)} - english.needs_not_named
    assert needs <= WELSH.needs_in_a_sentence.keys()


def test_the_real_file_loads() -> None:
    assert load_wording().say("details", 1)


def test_needs_with_first_words_of_their_own_are_needs() -> None:
    known = {need.id for need in load_needs(PACKAGE_DATA / "needs.yml")}
    own = {key.removeprefix(NEED_OPENING) for key in load_wording().texts if key.startswith(NEED_OPENING)}
    assert own
    assert own <= known
