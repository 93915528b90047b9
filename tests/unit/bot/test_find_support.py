"""Somebody says what is going on: what they get back, whatever they wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.actions.find_support import find_support
from channels.conversation import HandOver, Note
from knowledge.catalogue import Area, Kind, Service
from tests.unit.bot.fakes import (
    CAFE,
    CHOIR,
    FOOD,
    LISTENERS,
    LOW,
    RENT,
    RENT_RESCUE,
    SUICIDE,
    FakeSearch,
    card_ids,
    hear,
    make_service,
    make_tools,
    payloads,
    requests_but_notes,
    text_of,
)

TOOLS = make_tools()


def test_an_answer_has_three_cards_their_choices_and_a_person() -> None:
    answer = find_support(hear("cant pay my rent this month"), TOOLS)
    assert card_ids(answer) == ["svc-rent-help", "svc-debt", "svc-cafe"]
    assert payloads(answer) == ["details:svc-rent-help", "details:svc-debt", "details:svc-cafe", "more", "person"]
    assert all(card.phone for card in answer.replies[0].cards)


def test_what_was_understood_is_noted_and_remembered() -> None:
    answer = find_support(hear("cant pay my rent", place="Foxley"), TOOLS)
    assert answer.requests == (Note(needs=("rent_arrears",), place="Foxley"),)
    assert answer.slots == {
        "need": "rent_arrears",
        "place": "Foxley",
        "shown": ("svc-rent-help", "svc-debt", "svc-cafe"),
        "offered": ("svc-rent-help", "svc-debt", "svc-cafe"),
        "last_query": "cant pay my rent",
        "basket": (),
        "about": None,
        "preferences": (),
        "asked": None,
        "place_asked": False,
    }


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        pytest.param((RENT,), "That sounds hard. For rent and mortgage worries, these can help:", id="one need"),
        pytest.param(
            (RENT, LOW),
            "I am sorry that you feel so low. Let us start with rent and mortgage worries. We can look at feeling low "
            "next. These can help:",
            id="two needs: one first, the other named",
        ),
        pytest.param(
            (RENT, LOW, FOOD),
            "I am sorry that you feel so low. Let us start with food for today. We can look at rent and mortgage "
            "worries and feeling low next. These can help:",
            id="three needs: the most urgent first, the others named",
        ),
        pytest.param((CHOIR,), "Of course. For art, music and making, these can help:", id="a wish, not a trouble"),
        pytest.param((), "Thank you for telling me. These can help:", id="nothing understood is not called hard"),
        pytest.param(
            (replace(RENT, score=0.2),), "Thank you for telling me. These can help:", id="a guess is not repeated"
        ),
    ],
)
def test_the_first_words_show_that_the_person_was_heard(needs: tuple[object, ...], expected: str) -> None:
    tools = make_tools(FakeSearch(needs=needs))  # type: ignore[arg-type]
    assert text_of(find_support(hear("something happened", place_asked=True), tools)) == expected


@pytest.mark.parametrize("known", [{"need": "low_mood"}, {"basket": ("low_mood",)}], ids=["looked at", "kept"])
def test_what_is_known_already_is_not_met_as_news(known: dict[str, object]) -> None:
    said = text_of(find_support(hear("still so low", **known), make_tools(FakeSearch(needs=(LOW,)))))  # type: ignore[arg-type]
    assert said.startswith("That sounds hard.")


def test_a_need_that_may_be_either_is_neither_called_hard_nor_plain() -> None:
    young = replace(RENT, id="young_people", label="Support for young people")
    said = text_of(find_support(hear("im 16 and dont know what to do"), make_tools(FakeSearch(needs=(young,)))))
    assert said.startswith("Thank you for telling me. For being young")


def test_words_that_led_nowhere_close_are_asked_about_once_more() -> None:
    tools = make_tools(FakeSearch(services=(), needs=()))
    answer = find_support(hear("asdf qwer"), tools)
    assert "?" in text_of(answer)
    assert card_ids(answer) == ["nat-listeners"]
    assert payloads(answer) == ["details:nat-listeners", "person"]


def test_a_known_need_with_only_wider_help_is_still_answered() -> None:
    answer = find_support(hear("rent"), make_tools(FakeSearch(services=())))
    assert "This one can help you find the right place" in text_of(answer)


def test_the_same_sentence_is_not_said_twice_in_a_row() -> None:
    said = [text_of(find_support(hear("my rent is late", turns=turn), TOOLS)) for turn in range(3)]
    assert len(set(said)) == 3


def test_a_need_that_could_be_unsafe_aloud_is_not_named() -> None:
    tools = make_tools(FakeSearch(needs=(SUICIDE, RENT)))
    said = text_of(find_support(hear("i want to be gone and the rent is late", shown=("x",)), tools))
    assert "suicide" not in said.lower()
    assert said.endswith("These can help:")


@pytest.mark.parametrize(
    ("strength", "expected"),
    [("maybe", "These may fit."), ("wider", "I want to get this right.")],
)
def test_an_unsure_answer_says_so(strength: str, expected: str) -> None:
    tools = make_tools(FakeSearch(needs=(), strength=strength))
    assert expected in text_of(find_support(hear("the thing with the form"), tools))


class TestPlace:
    def test_is_asked_at_the_end_of_a_first_list(self) -> None:
        said = text_of(find_support(hear("my rent is late"), TOOLS))
        question = "So I can look near you, which area or postcode? You don't have to say."
        assert said.endswith(f"these can help. {question}")

    @pytest.mark.parametrize(
        "known",
        [
            pytest.param({"place": "Foxley"}, id="the place is known"),
            pytest.param({"place_asked": True}, id="it was asked before"),
            pytest.param({"concerns": frozenset({"abuse"})}, id="somebody may be in danger"),
        ],
    )
    def test_is_not_asked_when(self, known: dict[str, object]) -> None:
        assert "postcode" not in text_of(find_support(hear("my rent is late", **known), TOOLS))

    def test_is_not_asked_of_someone_who_may_be_in_danger(self) -> None:
        tools = make_tools(FakeSearch(needs=(SUICIDE,)))
        assert "postcode" not in text_of(find_support(hear("i cant go on"), tools))

    def test_is_not_asked_when_all_help_is_national(self) -> None:
        tools = make_tools(FakeSearch(services=(make_service("svc-n", "National Rent Line", area=Area.NATIONAL),)))
        assert "postcode" not in text_of(find_support(hear("my rent is late"), tools))

    def test_in_the_message_is_used_and_said_to_be_near(self) -> None:
        finder = FakeSearch()
        answer = find_support(hear("behind with rent in foxley"), make_tools(finder))
        assert finder.asked == [("behind with rent in foxley", "Foxley", frozenset())]
        assert "these are near you:" in text_of(answer)
        assert "miles" in answer.replies[0].cards[0].place

    def test_help_far_away_is_not_said_to_be_near(self) -> None:
        far = make_service("svc-far", "Faraway Advice")
        far = replace(far, locations=tuple(replace(each, latitude=51.5) for each in far.locations))
        answer = find_support(hear("rent", place="Foxley"), make_tools(FakeSearch(services=(far,))))
        assert "near you" not in text_of(answer)

    @pytest.mark.parametrize("text", ["WZ4", "im in foxley", "Foxley please", "wz4 2ab", "I live in foxly"])
    def test_alone_searches_again_with_what_was_asked_before(self, text: str) -> None:
        finder = FakeSearch()
        answer = find_support(hear(text, last_query="my rent is late"), make_tools(finder))
        assert finder.asked[-1] == ("my rent is late", "Foxley", frozenset())
        assert answer.slots["last_query"] == "my rent is late"
        assert answer.slots["place"] == "Foxley"
        assert text_of(answer).startswith("Thank you.")

    @pytest.mark.parametrize("text", ["chess in foxley", "im in foxley and hungry", "foxley food bank"])
    def test_with_a_new_question_is_a_new_search(self, text: str) -> None:
        answer = find_support(hear(text, last_query="my rent is late"), TOOLS)
        assert answer.slots["last_query"] == text

    def test_alone_with_nothing_asked_before_is_remembered(self) -> None:
        answer = find_support(hear("WZ2"), TOOLS)
        assert answer.slots["place"] == "Millgate"
        assert Note(place="Millgate") in answer.requests
        assert card_ids(answer)


class TestNoWordsToSearchWith:
    @pytest.mark.parametrize("text", ["\U0001f622", "???", "", "...", "\U0001f494\U0001f494", "!", "\u200b", "7"])
    def test_get_a_warm_question_somebody_who_listens_and_a_person(self, text: str) -> None:
        answer = find_support(hear(text), TOOLS)
        assert "?" in text_of(answer)
        assert card_ids(answer) == ["nat-listeners"]
        assert payloads(answer)[-1] == "person"

    def test_are_not_asked_the_same_question_each_time(self) -> None:
        asked = [text_of(find_support(hear("\U0001f622", turns=turn), TOOLS)) for turn in range(4)]
        assert len(set(asked)) == 4

    def test_the_topic_before_is_kept(self) -> None:
        answer = find_support(hear("\U0001f622", last_query="my rent is late"), TOOLS)
        assert "last_query" not in answer.slots

    @pytest.mark.parametrize(
        ("text", "language"),
        [
            pytest.param("أحتاج مساعدة", "ar", id="Arabic"),
            pytest.param("мне нужна помощь", "ru", id="Russian"),
            pytest.param("necesito ayuda con la renta", "es", id="Spanish"),
            pytest.param("potrzebuje pomocy, nie mam pieniedzy", "pl", id="Polish"),
        ],
    )
    def test_another_language_asks_for_a_person_who_reads_it(self, text: str, language: str) -> None:
        finder = FakeSearch()
        answer = find_support(hear(text, need="debt"), make_tools(finder))
        assert requests_but_notes(answer) == [HandOver(reason="language", need="debt", language=language)]
        assert "person" in payloads(answer)
        assert finder.asked == []


def test_only_the_first_2000_letters_are_searched_with() -> None:
    from bot.actions.heard import read_tracker

    finder = FakeSearch()
    heard = read_tracker({"latest_message": {"text": "my rent is late " * 1250}})
    find_support(heard, make_tools(finder))
    assert len(finder.asked[-1][0]) == 2000


class TestConcern:
    def test_a_need_about_safety_also_asks_for_a_person(self) -> None:
        answer = find_support(hear("i cant go on"), make_tools(FakeSearch(needs=(SUICIDE,))))
        assert requests_but_notes(answer) == [HandOver(reason="concern", need="suicidal_thoughts")]
        assert card_ids(answer)

    def test_it_is_not_asked_for_twice(self) -> None:
        heard = hear("i cant go on", concerns=frozenset({"suicide"}))
        assert requests_but_notes(find_support(heard, make_tools(FakeSearch(needs=(SUICIDE,))))) == []

    @pytest.mark.parametrize(("intent", "asked"), [("need_crisis", True), ("need_money", False)])
    def test_a_less_sure_reading_counts_when_rasa_agrees(self, intent: str, asked: bool) -> None:
        tools = make_tools(FakeSearch(needs=(replace(SUICIDE, score=0.45),)))
        assert bool(requests_but_notes(find_support(hear("i cant go on", intent=intent), tools))) is asked


def test_nothing_found_asks_for_a_person() -> None:
    tools = make_tools(FakeSearch(services=(), line=None))
    for text in ("my rent is late", "???", "WZ2"):
        answer = find_support(hear(text), tools)
        assert requests_but_notes(answer) == [HandOver(reason="nothing_found", need=None)]
        assert text_of(answer)


CATALOGUES = [(), (RENT_RESCUE,), (RENT_RESCUE, CAFE), (LISTENERS,)]


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(max_size=200),
    services=st.sampled_from(CATALOGUES),
    has_line=st.booleans(),
    last_query=st.sampled_from(["", "my rent is late"]),
    turns=st.integers(0, 50),
)
def test_whatever_is_written_leads_to_a_contact_or_a_person(
    text: str, services: tuple[object, ...], has_line: bool, last_query: str, turns: int
) -> None:
    finder = FakeSearch(services=services, line=LISTENERS if has_line else None)  # type: ignore[arg-type]
    answer = find_support(hear(text, last_query=last_query, turns=turns), make_tools(finder))
    contacts = [card for reply in answer.replies for card in reply.cards if card.phone]
    assert contacts or any(isinstance(request, HandOver) for request in answer.requests)
    assert all(reply.text for reply in answer.replies)
    assert all(len(payload.encode()) <= 64 for payload in payloads(answer))


class TestListener:
    """Who is named beside the warm question."""

    CLOSED = make_service("line-day", "Day Line", kind=Kind.LINE, schedules=())
    FOR_SOME = replace(LISTENERS, id="line-some", name="Young Line", eligibility="For under 19s.")

    @pytest.mark.parametrize(
        ("services", "line", "expected"),
        [
            pytest.param((RENT_RESCUE, CLOSED, FOR_SOME), LISTENERS, "nat-listeners", id="a line for all that is open"),
            pytest.param((RENT_RESCUE, CLOSED), None, "line-day", id="else any line"),
            pytest.param((RENT_RESCUE, CAFE), None, "svc-rent-help", id="else whatever there is"),
        ],
    )
    def test_is(self, services: tuple[Service, ...], line: Service | None, expected: str) -> None:
        assert card_ids(find_support(hear("???"), make_tools(FakeSearch(services=services, line=line)))) == [expected]
