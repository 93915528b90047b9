"""Other languages: recognised, greeted in kind, read where that is sure, and always passed to a person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bot.actions.asking import answer_courtesy, ask_for_reader
from bot.actions.context import in_context
from bot.actions.find_support import find_support
from bot.actions.first_contact import load_first_contact
from bot.actions.language import NAMED_LANGUAGES, Reading, load_languages
from bot.actions.shells import ACTIONS
from bot.actions.toolbox import Toolbox
from channels.conversation import HandOver, Note
from knowledge.needs import NeedGuess
from tests.unit.bot.fakes import FakeSearch, hear, make_tools

LANGUAGES = load_languages()
FIRST_CONTACT = load_first_contact()
MESSAGES = yaml.safe_load((Path(__file__).parents[2] / "data" / "languages" / "messages.yml").read_text())
EACH = [
    pytest.param(code, item["text"], id=f"{code} {at}")
    for code, items in MESSAGES.items()
    for at, item in enumerate(items)
]
POLISH = "Nie mam z czego zapłacić czynszu w tym miesiącu"


class FakeForeign:
    """Is sure that everybody means the same needs."""

    def __init__(self, *needs: NeedGuess) -> None:
        self.needs = needs

    def guess(self, text: str, language: str) -> tuple[NeedGuess, ...]:
        return self.needs


def tools_with(*needs: NeedGuess) -> Toolbox:
    search = FakeSearch(needs=needs)
    return replace(make_tools(search), first_contact=FIRST_CONTACT, foreign=FakeForeign(*needs))


@pytest.mark.parametrize(("code", "text"), EACH)
def test_the_language_is_recognised_and_has_first_words(code: str, text: str) -> None:
    assert LANGUAGES.read(text) is Reading.OTHER
    assert LANGUAGES.name(text) == code
    assert code in FIRST_CONTACT


@pytest.mark.parametrize(
    ("text", "hint", "expected"),
    [
        pytest.param("pomocy", "pl", "pl", id="too few words: the phone's language"),
        pytest.param("pomocy", None, None, id="too few words and no hint: nobody can say"),
        pytest.param("pomocy", "en-GB", None, id="an English phone says nothing"),
        pytest.param("допоможіть", None, "uk", id="one word in its own script is enough"),
        pytest.param(POLISH, "de", "pl", id="many words outweigh the phone"),
    ],
)
def test_naming_a_language(text: str, hint: str | None, expected: str | None) -> None:
    assert LANGUAGES.name(text, hint) == expected


def test_first_words_and_a_person_who_is_told_the_language() -> None:
    answer = find_support(hear("Nu am bani să plătesc chiria luna aceasta"), tools_with())
    assert [reply.text for reply in answer.replies] == [FIRST_CONTACT["ro"].hello]
    assert answer.requests == (HandOver(reason="language", need=None, language="ro"),)


def test_a_sure_reading_brings_help_as_well_and_says_in_english_what_was_understood() -> None:
    rent = NeedGuess(id="rent_arrears", label="Rent and mortgage worries", score=0.8)
    answer = ask_for_reader(hear(POLISH), tools_with(rent))
    words, listed = answer.replies
    assert words.text == f"{FIRST_CONTACT['pl'].hello} {FIRST_CONTACT['pl'].found}"
    assert "rent and mortgage worries" in listed.text
    assert [card.service_id for card in listed.cards] == ["svc-rent-help", "svc-debt", "svc-cafe"]
    assert answer.requests == (
        Note(needs=("rent_arrears",)),
        HandOver(reason="language", need="rent_arrears", language="pl"),
    )


def test_danger_in_another_language_is_a_concern() -> None:
    hurt = NeedGuess(id="domestic_abuse", label="Being hurt or controlled", score=0.7)
    answer = ask_for_reader(hear("Mi marido me pega cuando bebe"), tools_with(hurt))
    assert HandOver(reason="concern", need="domestic_abuse", language="es") in answer.requests
    assert answer.replies[0].text == FIRST_CONTACT["es"].hello, "no list is announced before they ask for one"


def test_an_unknown_language_is_welcomed_in_english_and_goes_to_a_person() -> None:
    answer = ask_for_reader(hear("pomocy"), tools_with())
    assert answer.replies[0].text == make_tools().wording.say("other_language")
    assert answer.requests == (HandOver(reason="language", need=None, language=None),)


def test_first_words_are_short_and_name_both_the_machine_and_the_person() -> None:
    assert set(FIRST_CONTACT) <= set(NAMED_LANGUAGES)
    assert len(FIRST_CONTACT) >= 8
    assert {"ar", "ur", "fa"} <= set(FIRST_CONTACT), "right-to-left"
    for code, words in FIRST_CONTACT.items():
        assert len(words.hello) <= 134, f"{code}: more than two messages of 67 letters"
        assert words.found.rstrip().endswith((":", "：")), code


ACTIONS_OF_A_YES = ("action_find_support", "action_go_on", "action_say_hello", "action_take_thanks")


@pytest.mark.parametrize("name", ACTIONS_OF_A_YES)
@pytest.mark.parametrize(
    ("language", "text"),
    [("pl", "tak"), ("pl", "Tak, dziękuję!"), ("es", "sí"), ("fr", "oui"), ("fr", "ok merci"), ("de", "ja bitte")],
)
def test_a_yes_or_thanks_is_answered_in_the_language_it_is_in(name: str, language: str, text: str) -> None:
    heard = replace(hear(text, language=language, turns=1), last_said=("For food today, these can help:",))
    answer = in_context(name, ACTIONS[name])(heard, tools_with())
    assert [reply.text for reply in answer.replies] == [FIRST_CONTACT[language].again]
    assert answer.requests == (HandOver(reason="language", language=language),)


@pytest.mark.parametrize(
    ("text", "last_said", "theirs"),
    [
        pytest.param("ok", (FIRST_CONTACT["es"].hello,), True, id="ok, just after their language"),
        pytest.param("no", (FIRST_CONTACT["es"].again,), True, id="a word of both, just after their language"),
        pytest.param("ok", (), True, id="ok, when the first words began a new episode"),
        pytest.param("ok", ("That sounds hard.",), False, id="ok, after English"),
        pytest.param("no", ("That sounds hard.",), False, id="a word of both, after English"),
        pytest.param("si tengo hambre", (FIRST_CONTACT["es"].hello,), False, id="says more than yes"),
        pytest.param("food bank", (FIRST_CONTACT["es"].hello,), False, id="English"),
    ],
)
def test_only_a_short_answer_in_the_language_they_write_is_one(
    text: str, last_said: tuple[str, ...], theirs: bool
) -> None:
    heard = replace(hear(text, language="es", turns=1), last_said=last_said)
    assert (answer_courtesy(heard, tools_with()) is not None) is theirs


def test_ok_after_first_words_in_another_script_is_answered_in_it() -> None:
    heard = replace(hear("ok", language="ar", turns=1), last_said=(FIRST_CONTACT["ar"].again,))
    answer = answer_courtesy(heard, tools_with())
    assert answer is not None
    assert answer.replies[0].text == FIRST_CONTACT["ar"].again


def test_a_yes_in_a_language_that_they_did_not_write_in_is_left_alone() -> None:
    assert answer_courtesy(hear("si", language="en", turns=1), tools_with()) is None
    assert answer_courtesy(hear("si", turns=1), tools_with()) is None
