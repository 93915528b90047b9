"""Several needs, refined lists and the place: what is kept and what follows from it over several turns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.actions.answer import Answer
from knowledge.catalogue import Phone, Schedule
from tests.unit.bot.fakes import (
    CAFE,
    FOOD,
    LISTENERS,
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

NIGHT = make_service("svc-night", "Night Desk", schedules=(Schedule(days=("MO",), opens="18:30", closes="22:00"),))
PAID = make_service("svc-paid", "Paid Advice", cost="20 pounds")
TEXTS = make_service("svc-texts", "Text Desk", phones=(Phone(number="07700 900123", sms=True),), how_to="Text or ring.")
QUIET = make_service("svc-quiet", "Quiet Desk", how_to="Ring.", schedules=())


class TestBasket:
    def test_the_most_urgent_is_first_and_the_others_are_kept_and_named(self) -> None:
        answer = Talk(FakeSearch(needs=(RENT, LOW, FOOD))).say("no food, rent late and im so low", place="Foxley")
        assert "Let us start with food for today. We can look at rent" in text_of(answer)
        assert answer.slots["basket"] == ("rent_arrears", "low_mood")
        assert payloads(answer)[-3:] == ["next", "more", "person"]

    @pytest.mark.parametrize(
        ("said", "action"),
        [
            ("yes", "go_on"),
            ("k", "find_support"),
            ("next", "go_on"),
            ("the rent thing", "find_support"),
            ("what about the mortgage then", "find_support"),
        ],
    )
    def test_goes_on_to_the_next(self, said: str, action: str) -> None:
        finder = FakeSearch(needs=(FOOD, RENT))
        talk = Talk(finder)
        talk.say("no food and the rent is late", place="Foxley")
        talk.say(said, action)
        assert finder.asked[-1][0] == RENT.label
        assert talk.slots["need"] == "rent_arrears"
        assert talk.slots["basket"] == []

    def test_to_looking_for_another_after_a_wrong_number_brings_another(self) -> None:
        talk = Talk(FakeSearch(needs=(FOOD,)))
        first = talk.say("no food", place="Foxley").replies[0].cards
        talk.say("that number doesnt work", "hand_over", intent="complaint")
        others = talk.say("yes", "go_on").replies[0].cards
        assert others
        assert not {card.service_id for card in others} & {card.service_id for card in first}

    def test_goes_back_to_one_that_was_looked_at_when_it_is_named(self) -> None:
        finder = FakeSearch(needs=(FOOD, RENT))
        talk = Talk(finder)
        talk.say("no food and the rent is late", place="Foxley")
        talk.say("next", "go_on")
        talk.say("the food thing", "go_on")
        assert talk.slots["need"] == FOOD.id

    def test_naming_the_one_that_is_on_the_table_stays_with_it(self) -> None:
        finder = FakeSearch(needs=(RENT, LOW))
        talk = Talk(finder)
        talk.say("the rent is late and i feel so low", place="Foxley")
        answer = talk.say("the rent first i spose", "find_support")
        assert finder.asked[-1][0] == RENT.label
        assert talk.slots["need"] == RENT.id
        assert "feeling low" in text_of(answer)

    def test_the_one_named_comes_first(self) -> None:
        finder = FakeSearch(needs=(FOOD, RENT, LOW))
        talk = Talk(finder)
        talk.say("no food, rent is late, feel low", place="Foxley")
        finder.needs = (LOW,)
        answer = talk.say("feeling low", "find_support")
        assert finder.asked[-1][0] == LOW.label
        assert talk.slots["basket"] == ["rent_arrears"]
        assert text_of(answer).endswith("You also mentioned rent and mortgage worries. Shall we look at that next?")

    def test_nothing_is_forgotten_over_several_turns(self) -> None:
        talk = Talk(FakeSearch(needs=(FOOD, RENT)))
        talk.say("no food and the rent is late", place="Foxley")
        for text, action in (("1", "show_details"), ("show me more", "show_more"), ("WZ4", "give_place")):
            talk.say(text, action)
            assert talk.slots["basket"] == ["rent_arrears"]
        assert "rent and mortgage worries. Shall we" in text_of(talk.say("ta", "take_thanks"))
        talk.say("yeah", "go_on")
        assert talk.slots["need"] == "rent_arrears"

    def test_a_new_need_does_not_push_out_an_older_one(self) -> None:
        finder = FakeSearch(needs=(FOOD, RENT))
        talk = Talk(finder)
        talk.say("no food and the rent is late", place="Foxley")
        finder.needs = (LOW,)
        assert "You also mentioned rent" in text_of(talk.say("and i feel so down today"))
        assert talk.slots["basket"] == ["rent_arrears"]

    def test_another_topic_offers_what_was_mentioned(self) -> None:
        talk = Talk(FakeSearch(needs=(FOOD, RENT)))
        talk.say("no food and the rent is late", place="Foxley")
        assert "You also mentioned rent" in text_of(talk.say("", "start_again", intent="new_topic"))
        assert talk.slots["last_query"] is None
        assert talk.slots["basket"] == ["rent_arrears"]

    def test_somebody_in_danger_is_asked_nothing_and_nothing_is_lost(self) -> None:
        answer = Talk(FakeSearch(needs=(SUICIDE, RENT))).say("i want to be gone and the rent is late")
        assert "?" not in text_of(answer)
        assert answer.slots["basket"] == ("rent_arrears",)

    def test_what_is_better_not_said_aloud_is_not_named(self) -> None:
        drink = replace(LOW, id="alcohol", label="Worries about drinking")
        talk = Talk(FakeSearch(needs=(FOOD, drink)))
        talk.say("no food and i drink too much", place="Foxley")
        said = text_of(talk.say("thanks", "take_thanks"))
        assert "drink" not in said
        assert said.endswith("There was something else you mentioned. Shall we look at that next?")

    def test_a_no_leaves_it_one_choice_away(self) -> None:
        talk = Talk(FakeSearch(needs=(FOOD, RENT)))
        talk.say("no food and the rent is late", place="Foxley")
        assert "next" in payloads(talk.say("nah", "let_be"))


class TestLongMessages:
    def test_a_late_need_is_kept(self) -> None:
        class Reads(FakeSearch):
            def find(self, text: str, **rest: Any) -> Any:
                found = super().find(text, **rest)
                needs = tuple(each for each, word in ((RENT, "rent"), (FOOD, "food")) if word in text)
                asserted = tuple(each for each in (RENT, FOOD) if each.id in rest.get("needs", ()))
                return replace(found, needs=asserted if len(text) > 300 else needs)

        story = "my rent is late. " + "it has been a long year and a lot went on with my family. " * 12
        answer = Talk(Reads()).say(f"{story} and there is no food in the house", place="Foxley")
        assert answer.slots["need"] == "food"
        assert answer.slots["basket"] == ("rent_arrears",)


class TestPreferences:
    def refine(self, said: str, *services: Any, action: str = "find_support", **heard: Any) -> Answer:
        talk = Talk(FakeSearch(services=services))
        talk.say("my rent is late", place="Foxley")
        return talk.say(said, action, place="Foxley", **heard)

    @pytest.mark.parametrize(
        ("said", "action", "first", "words"),
        [
            ("any free ones", "show_more", "svc-rent-help", "I looked for help that is free. These fit:"),
            ("whats open now", "show_details", "svc-paid", "I looked for help that is open now. These fit:"),
            ("cant talk on phone", "find_support", "svc-texts", "there without a phone call. This one fits:"),
            ("in the evening pls", "more", "svc-night", "open in the evening. This one fits:"),
        ],
    )
    def test_refine_the_same_question(self, said: str, action: str, first: str, words: str) -> None:
        action = "show_more" if action == "more" else action
        answer = self.refine(said, *FIRST_BY[first], action=action)
        assert card_ids(answer)[0] == first
        assert words in text_of(answer)
        assert answer.slots["last_query"] == "my rent is late"

    def test_add_up(self) -> None:
        talk = Talk(FakeSearch(services=(PAID, NIGHT, RENT_RESCUE)))
        talk.say("my rent is late", place="Foxley")
        talk.say("free ones", place="Foxley")
        answer = talk.say("that are open now", place="Foxley")
        assert card_ids(answer) == ["svc-rent-help"]
        assert "free and open now" in text_of(answer)

    def test_nothing_fits_all_and_the_nearest_says_what_it_lacks(self) -> None:
        answer = self.refine("free and for women", NIGHT, PAID)
        assert card_ids(answer) == ["svc-night"]
        assert "This one comes closest. I have yet to find one that is for women:" in text_of(answer)
        assert "person" in payloads(answer)

    @pytest.mark.parametrize("said", ["anything", "dont mind", "any will do"])
    def test_are_undone(self, said: str) -> None:
        talk = Talk(FakeSearch(services=(PAID, NIGHT, RENT_RESCUE)))
        talk.say("my rent is late", place="Foxley")
        talk.say("open now", place="Foxley")
        answer = talk.say(said, place="Foxley")
        assert card_ids(answer) == ["svc-paid", "svc-night", "svc-rent-help"]
        assert talk.slots["preferences"] == []

    def test_are_gone_with_a_new_topic(self) -> None:
        talk = Talk()
        talk.say("my rent is late", place="Foxley")
        talk.say("free ones")
        talk.say("", "start_again", intent="new_topic")
        assert not talk.slots["preferences"]

    def test_said_beside_a_need_count_at_once(self) -> None:
        answer = Talk(FakeSearch(services=(PAID, RENT_RESCUE))).say("need free help with my rent", place="Foxley")
        assert card_ids(answer) == ["svc-rent-help"]

    def test_cannot_pay_the_rent_is_no_wish_for_what_is_free(self) -> None:
        assert Talk().say("cant pay my rent").slots["preferences"] == ()

    def test_before_any_question_ask_what_it_is_for(self) -> None:
        talk = Talk()
        answer = talk.say("anything free and open now", "refine_list")
        assert "What is it for?" in text_of(answer)
        talk.say("my rent", place="Foxley")
        assert set(talk.slots["preferences"]) == {"free", "open_now"}

    def test_a_crisis_line_stays_in_front(self) -> None:
        line = replace(LISTENERS, crisis=True)
        finder = FakeSearch(services=(line, PAID, RENT_RESCUE), needs=(SUICIDE,))
        talk = Talk(finder)
        talk.say("i cant go on", concerns=["suicide"])
        answer = talk.say("face to face please", concerns=["suicide"])
        assert card_ids(answer)[0] == line.id


FIRST_BY = {
    "svc-rent-help": (PAID, RENT_RESCUE, CAFE),
    "svc-paid": (NIGHT, PAID, RENT_RESCUE),
    "svc-texts": (QUIET, TEXTS),
    "svc-night": (PAID, NIGHT),
}


class TestPlace:
    def test_is_asked_once_with_a_reason(self) -> None:
        talk = Talk()
        assert "So I can look near you" in text_of(talk.say("my rent is late"))
        for text in ("i lost my job as well", "and im cold"):
            assert "postcode" not in text_of(talk.say(text))

    @pytest.mark.parametrize(
        "said", ["rather not say", "no", "nah", "idk", "prefer not to say", "why do you need that", "doesnt matter"]
    )
    def test_need_not_be_said(self, said: str) -> None:
        talk = Talk()
        talk.say("my rent is late")
        assert "That is fine" in text_of(talk.say(said, "let_be"))
        assert "postcode" not in text_of(talk.say("my rent is late"))

    def test_a_question_about_it_is_answered(self) -> None:
        talk = Talk()
        talk.say("my rent is late")
        assert "I asked where you are" in text_of(talk.say("wot"))
        assert "That is fine" in text_of(talk.say("skip it", "find_support"))

    def test_nearest_asks_for_it_with_its_reason_and_then_orders_by_it(self) -> None:
        talk = Talk(FakeSearch(needs=(RENT,), services=(RENT_RESCUE,)))
        talk.slots = {"last_query": "rent", "offered": ["svc-rent-help"], "shown": ["svc-rent-help"]}
        assert "So I can look closer to you" in text_of(talk.say("which one's nearest"))
        answer = talk.say("foxley", "give_place")
        assert "near" in text_of(answer)
        assert talk.slots["preferences"] == ["near"]

    def test_nearest_without_a_place_is_what_can_be_reached_from_anywhere(self) -> None:
        talk = Talk()
        talk.say("my rent is late")
        talk.say("rather not say", "let_be")
        assert "postcode" not in text_of(talk.say("anything closer", "show_more"))
        assert talk.slots["preferences"] == ["remote"]


class TestWhatAModelWouldGuessAt:
    def test_a_number_of_no_choice_asks_which(self) -> None:
        talk = Talk(FakeSearch(needs=(RENT,)))
        offered = talk.say("rent is late", place="Foxley").slots["offered"]
        answer = talk.say("9")
        assert "Which one" in text_of(answer)
        assert card_ids(answer) == list(offered)

    def test_a_district_that_we_do_not_know_is_no_need(self) -> None:
        finder = FakeSearch(needs=(FOOD,))
        talk = Talk(finder)
        talk.say("no food in the house")
        talk.say("near XB1")
        assert finder.asked[-1][0] == "no food in the house"

    @pytest.mark.parametrize("said", ["i cant leave him alone tho", "but i cant leave mum on her own"])
    def test_who_cannot_leave_whom_they_look_after_is_a_carer(self, said: str) -> None:
        finder = FakeSearch(needs=(RENT,))
        Talk(finder).say(said)
        assert "caring" in finder.asked[-1][0]

    @pytest.mark.parametrize("said", ["i cant leave him", "he wont leave me alone", "cant leave him alone with her"])
    def test_who_cannot_leave_is_read_as_they_say_it(self, said: str) -> None:
        finder = FakeSearch(needs=(RENT,))
        Talk(finder).say(said)
        assert finder.asked[-1][0] == said

    def test_a_secret_is_answered_with_what_stays_private(self) -> None:
        talk = Talk(FakeSearch(needs=(RENT,)))
        talk.say("rent is late", place="Foxley")
        assert talk.say("my family must not know", "show_details").response == "utter_privacy"

    def test_a_feeling_is_searched_with_and_picks_nothing(self) -> None:
        finder = FakeSearch(needs=(RENT,))
        talk = Talk(finder)
        talk.say("rent is late", place="Foxley")
        talk.say("i am afraid", "show_details")
        assert finder.asked[-1][0] == "i am afraid"
