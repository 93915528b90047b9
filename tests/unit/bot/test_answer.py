"""The wire form that channels reads."""

from __future__ import annotations

import json

import pytest

from bot.actions.answer import Answer, write_messages, write_request, write_slots
from bot.actions.find_support import find_support
from channels.assistant import read_turn
from channels.conversation import (
    Choice,
    Consent,
    ForgetMe,
    HandOver,
    MyInfo,
    Note,
    Reply,
    Request,
    ServiceCard,
    StartAgain,
    Withdraw,
)
from tests.unit.bot.fakes import hear, make_tools


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (HandOver(reason="asked"), {"kind": "hand_over", "reason": "asked", "need": None, "language": None}),
        (ForgetMe(confirmed=True), {"kind": "forget_me", "confirmed": True}),
        (MyInfo(), {"kind": "my_info"}),
        (Withdraw(what=Consent.SHARING), {"kind": "withdraw", "what": "sharing"}),
        (Note(needs=("debt",)), {"kind": "note", "needs": ["debt"], "place": None}),
        (StartAgain(), {"kind": "start_again"}),
    ],
)
def test_each_request(request_: Request, body: dict[str, object]) -> None:
    assert write_request(request_) == {"request": body}


def test_a_reply_with_everything_in_it() -> None:
    card = ServiceCard(service_id="svc-a", name="A", phone="1")
    answer = Answer(replies=(Reply(text="Hi", cards=(card,), choices=(Choice(title="More", payload="more"),)),))
    (message,) = json.loads(json.dumps(write_messages(answer)))
    assert set(message["reply"]) == {"text", "cards", "choices", "detail"}
    assert ServiceCard(**message["reply"]["cards"][0]) == card
    assert message["reply"]["choices"] == [{"title": "More", "payload": "more"}]
    assert message["reply"]["detail"] is False


def test_replies_come_before_requests() -> None:
    messages = write_messages(Answer(replies=(Reply(text="a"), Reply(text="b")), requests=(MyInfo(),)))
    assert [next(iter(message)) for message in messages] == ["reply", "reply", "request"]


def test_slots_become_events() -> None:
    events = write_slots({"shown": ("a", "b"), "need": None})
    assert [(event["event"], event["name"], event["value"]) for event in events] == [
        ("slot", "shown", ["a", "b"]),
        ("slot", "need", None),
    ]


@pytest.mark.parametrize(
    "text", ["cant pay my rent", "???", "\u0434\u043e\u043f\u043e\u043c\u043e\u0436\u0456\u0442\u044c", "WZ2"]
)
def test_channels_reads_back_what_was_written(text: str) -> None:
    """`channels.assistant` is the reader of this form: every card, choice and request arrives as it left."""
    answer = find_support(hear(text), make_tools())
    sent = json.loads(json.dumps([{"custom": message} for message in write_messages(answer)]))
    turn = read_turn({"messages": sent, "intent": {}, "problems": []})
    assert (turn.replies, turn.requests) == (answer.replies, answer.requests)
