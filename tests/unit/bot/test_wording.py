"""How texts are chosen and filled in."""

from __future__ import annotations

import pytest

from bot.actions.wording import NEED_OPENING, Wording, build_wording, join_words, load_wording
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
    assert join_words(words) == expected


def test_the_real_file_loads() -> None:
    assert load_wording().say("details", 1)


def test_needs_with_first_words_of_their_own_are_needs() -> None:
    known = {need.id for need in load_needs(PACKAGE_DATA / "needs.yml")}
    own = {key.removeprefix(NEED_OPENING) for key in load_wording().texts if key.startswith(NEED_OPENING)}
    assert own
    assert own <= known
