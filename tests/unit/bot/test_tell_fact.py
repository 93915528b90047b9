"""Questions about what was just shown: quoted from the listing, or said honestly who knows; never a new search."""

from __future__ import annotations

from typing import Any

import pytest

from bot.actions.sayings import About, Act, Topic, load_sayings
from channels.never_no import NeverNo
from knowledge.catalogue import Phone, Schedule, Service
from knowledge.preferences import Preference
from tests.unit.bot.fakes import RENT, FakeSearch, card_ids, make_service, payloads, text_of
from tests.unit.bot.talking import Talk

SAYINGS = load_sayings()
TURN_UP = make_service(
    "svc-turn-up", "Turn Up Desk", schedules=(Schedule(days=("SU",), opens="10:00", closes="12:00"),)
)
BARE = make_service("svc-bare", "Bare Desk", cost="", how_to="", schedules=(), phones=(Phone(number="01632 960199"),))
VISITS = make_service(
    "svc-visits", "Visiting Desk", cost="2 pounds", how_to="Ring for a time. Home visits are fine too."
)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("can they self refer", Topic.CONTACT),
        ("do i need a referral", Topic.CONTACT),
        ("Do I need to be referred by my GP?", Topic.CONTACT),
        ("does my client need a referral for this", Topic.CONTACT),
        ("is it drop in or do i need to book", Topic.CONTACT),
        ("can i just turn up?", Topic.CONTACT),
        ("how much does it cost", Topic.COST),
        ("how much is it", Topic.COST),
        ("is it free", Topic.COST),
        ("are they all free?", Topic.COST),
        ("do they charge", Topic.COST),
        ("wot dus it cost", Topic.COST),
        ("do i have to pay for it", Topic.COST),
        ("are they open on sunday", Topic.HOURS),
        ("is the second one open now pls", Topic.HOURS),
        ("what time do they open", Topic.HOURS),
        ("do they do home visits", Topic.VISITS),
        ("do they come out to you", Topic.VISITS),
        ("is it wheelchair accessible", Topic.ACCESS),
        ("do they speak polish", Topic.LANGUAGES),
        ("is there a waiting list", Topic.WAITING),
        ("how quick is it", Topic.WAITING),
        ("cool where is it", Topic.WHERE),
        ("can i bring my mum", Topic.COMPANY),
        ("wheres that", Topic.WHERE),
        ("where", Topic.WHERE),
        ("where is the place", Topic.WHERE),
        ("do they have BSL", Topic.LANGUAGES),
    ],
)
def test_is_read_as_a_question_about_what_was_shown(text: str, topic: Topic) -> None:
    assert SAYINGS.read_question(text) is topic


@pytest.mark.parametrize(
    "text",
    [
        "is it my fault", "is it normal to feel like this", "any free ones", "whats open now", "which are open now",
        "how much do i owe if i stop paying my rent", "cant pay my rent", "they are open about it", "is this real",
        "do they know i am here", "where are they", "can they help with heating", "i need a doctors appointment",
        "how long do i have to wait", "free", "open now", "do i have to pay council tax on my mums house if she died",
        "do they speak to my boss", "will they come to my house", "do i have to pay for my prescriptions",
        "what does it cost to bury someone", "are they open about being gay", "",
    ],
)  # fmt: skip
def test_anything_else_is_not(text: str) -> None:
    assert SAYINGS.read_question(text) is None


def card_events(*service_ids: str) -> list[dict[str, Any]]:
    reply = {"cards": [{"service_id": each} for each in service_ids]}
    return [{"event": "user"}, {"event": "bot", "data": {"custom": {"reply": reply}}}, {"event": "user"}]


def talk_about(*services: Service) -> tuple[Talk, FakeSearch]:
    finder = FakeSearch(services=services, needs=(RENT,), line=None)
    talk = Talk(finder)
    talk.say("cant pay my rent", place="Foxley")
    return talk, finder


@pytest.mark.parametrize("action", ["find_support", "refine_list", "show_details", "let_be"])
@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        (
            "do i need a referral",
            (
                "Turn Up Desk: Just turn up. 01632 960112",
                "Bare Desk: ask them, 01632 960199",
                "Visiting Desk: Ring for a",
            ),
        ),
        ("is it free", ("Turn Up Desk: Free. 01632 960112", "Visiting Desk: 2 pounds. 01632 960112")),
        ("are they open on sunday", ("Turn Up Desk: Sunday 10am to", "Bare Desk: ask them, 01632 960199")),
        (
            "do they do home visits",
            ("Turn Up Desk: ask them, 01632 960112", "Visiting Desk: Home visits are fine too."),
        ),
    ],
    ids=["referral", "cost", "hours", "visits"],
)
def test_the_listing_answers_and_nothing_is_searched_for_again(action: str, asked: str, lines: tuple[str, ...]) -> None:
    talk, finder = talk_about(TURN_UP, BARE, VISITS)
    searches = len(finder.asked)
    answer = talk.say(asked, action)
    assert [line for line in lines if line not in text_of(answer)] == []
    assert len(finder.asked) == searches
    assert payloads(answer) == ["more", "person"]


def test_what_no_listing_says_is_said_honestly_with_who_knows_and_a_person() -> None:
    talk, _ = talk_about(BARE)
    answer = talk.say("is there a waiting list")
    assert "they know. You can ask them, or a person here can ask with you" in text_of(answer)
    assert "Bare Desk: ask them, 01632 960199" in text_of(answer)
    assert NeverNo.load().broken(text_of(answer)) == ()
    assert payloads(answer)[-1] == "person"


def test_the_one_that_is_meant_is_answered_with_the_day_it_was_checked() -> None:
    talk, _ = talk_about(BARE, VISITS)
    said = text_of(talk.say("is the second one free"))
    assert "Visiting Desk: 2 pounds." in said
    assert "Bare Desk" not in said
    assert said.endswith("Checked 14 October 2026.")


def test_before_anything_was_shown_it_is_searched_with() -> None:
    finder = FakeSearch()
    Talk(finder).say("is it free", place="Foxley")
    assert finder.asked


def test_a_number_that_the_listing_says_itself_is_not_said_twice() -> None:
    talk, _ = talk_about(make_service("svc-ring", "Ring Desk", how_to="Ring 01632 960112 any time."))
    assert text_of(talk.say("do i need a referral")).count("01632 960112") == 1


@pytest.mark.parametrize(
    "text", ["which one should i ring?", "Thank you dear. Which one should I ring?", "who should i call first"]
)
def test_asked_which_one_we_begin_with_the_first_and_search_for_nothing(text: str) -> None:
    talk, finder = talk_about(TURN_UP, BARE)
    searches = len(finder.asked)
    assert card_ids(talk.say(text, "find_support")) == ["svc-turn-up"]
    assert len(finder.asked) == searches


def test_whoever_still_does_not_know_is_told_of_another_one() -> None:
    talk, _ = talk_about(TURN_UP, BARE)
    assert card_ids(talk.say("idk", "say_again")) == ["svc-turn-up"]
    assert card_ids(talk.say("idk", "say_again", events=card_events("svc-turn-up"))) == ["svc-bare"]


@pytest.mark.parametrize(
    ("text", "act"),
    [("\U0001f44d", Act.ACCEPT), ("\U0001f44d\U0001f3fd\U0001f44d\U0001f3fd", Act.ACCEPT), ("\U0001f64f", Act.THANKS)],
)
def test_a_sign_that_everybody_reads_is_read(text: str, act: Act) -> None:
    assert SAYINGS.read_act(text) is act
    assert SAYINGS.read_act("\U0001f62d") is None


def test_a_friend_who_told_them_of_us_is_not_whom_it_is_about() -> None:
    assert SAYINGS.read_about("my mate said you do a thing for people who cant afford their electric") is None
    assert SAYINGS.read_about("my mate says he wants to be gone") is About.SOMEONE


def test_open_alone_is_how_it_should_be() -> None:
    assert SAYINGS.says_only_preferences("open")
    assert not SAYINGS.says_only_preferences("open the door")


def test_what_help_should_not_be_is_not_asked_for() -> None:
    assert not SAYINGS.read_preferences("not online either")
    assert SAYINGS.read_preferences("online not in person") == {Preference.ONLINE}


def test_whoever_gives_up_asking_is_not_asked_about_erasing() -> None:
    talk, _ = talk_about(BARE)
    assert not [payload for payload in payloads(talk.say("forget it", "forget_me")) if payload.startswith("forget")]
    assert payloads(talk.say("forget me", "forget_me"))[:2] == ["forget:yes", "forget:no"]
