"""What the assistant asks of the worker, and never claims to have done."""

from __future__ import annotations

import pytest

from bot.actions.forget_me import forget_me
from bot.actions.hand_over import hand_over
from bot.actions.my_info import my_info
from bot.actions.start_again import start_again
from bot.actions.take_back import take_back
from channels.conversation import Consent, ForgetMe, HandOver, MyInfo, StartAgain, Withdraw
from tests.unit.bot.fakes import hear, make_tools, payloads, text_of

TOOLS = make_tools()


def test_a_person_is_asked_for_without_a_word() -> None:
    answer = hand_over(hear("can i talk to someone", intent="person", need="debt"), TOOLS)
    assert answer.requests == (HandOver(reason="asked", need="debt"),)
    assert answer.replies == ()


def test_a_complaint_is_met_with_words_and_a_person() -> None:
    answer = hand_over(hear("this is useless", intent="complaint"), TOOLS)
    assert answer.requests == (HandOver(reason="complaint"),)
    assert "sorry" in text_of(answer)
    assert " will " not in text_of(answer)


def test_my_info_is_only_a_request() -> None:
    answer = my_info(hear("MY INFO"), TOOLS)
    assert (answer.replies, answer.requests) == ((), (MyInfo(),))


@pytest.mark.parametrize(
    ("intent", "what"), [("withdraw_sharing", Consent.SHARING), ("withdraw_check_ins", Consent.CHECK_INS)]
)
def test_taking_back_a_yes_is_only_a_request(intent: str, what: Consent) -> None:
    answer = take_back(hear("leave them out of it now", intent=intent), TOOLS)
    assert (answer.replies, answer.requests) == ((), (Withdraw(what=what),))


class TestForgetMe:
    def test_asks_first(self) -> None:
        answer = forget_me(hear("FORGET ME", intent="forget"), TOOLS)
        assert answer.requests == ()
        assert payloads(answer) == ["forget:yes", "forget:no", "person"]

    @pytest.mark.parametrize(
        "heard",
        [
            pytest.param(hear(intent="forget", value="yes"), id="the button"),
            pytest.param(hear("yes", intent="affirm", previous_action="action_forget_me"), id="a bare yes"),
        ],
    )  # fmt: skip
    def test_a_yes_erases_and_forgets_the_topic(self, heard: object) -> None:
        answer = forget_me(heard, TOOLS)  # type: ignore[arg-type]
        assert answer.requests == (ForgetMe(confirmed=True),)
        assert set(answer.slots) >= {"need", "place", "shown", "offered", "last_query"}
        assert not any(answer.slots.values())

    @pytest.mark.parametrize(
        "heard",
        [
            pytest.param(hear(intent="forget", value="no"), id="the button"),
            pytest.param(hear("no", intent="deny", previous_action="action_forget_me"), id="a bare no to the question"),
        ],
    )
    def test_a_no_keeps_everything(self, heard: object) -> None:
        answer = forget_me(heard, TOOLS)  # type: ignore[arg-type]
        assert (answer.requests, dict(answer.slots)) == ((), {})
        assert "person" in payloads(answer)

    @pytest.mark.parametrize(
        "heard",
        [
            pytest.param(hear("yes", intent="affirm", previous_action="action_find_support"), id="to something else"),
            pytest.param(hear(intent="details", value="yes"), id="another button with that value"),
            pytest.param(hear("forget me", intent="forget", previous_action="action_forget_me"), id="asked twice"),
            pytest.param(hear("forget me", intent="forget", value="YES!"), id="a value we never offered"),
        ],
    )  # fmt: skip
    def test_nothing_else_is_a_yes(self, heard: object) -> None:
        answer = forget_me(heard, TOOLS)  # type: ignore[arg-type]
        assert answer.requests == ()
        assert "forget:yes" in payloads(answer)


@pytest.mark.parametrize(
    ("intent", "place", "requests"),
    [
        pytest.param("start_again", None, (StartAgain(),), id="a clean start"),
        pytest.param("new_topic", "Foxley", (), id="another topic, in the same conversation"),
    ],
)
def test_a_clean_start(intent: str, place: str | None, requests: tuple[object, ...]) -> None:
    answer = start_again(hear(intent=intent, place="Foxley", last_query="rent", shown=("a",)), TOOLS)
    assert answer.requests == requests
    assert answer.slots["last_query"] is None
    assert answer.slots["place"] == place
    assert payloads(answer) == ["person", "privacy"]
