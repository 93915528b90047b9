"""What outlives an episode: nothing is asked twice after a person was asked for, or after a night."""

from __future__ import annotations

import pytest

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.remembering import MOST_REMEMBERED, remember
from tests.unit.bot.fakes import FOOD, LOW, RENT, FakeSearch, make_tools, payloads, text_of
from tests.unit.bot.talking import Talk

PLACE_QUESTION = "which area or postcode"


@pytest.fixture
def talk() -> Talk:
    return Talk(FakeSearch(needs=(RENT, FOOD)))


def test_the_place_is_asked_for_once_over_episodes(talk: Talk) -> None:
    talk.finder.needs = (RENT,)
    assert PLACE_QUESTION in text_of(talk.say("cant pay my rent"))
    talk.begin_anew()
    talk.finder.needs = (LOW,)
    assert PLACE_QUESTION not in text_of(talk.say("and im so down"))


def test_what_was_also_mentioned_is_still_there(talk: Talk) -> None:
    talk.say("cant pay my rent and no food")
    kept = talk.slots["basket"]
    talk.begin_anew()
    talk.say("the food thing" if kept == ["food"] else "the rent thing")
    assert talk.slots["need"] == kept[0]


def test_more_goes_on_after_what_was_shown(talk: Talk) -> None:
    first = talk.say("cant pay my rent")
    talk.begin_anew()
    more = talk.say("show me more", "show_more")
    assert not {card.service_id for card in more.replies[0].cards} & {c.service_id for c in first.replies[0].cards}


def test_whoever_comes_back_after_a_night_is_welcomed_with_what_it_was_about(talk: Talk) -> None:
    talk.finder.needs = (RENT,)
    talk.say("cant pay my rent")
    talk.begin_anew()
    hello = talk.say("hello", "say_hello", turns=3, silence=50_000)
    assert "rent" in text_of(hello)
    assert PLACE_QUESTION not in text_of(hello)
    assert "more" in payloads(hello)


def test_a_clean_start_forgets(talk: Talk) -> None:
    talk.say("cant pay my rent")
    talk.say("start again", "start_again", intent="start_again")
    assert not any(talk.remembered.values())


def test_the_words_of_the_person_are_not_kept(talk: Talk) -> None:
    talk.say("my landlord mr smith wants 400 pounds for the rent")
    assert "smith" not in str(talk.remembered)


def test_a_long_list_of_services_ends_somewhere() -> None:
    shown = tuple(f"svc-{number}" for number in range(100))
    kept = remember(Heard(), Answer(slots={"shown": shown}), make_tools())
    assert kept.shown == shown[-MOST_REMEMBERED:]
