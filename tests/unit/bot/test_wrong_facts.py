"""What is wrong with which service: reported when both are plain, and left to a person when they are not."""

from __future__ import annotations

import pytest

from bot.actions.hand_over import hand_over
from bot.actions.heard import read_tracker
from bot.actions.wrong_facts import find_wrong
from channels.conversation import HandOver, ReportWrong
from tests.unit.bot.fakes import CAFE, DEBT_LINE, RENT_RESCUE, hear, make_tools

TOOLS = make_tools()
LISTED = (RENT_RESCUE.id, DEBT_LINE.id, CAFE.id)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("that number doesn't work", "phone"),
        ("that number doesnt work", "phone"),
        ("the number you gave me is dead", "phone"),
        ("you gave me the wrong number", "phone"),
        ("the phone was not answered by them, its someone else", "phone"),
        ("the place you sent me to was closed", "closed"),
        ("its closed", "closed"),
        ("i went there and nobody was in", "closed"),
        ("it has closed down", "closed"),
        ("you sent me to the wrong place", "place"),
        ("the address is wrong", "place"),
        ("you are no use", None),
        ("thats not what i asked", None),
        ("", None),
    ],
)
def test_what_is_wrong(text: str, wrong: str | None) -> None:
    assert find_wrong(text) == wrong


@pytest.mark.parametrize(
    ("heard", "service"),
    [
        pytest.param(hear("that number doesn't work", intent="complaint", offered=(CAFE.id,)), CAFE.id, id="only one"),
        pytest.param(
            hear("that number doesn\u2019t work", intent="complaint", offered=LISTED, last_cards=(CAFE.id,)),
            CAFE.id,
            id="the one shown last",
        ),
        pytest.param(
            hear("the second number is wrong", intent="complaint", offered=LISTED), DEBT_LINE.id, id="counted"
        ),
        pytest.param(hear("harbour cafe was closed", intent="complaint", offered=LISTED), CAFE.id, id="named"),
    ],
)
def test_a_plain_one_is_reported_beside_the_person(heard: object, service: str) -> None:
    answer = hand_over(heard, TOOLS)  # type: ignore[arg-type]
    asked, report = answer.requests
    assert asked == HandOver(reason="complaint")
    assert isinstance(report, ReportWrong)
    assert report.service_id == service


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(hear("that number doesn't work", intent="complaint", offered=LISTED), id="which of three"),
        pytest.param(hear("that number doesn't work", intent="complaint"), id="nothing was offered"),
        pytest.param(hear("you are rude", intent="complaint", offered=(CAFE.id,)), id="nothing about a listing"),
        pytest.param(hear("its closed", intent="person", offered=(CAFE.id,)), id="no complaint"),
    ],
)
def test_what_is_not_plain_goes_to_a_person_alone(heard: object) -> None:
    answer = hand_over(heard, TOOLS)  # type: ignore[arg-type]
    assert [type(each) for each in answer.requests] == [HandOver]


@pytest.mark.parametrize(
    ("heard", "key"),
    [
        pytest.param(
            hear("that number doesn't work", intent="complaint", offered=LISTED), "complaint_wrong", id="list"
        ),
        pytest.param(hear("you are rude", intent="complaint", offered=LISTED), "complaint", id="not about a listing"),
    ],
)
def test_a_wrong_fact_is_met_as_one(heard: object, key: str) -> None:
    reply = hand_over(heard, TOOLS).replies[0]  # type: ignore[arg-type]
    assert reply.text == TOOLS.wording.say(key)


def test_the_cards_that_were_sent_last_are_read_from_the_events() -> None:
    def said(*ids: str) -> dict[str, object]:
        return {"event": "bot", "data": {"custom": {"reply": {"cards": [{"service_id": each} for each in ids]}}}}

    heard = read_tracker({"events": [said("a", "b"), said("b"), {"event": "bot", "data": None}, {"event": "user"}]})
    assert heard.last_cards == ("b",)
    assert read_tracker({"events": [None, {"data": {"custom": 3}}]}).last_cards == ()
