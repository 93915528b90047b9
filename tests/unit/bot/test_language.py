"""English is searched, other languages go to a person, and doubt goes to English."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.actions.language import Languages, Reading, build_languages, load_languages

LANGUAGES = load_languages()


@pytest.mark.parametrize(
    "text",
    ["rent", "cant pay my rent", "im so down", "hlp pls", "asdf", "WZ2", "me n da kids need food", "no money no food",
     "ive nowhere 2 sleep 2nite", "HELP", "it's my mam, she's not well", "jam",
     "\U0001d4f1\U0001d4ee\U0001d4f5\U0001d4f9 me",
     "Ελλη is my friend and she needs help", "gracias for the help", "café near me"],
)  # fmt: skip
def test_english(text: str) -> None:
    assert LANGUAGES.read(text) is Reading.ENGLISH


@pytest.mark.parametrize(
    ("text", "language", "worried", "reading"),
    [
        pytest.param("tak", "pl", True, Reading.OTHER, id="a yes after danger"),
        pytest.param("tak", "pl", False, Reading.ENGLISH, id="a yes in peace leans to English"),
        pytest.param("help me", "pl", True, Reading.ENGLISH, id="English words are English"),
        pytest.param("tak", None, True, Reading.ENGLISH, id="nobody knows of another language"),
    ],
)
def test_a_short_answer_of_somebody_in_danger_is_in_their_language(
    text: str, language: str | None, worried: bool, reading: Reading
) -> None:
    assert LANGUAGES.read(text, language, worried=worried) is reading


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("necesito ayuda por favor", id="Spanish"),
        pytest.param("preciso de ajuda com o aluguel", id="Portuguese"),
        pytest.param("j'ai besoin d'aide je suis très seule", id="French"),
        pytest.param("ich brauche hilfe, ich habe kein geld", id="German"),
        pytest.param("Potrzebuję pomocy, nie mam pieniędzy", id="Polish with accents"),
        pytest.param("am nevoie de ajutor, nu am bani", id="Romanian"),
        pytest.param("yardıma ihtiyacım var", id="Turkish"),
        pytest.param("waxaan u baahanahay caawimaad", id="Somali"),
        pytest.param("rydw i angen cymorth", id="Welsh"),
        pytest.param("آپ کی مدد چاہیے", id="Urdu"),
        pytest.param("我\u9700要帮助", id="Chinese"),
        pytest.param("допоможіть", id="Ukrainian"),
        pytest.param("ঘ", id="one letter of another script"),
        pytest.param(
            "ok мне нужна помощь",
            id="mostly another script",
        ),
    ],
)
def test_another_language(text: str) -> None:
    assert LANGUAGES.read(text) is Reading.OTHER


@pytest.mark.parametrize(
    "text", ["", " ", "???", "\U0001f622", "\U0001f44d\U0001f3fd", "2", "07700 900123", "...", "x", "\u200d"]
)
def test_no_words(text: str) -> None:
    assert LANGUAGES.read(text) is Reading.WORDLESS


@pytest.mark.parametrize(
    ("hint", "text", "expected"),
    [
        pytest.param("pl", "i need help with my rent", Reading.ENGLISH, id="English whatever the phone is set to"),
        pytest.param("pl", "rent arrears", Reading.ENGLISH, id="two words are too few to doubt"),
        pytest.param(
            "hu",
            "segítségre van szükségem most",
            Reading.OTHER,
            id="not one English word, and the hint",
        ),
        pytest.param("en-GB", "grief is hard", Reading.ENGLISH, id="the hint is English"),
    ],
)
def test_the_phones_language_only_tips_a_doubt(hint: str, text: str, expected: Reading) -> None:
    assert LANGUAGES.read(text, hint) is expected


def test_no_english_phrasing_of_a_need_is_taken_for_another_language() -> None:
    file = Path(__file__).parents[3] / "knowledge" / "data" / "needs.yml"
    phrasings = [text for need in yaml.safe_load(file.read_text(encoding="utf-8")) for text in need["phrasings"]]
    assert len(phrasings) > 1000
    assert [text for text in phrasings if LANGUAGES.read(text) is not Reading.ENGLISH] == []


@given(st.text())
def test_any_text_has_a_reading(text: str) -> None:
    assert LANGUAGES.read(text) in Reading


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("pomoc mieszkanie", "pl", id="Polish, two words"),
        pytest.param("ajutor chirie", "ro", id="Romanian, two words"),
        pytest.param("angen rhent", "cy", id="Welsh, two words"),
        pytest.param("ayuda vivienda", "es", id="Spanish, two words"),
        pytest.param("caawimaad lacag", "so", id="Somali, two words"),
        pytest.param("dormir", None, id="a word of two languages"),
    ],
)
def test_two_words_are_enough_where_they_are_one_languages(text: str, code: str | None) -> None:
    assert LANGUAGES.read(text) is Reading.OTHER
    assert LANGUAGES.name(text) == code


@pytest.mark.parametrize("text", ["hoy m8", "wot dus it cost", "nan isnt well", "ta ra", "me mam", "rent pls"])
def test_text_speak_stays_english(text: str) -> None:
    assert LANGUAGES.read(text) is Reading.ENGLISH


def test_a_list_without_other_languages_still_reads() -> None:
    lists: Languages = build_languages("help", {})
    assert lists.read("ayuda") is Reading.ENGLISH
