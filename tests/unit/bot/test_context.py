"""What short messages lead to after what was said before: the basket, refining, corrections, silence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.actions.answer import Answer
from bot.actions.context import in_context
from bot.actions.heard import Heard, read_tracker
from bot.actions.shells import ACTIONS
from channels.conversation import HandOver, Note
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
    make_tools,
    payloads,
    text_of,
)

NIGHT = make_service("svc-night", "Night Desk", schedules=(Schedule(days=("MO",), opens="18:30", closes="22:00"),))
PAID = make_service("svc-paid", "Paid Advice", cost="20 pounds")
TEXTS = make_service("svc-texts", "Text Desk", phones=(Phone(number="07700 900123", sms=True),), how_to="Text or ring.")
QUIET = make_service("svc-quiet", "Quiet Desk", how_to="Ring.", schedules=())
CARERS = make_service("svc-carers", "Carers Corner", needs=("carers",))


@dataclass
class Talk:
    """A conversation that remembers slots as Rasa does, with the intent that Rasa would have named."""

    finder: FakeSearch = field(default_factory=FakeSearch)
    slots: dict[str, Any] = field(default_factory=dict)
    last: Answer = field(default_factory=Answer)

    def say(self, text: str, action: str = "find_support", **heard: Any) -> Answer:
        latest = {"text": text, "intent": {"name": heard.pop("intent", "")}, "entities": heard.pop("entities", [])}
        silence = heard.pop("silence", 0.0)
        events = [{"event": "user", "timestamp": at} for at in (100.0, 100.0 + silence)]
        state = {"latest_message": {**latest, "metadata": heard}, "slots": self.slots, "events": events}
        name = f"action_{action}"
        self.last = in_context(name, ACTIONS[name])(read_tracker(state), make_tools(self.finder))
        self.slots |= {
            key: list(value) if isinstance(value, tuple) else value for key, value in self.last.slots.items()
        }
        return self.last


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
