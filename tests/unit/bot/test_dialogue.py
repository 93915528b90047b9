"""Whom it is about, corrections, short answers and silence, in the middle of a conversation."""

from __future__ import annotations

import pytest

from bot.actions.heard import Heard, read_tracker
from channels.conversation import HandOver, Note
from tests.unit.bot.fakes import (
    CAFE,
    FOOD,
    LOW,
    RENT,
    RENT_RESCUE,
    SUICIDE,
    FakeSearch,
    card_ids,
    make_service,
    payloads,
    text_of,
)
from tests.unit.bot.talking import Talk

CARERS = make_service("svc-carers", "Carers Corner", needs=("carers",))


class TestAbout:
    @pytest.mark.parametrize(
        ("said", "about", "noted", "words"),
        [
            ("my mum is so low, how can i help her", "someone", "for_someone_else", "look"),
            ("my client has no money for rent", "worker", "asked_by_a_worker", "for them"),
        ],
    )
    def test_is_recognised_kept_and_noted(self, said: str, about: str, noted: str, words: str) -> None:
        answer = Talk(FakeSearch(needs=(LOW,))).say(said, place="Foxley")
        assert answer.slots["about"] == about
        (note,) = (each for each in answer.requests if isinstance(each, Note))
        assert note.intent == noted
        assert words in text_of(answer).split(".")[0]

    def test_help_for_the_one_who_helps_comes_last(self) -> None:
        finder = FakeSearch(services=(RENT_RESCUE, CAFE, CARERS), needs=(LOW,))
        answer = Talk(finder).say("worried about my son hes so low", place="Foxley")
        assert card_ids(answer) == ["svc-rent-help", "svc-cafe", "svc-carers"]
        assert "The last one is there for you too." in text_of(answer)

    def test_i_meant_my_mum_asks_the_same_for_her(self) -> None:
        finder = FakeSearch(services=(RENT_RESCUE, CAFE, CARERS), needs=(LOW,))
        talk = Talk(finder)
        talk.say("feeling so low", place="Foxley")
        finder.needs = ()
        answer = talk.say("i meant my mum", "put_right")
        assert talk.slots["about"] == "someone"
        assert talk.slots["last_query"] == "feeling so low"
        assert text_of(answer).startswith("Thank you for putting me right.")


class TestCorrections:
    def test_not_that_asks_what_and_offers_other_readings(self) -> None:
        talk = Talk(FakeSearch(needs=(RENT, LOW)))
        talk.say("the thing with the flat", place="Foxley")
        answer = talk.say("no not that", "let_be")
        assert "What is it more about?" in text_of(answer)
        assert "next:low_mood" in payloads(answer)
        chosen = talk.say("", "go_on", intent="next", entities=[{"entity": "value", "value": "low_mood"}])
        assert talk.slots["need"] == "low_mood"
        assert card_ids(chosen)

    @pytest.mark.parametrize(
        ("said", "meant"),
        [("no i meant the gas bill", "the gas bill"), ("not rent, heating", "heating"), ("sorry i mean gas", "gas")],
    )
    def test_what_was_meant_is_searched_with(self, said: str, meant: str) -> None:
        finder = FakeSearch()
        talk = Talk(finder)
        talk.say("my rent is late", place="Foxley")
        assert text_of(talk.say(said)).startswith("Thank you for putting me right.")
        assert finder.asked[-1][0] == meant

    def test_not_eaten_puts_nothing_right(self) -> None:
        finder = FakeSearch()
        talk = Talk(finder)
        talk.say("my rent is late", place="Foxley")
        talk.say("ive not eaten")
        assert finder.asked[-1][0] == "ive not eaten"


DOMAINS_OWN = [("k", "utter_affirm"), ("nah", "utter_deny"), ("ta", "utter_thanks")]


class TestShortAnswers:
    def talk(self) -> Talk:
        talk = Talk()
        talk.say("my rent is late", place="Foxley")
        return talk

    def test_both(self) -> None:
        answer = self.talk().say("both")
        assert card_ids(answer) == ["svc-rent-help", "svc-debt"]
        assert answer.replies[0].detail

    @pytest.mark.parametrize("said", ["wot", "?", "what do u mean"])
    def test_not_followed(self, said: str) -> None:
        answer = self.talk().say(said)
        assert text_of(answer).startswith("In other words")
        assert card_ids(answer) == ["svc-rent-help", "svc-debt", "svc-cafe"]

    @pytest.mark.parametrize("said", ["idk", "dunno", "u choose", "which is best"])
    def test_unsure_which(self, said: str) -> None:
        answer = self.talk().say(said)
        assert text_of(answer).startswith("Here is one to begin with")
        assert card_ids(answer) == ["svc-rent-help"]

    @pytest.mark.parametrize("said", ["ring them for me", "can u call them for me"])
    def test_ring_them_for_me_asks_a_person(self, said: str) -> None:
        answer = self.talk().say(said, "show_details")
        assert HandOver(reason="asked", need="rent_arrears") in answer.requests

    def test_something_else_is_other_help_for_the_same_and_another_topic_a_choice_away(self) -> None:
        answer = self.talk().say("something else", "start_again", intent="new_topic")
        assert card_ids(answer) == ["svc-housing"]
        assert "new_topic" in payloads(answer)

    def test_more_like_the_second_one(self) -> None:
        finder = FakeSearch()
        talk = Talk(finder)
        talk.say("my rent is late", place="Foxley")
        answer = talk.say("more like the second one", "show_more")
        assert finder.asked[-1][0].startswith("Wrenbridge Debt Advice.")
        assert card_ids(answer) == ["svc-housing"]
        assert talk.slots["last_query"] == "my rent is late"

    @pytest.mark.parametrize(
        ("said", "response"), [("k", "utter_affirm"), ("nah", "utter_deny"), ("ta", "utter_thanks")]
    )
    def test_with_nothing_to_answer_the_domain_speaks(self, said: str, response: str) -> None:
        assert Talk().say(said).response == response

    @pytest.mark.parametrize("said", ["?", "idk"])
    def test_alone_at_first_somebody_who_listens(self, said: str) -> None:
        assert card_ids(Talk().say(said, "say_again")) == ["nat-listeners"]


class TestSilence:
    HOUR = 3700.0

    def test_hello_after_a_while_offers_to_go_on(self) -> None:
        talk = Talk()
        talk.say("my rent is late", place="Foxley")
        answer = talk.say("hi", "say_hello", silence=self.HOUR)
        assert text_of(answer).startswith("Welcome back. Last time we looked at rent and mortgage worries. Shall we")
        assert card_ids(talk.say("yes pls", "go_on"))

    def test_a_new_message_after_a_while_is_welcomed_and_asked_nothing_again(self) -> None:
        talk = Talk()
        talk.say("my rent is late")
        said = text_of(talk.say("still behind with the rent", silence=self.HOUR))
        assert said.startswith("Welcome back.")
        assert "?" not in said

    def test_what_is_better_not_said_aloud_is_not_repeated(self) -> None:
        talk = Talk(FakeSearch(needs=(SUICIDE,)))
        talk.say("i want to die")
        assert "suicide" not in text_of(talk.say("hi", "say_hello", silence=self.HOUR)).lower()

    def test_a_yes_after_a_while_answers_no_old_question(self) -> None:
        talk = Talk(FakeSearch(needs=(FOOD, RENT)))
        talk.say("no food and rent is late")
        assert talk.slots["asked"] == "place"
        talk.say("yes", "go_on", silence=self.HOUR)
        assert talk.slots["need"] == "rent_arrears"

    def test_hello_in_the_middle_does_not_begin_again(self) -> None:
        talk = Talk()
        talk.say("my rent is late")
        assert "What is going on" not in text_of(talk.say("hello", "say_hello"))

    def test_the_first_hello_is_the_domains(self) -> None:
        assert Talk().say("hello", "say_hello").response == "utter_greet"

    def test_somebody_from_long_ago_is_welcomed_back(self) -> None:
        assert text_of(Talk().say("hello", "say_hello", turns=3)).startswith("Welcome back.")


def test_a_strange_tracker_gives_an_emptier_heard() -> None:
    slots = {"basket": "x", "about": 1, "preferences": {}, "asked": [], "place_asked": "yes"}
    assert read_tracker({"slots": slots, "events": [{"event": "user", "timestamp": "x"}]}) == Heard()
