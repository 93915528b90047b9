"""What is read from Rasa's tracker, and what is ignored."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions.heard import Heard, read_tracker

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def test_everything_in_its_place() -> None:
    heard = read_tracker(
        {
            "latest_message": {
                "text": "  cant pay my rent ",
                "intent": {"name": "need_money", "confidence": 0.9},
                "entities": [],
                "metadata": {
                    "channel": "sms", "language": "en", "place": "Foxley", "turns": 3, "waiting": False,
                    "concerns": ["abuse"],
                },
            },
            "slots": {"need": "debt", "place": None, "shown": ["a", "b"], "offered": ["b"], "last_query": "debt"},
            "events": [
                {"event": "action", "name": "action_show_more"},
                {"event": "action", "name": "action_listen"},
                {"event": "user", "text": "x"},
            ],
        }
    )  # fmt: skip
    assert heard == Heard(
        text="cant pay my rent", intent="need_money", need="debt", place="Foxley", shown=("a", "b"), offered=("b",),
        last_query="debt", channel="sms", language="en", turns=3, concerns=frozenset({"abuse"}),
        previous_action="action_show_more",
    )  # fmt: skip


def test_a_pressed_button_has_a_value_and_no_words() -> None:
    heard = read_tracker(
        {"latest_message": {"text": "/details", "entities": [{"entity": "value", "value": "svc-rent-help"}]}}
    )
    assert (heard.text, heard.value) == ("", "svc-rent-help")


@pytest.mark.parametrize("text", ["/details", '/details{"value": "svc-x"}', "/more "])
def test_a_button_written_as_text_is_not_searched_with(text: str) -> None:
    assert read_tracker({"latest_message": {"text": text}}).text == ""


@pytest.mark.parametrize("text", ["w/e", "/ i mean rent", "and/or food"])
def test_a_slash_in_words_stays(text: str) -> None:
    assert read_tracker({"latest_message": {"text": text}}).text == text


def test_the_value_of_an_earlier_button_is_not_this_messages_value() -> None:
    assert read_tracker({"latest_message": {"text": "forget me"}, "slots": {"value": "yes"}}).value is None


def test_a_place_said_now_wins_over_the_one_kept() -> None:
    slots = {"place": "Millgate"}
    assert read_tracker({"latest_message": {"metadata": {"place": "Foxley"}}, "slots": slots}).place == "Millgate"


@given(st.dictionaries(st.sampled_from(["latest_message", "slots", "events"]), JSON))
def test_a_strange_tracker_is_never_an_error(tracker: dict[str, Any]) -> None:
    assert isinstance(read_tracker(tracker), Heard)


@given(
    st.fixed_dictionaries(
        {
            "latest_message": st.fixed_dictionaries({"text": JSON, "intent": JSON, "entities": JSON, "metadata": JSON}),
            "slots": st.dictionaries(st.sampled_from(["need", "place", "shown", "offered", "last_query"]), JSON),
            "events": JSON,
        }
    )
)
def test_strange_values_are_left_out(tracker: dict[str, Any]) -> None:
    heard = read_tracker(tracker)
    assert heard.turns >= 0
    assert all(isinstance(item, str) for item in (*heard.shown, *heard.offered, *heard.concerns))


def test_half_a_character_does_not_travel_on() -> None:
    heard = read_tracker({"latest_message": {"text": "\ud83drent"}, "slots": {"shown": ["\ud83d"]}})
    assert heard.text.encode()
    assert heard.shown == ("?",)


@pytest.mark.parametrize(
    ("sent", "location"),
    [
        pytest.param("54.150,-0.900", (54.15, -0.9), id="a location"),
        pytest.param("-33.9,151.2", (-33.9, 151.2), id="the other side of the world"),
        pytest.param("95.000,0.000", None, id="beyond the pole"),
        pytest.param("0.000,181.000", None, id="beyond the date line"),
        pytest.param("54,0", None, id="too coarse to be one"),
        pytest.param("nan,nan", None, id="no numbers"),
        pytest.param([54.1, -0.9], None, id="a list"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_where_a_phone_says_they_are(sent: object, location: tuple[float, float] | None) -> None:
    assert read_tracker({"latest_message": {"metadata": {"location": sent}}}).location == location


def test_our_words_since_their_message_before_are_known() -> None:
    def bot(text: str) -> dict[str, Any]:
        return {"event": "bot", "data": {"custom": {"reply": {"text": text}}}}

    user = {"event": "user", "timestamp": 1.0}
    events = [user, bot("long ago"), user, bot("first"), {"event": "bot", "data": None}, bot("second"), user]
    assert read_tracker({"events": events}).last_said == ("second", "first")
    assert read_tracker({"events": [user]}).last_said == ()
