"""Somebody in danger who writes in another language: short words in it, numbers that answer, and nothing to fill in."""

from __future__ import annotations

import unicodedata

import pytest

from bot.actions.first_contact import load_first_contact
from channels.conversation import Concern
from channels.gsm7 import plain, segments
from channels.wording import Wording, fields_of

WORDING = Wording.load()
LANGUAGES = sorted(WORDING.abroad)
RIGHT_TO_LEFT = {"ar", "ur", "fa"}


@pytest.mark.parametrize("language", LANGUAGES)
class TestEachLanguage:
    @pytest.mark.parametrize("country", ["GB", "IE"])
    @pytest.mark.parametrize("concern", list(Concern))
    def test_fits_one_text_message_with_both_numbers(self, language: str, country: str, concern: Concern) -> None:
        wording = Wording.load(country)
        words = wording.concern_abroad([concern], language)
        assert segments(plain(words)) <= 2
        assert wording.crisis.emergency.split()[0] in words
        assert any(line.phone in words for line in wording.crisis.lines if "phone" in line.by)

    def test_asks_one_question_and_names_no_line(self, language: str) -> None:
        words = WORDING.abroad[language]
        assert sum(words.count(mark) for mark in "?？؟") == 1
        assert fields_of(words) == {"emergency", "number"}

    def test_runs_the_way_its_script_does(self, language: str) -> None:
        """A page shows a message by its first letter (dir=auto); a number at an end could end up on the wrong side."""
        words = WORDING.abroad[language]
        first = next(letter for letter in words if unicodedata.bidirectional(letter) in {"L", "R", "AL"})
        assert (unicodedata.bidirectional(first) in {"R", "AL"}) is (language in RIGHT_TO_LEFT)
        if language in RIGHT_TO_LEFT:
            assert words[0].isalpha()
            assert words[-1].isalpha()


def test_every_language_of_the_first_contact_has_them_but_those_we_speak() -> None:
    assert set(LANGUAGES) == set(load_first_contact()) - set(WORDING.crisis.languages)


def test_a_line_that_is_only_texted_is_not_given_to_ring() -> None:
    assert "85258" not in WORDING.concern_abroad([Concern.SELF_HARM], "pl")


def test_a_language_without_words_gets_short_english_and_no_questions_about_it() -> None:
    words = WORDING.concern_abroad([Concern.SUICIDE], "ja")
    assert "116 123" in words
    assert words.count("?") == 1, "only whether they are in danger now"
