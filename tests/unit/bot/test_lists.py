"""More of the same, one in full, and where somebody is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.actions.give_place import give_place
from bot.actions.placing import is_only_place
from bot.actions.show_details import show_details
from bot.actions.show_more import show_more
from channels.conversation import HandOver
from knowledge.catalogue import Place
from tests.unit.bot.fakes import (
    CAFE,
    FOXLEY,
    RENT_RESCUE,
    FakeSearch,
    card_ids,
    hear,
    make_tools,
    payloads,
    requests_but_notes,
    text_of,
)

TOOLS = make_tools()
FIRST = ("svc-rent-help", "svc-debt", "svc-cafe")


class TestShowMore:
    def test_gives_what_was_not_shown_yet(self) -> None:
        finder = FakeSearch()
        answer = show_more(hear(last_query="rent", place="Foxley", shown=FIRST, offered=FIRST), make_tools(finder))
        assert card_ids(answer) == ["svc-housing"]
        assert finder.asked == [("rent", "Foxley", frozenset(FIRST))]
        assert answer.slots["shown"] == (*FIRST, "svc-housing")
        assert answer.slots["offered"] == ("svc-housing",)
        assert text_of(answer) == "Of course. Here are some more:"

    def test_place_is_not_asked_again(self) -> None:
        assert "postcode" not in text_of(show_more(hear(last_query="rent"), TOOLS))

    def test_when_there_is_no_more_a_national_line_and_a_person(self) -> None:
        shown = (*FIRST, "svc-housing")
        answer = show_more(hear(last_query="rent", shown=shown), TOOLS)
        assert card_ids(answer) == ["nat-listeners"]
        assert payloads(answer) == ["details:nat-listeners", "person", "new_topic"]
        assert answer.slots["shown"] == (*shown, "nat-listeners")

    def test_and_the_same_line_again_when_it_was_shown_too(self) -> None:
        shown = (*FIRST, "svc-housing", "nat-listeners")
        assert card_ids(show_more(hear(last_query="rent", shown=shown), TOOLS)) == ["nat-listeners"]

    def test_without_any_line_a_person_is_asked_for(self) -> None:
        tools = make_tools(FakeSearch(services=(RENT_RESCUE,), line=None))
        answer = show_more(hear(last_query="rent", shown=("svc-rent-help",)), tools)
        assert requests_but_notes(answer) == [HandOver(reason="nothing_found")]

    def test_of_nothing_is_a_warm_question(self) -> None:
        answer = show_more(hear(), TOOLS)
        assert "?" in text_of(answer)
        assert card_ids(answer)


class TestShowDetails:
    def test_of_a_pressed_button(self) -> None:
        answer = show_details(hear(value="svc-cafe", offered=FIRST), TOOLS)
        (reply,) = answer.replies
        assert reply.detail
        assert card_ids(answer) == ["svc-cafe"]
        assert payloads(answer) == ["more", "person", "new_topic"]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("2", "svc-debt"), ("the second one", "svc-debt"), ("last one", "svc-cafe"), ("harbor cafe", "svc-cafe")],
    )
    def test_of_the_one_pointed_at(self, text: str, expected: str) -> None:
        assert card_ids(show_details(hear(text, offered=FIRST), TOOLS)) == [expected]

    def test_of_the_only_one_offered(self) -> None:
        assert card_ids(show_details(hear("tell me more", offered=("svc-debt",)), TOOLS)) == ["svc-debt"]

    def test_asks_which_when_it_is_not_clear(self) -> None:
        answer = show_details(hear("tell me more", offered=FIRST), TOOLS)
        assert text_of(answer) == "Which one would you like to know more about?"
        assert card_ids(answer) == list(FIRST)
        assert payloads(answer)[-1] == "person"

    @pytest.mark.parametrize("value", ["svc-gone", "", "x" * 200])
    def test_of_a_service_that_has_gone_is_a_new_list(self, value: str) -> None:
        answer = show_details(hear(value=value, last_query="rent", offered=FIRST), TOOLS)
        assert card_ids(answer) == list(FIRST)
        assert text_of(answer) == "The list has changed a little. These can help now:"

    def test_a_number_never_slides_to_the_next_service(self) -> None:
        tools = make_tools(FakeSearch(services=(RENT_RESCUE, CAFE)))
        answer = show_details(hear("2", offered=FIRST, last_query="rent"), tools)
        assert not answer.replies[0].detail

    @pytest.mark.parametrize("offered", [(), ("svc-gone", "svc-gone-too")])
    def test_of_nothing_offered_searches_with_the_words(self, offered: tuple[str, ...]) -> None:
        finder = FakeSearch()
        answer = show_details(hear("the food bank", offered=offered), make_tools(finder))
        assert finder.asked[0][0] == "the food bank"
        assert card_ids(answer)

    def test_has_the_distance_when_the_place_is_known(self) -> None:
        answer = show_details(hear(value="svc-cafe", place="Foxley"), TOOLS)
        assert answer.replies[0].cards[0].place.endswith("1.6 miles")

    def test_in_a_text_message_is_the_summary(self) -> None:
        card = show_details(hear(value="svc-cafe", channel="sms"), TOOLS).replies[0].cards[0]
        assert card.summary == CAFE.summary


class TestGivePlace:
    def test_searches_again_near_there(self) -> None:
        finder = FakeSearch()
        answer = give_place(hear("foxley", last_query="rent"), make_tools(finder))
        assert finder.asked == [("rent", "Foxley", frozenset())]
        assert answer.slots["place"] == "Foxley"
        assert "postcode" not in text_of(answer)

    def test_an_unknown_place_loses_nothing(self) -> None:
        finder = FakeSearch(needs=())
        answer = give_place(hear("im in zzz", last_query="rent", place="Millgate"), make_tools(finder))
        assert finder.asked[-1] == ("rent", "Millgate", frozenset())
        assert card_ids(answer)

    @pytest.mark.parametrize("text", ["im in trouble with my rent", "foxley and my rent is late"])
    def test_words_that_say_more_than_a_place_are_searched_with(self, text: str) -> None:
        finder = FakeSearch()
        answer = give_place(hear(text, last_query="food"), make_tools(finder))
        assert finder.asked[-1][0] == text
        assert answer.slots["last_query"] == text

    def test_a_pressed_button_asks_where(self) -> None:
        answer = give_place(hear(), TOOLS)
        assert text_of(answer).startswith("Which area or postcode")
        assert "person" in payloads(answer)

    def test_where_a_phone_says_they_are_is_a_place(self) -> None:
        finder = FakeSearch()
        answer = give_place(hear(location=(FOXLEY.latitude, FOXLEY.longitude), last_query="rent"), make_tools(finder))
        assert finder.asked == [("rent", "Foxley", frozenset())]
        assert answer.slots["place"] == "Foxley"

    def test_somewhere_that_has_no_name_loses_nothing(self) -> None:
        answer = give_place(hear(location=(10.0, 10.0), last_query="rent"), TOOLS)
        assert card_ids(answer)

    def test_before_any_question_is_remembered(self) -> None:
        answer = give_place(hear("foxley"), TOOLS)
        assert answer.slots["place"] == "Foxley"
        assert "What is going on" in text_of(answer)

    def test_before_any_question_with_nobody_to_name_asks_for_a_person(self) -> None:
        answer = give_place(hear("foxley"), make_tools(FakeSearch(services=(), line=None)))
        assert requests_but_notes(answer) == [HandOver(reason="nothing_found")]
        assert answer.slots["place"] == "Foxley"


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("WZ2", "Millgate", True),
        ("wz2 4ab", "Millgate", True),
        ("I'm in Foxley", "Foxley", True),
        ("foxly", "Foxley", True),
        ("city centre", "Town Centre", True),
        ("the marsh", "Nether Marsh", True),
        ("near me", "Foxley", True),
        ("foxley food bank", "Foxley", False),
        ("chess foxley", "Foxley", False),
        ("someone keeps shouting and banging doors every night in foxley", "Foxley", False),
    ],
)
def test_only_a_place(text: str, name: str, expected: bool) -> None:
    assert is_only_place(text, Place(name=name, latitude=0, longitude=0)) is expected


def test_a_place_is_a_noun_of_the_catalogue() -> None:
    assert replace(FOXLEY, name="x").latitude == FOXLEY.latitude
