"""The pure parts of bot/components: what is done to words, requests and remembered events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.components.encoder import EncoderNotUsable, check_files, encoder_folder, fingerprint, read_facts
from bot.components.incoming import NotUsable, Press, read_incoming, read_press
from bot.components.problems import collect_problems, record_problem
from bot.components.regression import Regression, load, save
from bot.components.retention import asks_for_a_clean_slate, bound
from bot.components.withheld import Withheld
from bot.components.wording import PLACES, count_runs
from bot.components.words import LONGEST_TEXT, has_readable_words, read_text

INTENTS = frozenset({"greet", "details", "forget", "more"})


# Words


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        pytest.param("  hello ", "hello", id="spaces around are dropped"),
        pytest.param("/restart", "restart", id="a slash in front is no command"),
        pytest.param(' //forget{"value": "yes"}', 'forget{"value": "yes"}', id="nor are several"),
        pytest.param("/ / hi", "hi", id="nor with spaces between"),
        pytest.param("and/or", "and/or", id="a slash inside stays"),
        pytest.param("//", "?", id="slashes alone are a message without words"),
    ],
)
def test_typed_words_never_look_like_a_command(typed: str, read: str) -> None:
    assert read_text(typed) == read


def test_a_very_long_message_keeps_its_beginning_and_its_end() -> None:
    read = read_text("first words " + "and so on " * 2000 + "the last words")
    assert len(read) <= LONGEST_TEXT
    assert read.startswith("first words")
    assert read.endswith("the last words")


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        pytest.param("help", True, id="English"),
        pytest.param("kocham cię, pomóż", True, id="Latin letters with accents"),
        pytest.param("2", True, id="a number picks from a list"),
        pytest.param("😢", False, id="an emoji"),
        pytest.param("😢 help", True, id="an emoji with a word"),
        pytest.param("???", False, id="marks"),
        pytest.param("", False, id="nothing"),
        pytest.param("مرحبا أحتاج مساعدة", False, id="Arabic"),
        pytest.param("помогите ok", False, id="mostly Cyrillic"),
        pytest.param("٢", False, id="a number in another script"),
    ],
)
def test_what_an_english_model_may_be_asked_about(text: str, readable: bool) -> None:
    assert has_readable_words(text) is readable


# Requests


def request(**more: Any) -> dict[str, Any]:
    return {"sender": "e7f3", "message_id": "m1", "text": "hello", "payload": None, "metadata": {"turns": 0}, **more}


def test_a_typed_message_is_read() -> None:
    incoming = read_incoming(request(text="/more"), INTENTS)
    assert (incoming.sender, incoming.message_id, incoming.text, incoming.press) == ("e7f3", "m1", "more", None)
    assert incoming.metadata == {"turns": 0}


@pytest.mark.parametrize(
    ("payload", "press"),
    [
        pytest.param("more", Press("more"), id="a name"),
        pytest.param("details:svc-rent", Press("details", "svc-rent"), id="a name and a value"),
        pytest.param("details:a:b", Press("details", "a:b"), id="the value may hold a colon"),
        pytest.param("", None, id="no press"),
        pytest.param(None, None, id="none at all"),
    ],
)
def test_a_payload_is_an_intent_with_a_value(payload: str | None, press: Press | None) -> None:
    assert read_press(payload, INTENTS) == press


def test_a_press_wins_over_text() -> None:
    incoming = read_incoming(request(text="anything", payload="details:svc-x"), INTENTS)
    assert incoming.press == Press("details", "svc-x")
    assert incoming.text == "/details"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="nothing"),
        pytest.param(["hello"], id="a list"),
        pytest.param(request(sender=""), id="no sender"),
        pytest.param(request(sender="+447700900001"), id="a phone number as sender"),
        pytest.param(request(sender=7), id="a number as sender"),
        pytest.param(request(text=None), id="no text"),
        pytest.param(request(text="  "), id="spaces"),
        pytest.param(request(text=["hi"]), id="text that is no text"),
        pytest.param(request(metadata="sms"), id="metadata that is no object"),
        pytest.param(request(payload="restart"), id="a payload that is no intent of ours"),
        pytest.param(request(payload="/more"), id="a payload with a slash"),
        pytest.param(request(payload="details:" + "x" * 60), id="a payload too long for a button"),
        pytest.param(request(payload=5), id="a payload that is no text"),
    ],
)
def test_what_cannot_be_a_turn_is_refused_without_repeating_it(body: Any) -> None:
    with pytest.raises(NotUsable) as refusal:
        read_incoming(body, INTENTS)
    assert "900001" not in str(refusal.value)


# Problems


def test_problems_belong_to_one_turn_and_are_named_once() -> None:
    record_problem("outside a turn")
    with collect_problems() as first:
        record_problem("tracker_store")
        record_problem("tracker_store")
        record_problem("action_find_support")
    with collect_problems() as second:
        pass
    assert first == ["tracker_store", "action_find_support"]
    assert second == []


# What is remembered


def turn(number: int, text: str = "secret words") -> list[dict[str, Any]]:
    """The events of one turn as Rasa writes them."""
    ranking = [{"name": "greet", "confidence": 0.9}, {"name": "thanks", "confidence": 0.1}]
    parsed = {"intent": ranking[0], "entities": [], "text": text, "intent_ranking": ranking, "metadata": {"c": text}}
    said = {"text": text, "data": {"custom": {"reply": {"text": text}}}}
    return [
        {"event": "action", "timestamp": number, "name": "action_listen"},
        {"event": "user", "timestamp": number, "text": text, "parse_data": parsed, "metadata": {"concerns": [text]}},
        {"event": "action", "timestamp": number, "name": "action_find_support"},
        {"event": "bot", "timestamp": number, "metadata": {"x": text}, **said},
        {"event": "slot", "timestamp": number, "name": "place", "value": "Millgate"},
    ]


START = [
    {"event": "slot", "timestamp": 0, "name": "session_started_metadata", "value": {"concerns": ["secret words"]}},
    {"event": "action", "timestamp": 0, "name": "action_session_start"},
    {"event": "slot", "timestamp": 0, "name": "session_started_metadata", "value": {"concerns": ["secret words"]}},
]


def test_nobodys_words_are_remembered() -> None:
    kept = bound([*START, *turn(1), *turn(2)], {"place": "Millgate"}, 60)
    assert "secret words" not in json.dumps(kept)
    assert [event["parse_data"]["intent"]["name"] for event in kept if event["event"] == "user"] == ["greet", "greet"]


def test_what_is_searched_with_is_written_as_a_mark_that_only_this_process_can_read() -> None:
    words = "i owe money to Quagga Loans"
    events = [{"event": "slot", "name": "last_query", "value": each} for each in (words, None, words)]
    withheld = Withheld(10, 100.0)
    hidden = withheld.hide("e1", events)
    assert "quagga" not in json.dumps(hidden).lower()
    assert hidden[0] == hidden[2]
    assert hidden[1]["value"] is None
    assert withheld.show("e1", hidden) == events
    unread = [{**event, "value": None} for event in events]
    assert withheld.show("e2", hidden) == unread, "of another conversation"
    assert Withheld(10, 100.0).show("e1", hidden) == unread, "after a restart"
    withheld.drop("e1")
    assert withheld.show("e1", hidden) == unread, "forgotten"


def test_of_cards_only_the_ids_are_remembered_so_that_a_complaint_finds_its_listing() -> None:
    card = {"service_id": "svc-a", "title": "secret words", "phone": "01632 960001"}
    shown = {"event": "bot", "timestamp": 1, "text": "secret words", "data": {"custom": {"reply": {"cards": [card]}}}}
    odd = [{**shown, "data": data} for data in (None, {}, {"custom": "x"}, {"custom": {"reply": {"cards": [1, {}]}}})]
    kept = [event["data"] for event in bound([*START, shown, *odd], {}, 60) if event["event"] == "bot"]
    assert kept == [{"custom": {"reply": {"cards": [{"service_id": "svc-a"}]}}}, {}, {}, {}, {}]


@pytest.mark.parametrize("turns", [1, 11, 12, 13, 300])
def test_what_is_remembered_is_bounded(turns: int) -> None:
    events = [*START, *(event for number in range(turns) for event in turn(number))]
    assert len(bound(events, {"place": "Millgate"}, 60)) <= 60


def test_slots_outlive_the_events_that_set_them() -> None:
    early = [*turn(1), {"event": "slot", "timestamp": 1, "name": "last_query", "value": "food"}]
    events = [*START, *early, *(event for number in range(2, 50) for event in turn(number))]
    slots = {"last_query": "food", "need": None, "place": "Millgate", "session_started_metadata": {"a": 1}}
    kept = bound(events, slots, 30)
    set_again = {event["name"]: event["value"] for event in kept if event["event"] == "slot"}
    assert set_again == {"last_query": "food", "place": "Millgate"}
    assert kept[0]["name"] == "action_session_start"


def test_what_is_kept_begins_with_a_whole_turn() -> None:
    events = [*START, *(event for number in range(50) for event in turn(number))]
    kept = bound(events, {"place": "Millgate"}, 32)
    after_slots = next(event for event in kept[1:] if event["event"] != "slot")
    assert after_slots["name"] == "action_listen"


def test_only_the_latest_session_is_remembered() -> None:
    kept = bound([*START, *turn(1), *START, *turn(2)], {}, 60)
    assert [event["timestamp"] for event in kept if event["event"] == "user"] == [2]


def asking(custom: Any) -> list[dict[str, Any]]:
    return [*turn(1), {"event": "bot", "timestamp": 1, "text": None, "data": {"custom": custom}}]


@pytest.mark.parametrize(
    ("custom", "clean"),
    [
        pytest.param({"request": {"kind": "forget_me", "confirmed": True}}, True, id="forget me, confirmed"),
        pytest.param({"request": {"kind": "forget_me", "confirmed": False}}, False, id="forget me, only asked"),
        pytest.param({"request": {"kind": "start_again"}}, True, id="start again"),
        pytest.param({"request": {"kind": "hand_over"}}, False, id="another request"),
        pytest.param({"reply": {"text": "hello"}}, False, id="a reply"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_a_turn_that_asks_to_forget_leaves_nothing(custom: Any, clean: bool) -> None:
    assert asks_for_a_clean_slate(asking(custom)) is clean


def test_an_earlier_request_to_forget_is_not_this_turns() -> None:
    assert not asks_for_a_clean_slate([*asking({"request": {"kind": "start_again"}}), *turn(2)])


# The classifier's arrays


def small_regression() -> Regression:
    weights = np.array([[4.0, 0.0], [0.0, 4.0], [-4.0, -4.0]], dtype=np.float32)
    return Regression(labels=("a", "b", "c"), weights=weights, biases=np.zeros(3, dtype=np.float32))


def test_probabilities_are_a_softmax_and_ranked() -> None:
    ranking = small_regression().rank(np.array([1.0, 0.0]), 2)
    assert [name for name, _ in ranking] == ["a", "b"]
    expected = np.exp([4.0, 0.0, -4.0]) / np.exp([4.0, 0.0, -4.0]).sum()
    assert ranking[0][1] == pytest.approx(expected[0])


def test_the_arrays_come_back_from_a_file_without_pickle(tmp_path: Path) -> None:
    save(small_regression(), tmp_path / "regression.npz")
    loaded = load(tmp_path / "regression.npz")
    assert loaded.labels == ("a", "b", "c")
    assert np.array_equal(loaded.weights, small_regression().weights)


def test_a_file_with_python_objects_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "regression.npz"
    np.savez(path, labels=np.array([{"an": "object"}], dtype=object), weights=np.zeros(1), biases=np.zeros(1))
    with pytest.raises(ValueError, match="pickle"):
        load(path)


# The encoder's folder


def write_encoder(folder: Path, model: bytes = b"model") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    (folder / "tokenizer.json").write_bytes(b"{}")
    digests = {
        "model.onnx": "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4",
        "tokenizer.json": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    }
    (folder / "encoder.json").write_text(json.dumps({"sha256": digests}))
    return folder


def test_verified_files_are_accepted_and_changed_ones_are_not(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path)
    check_files(folder, read_facts(folder))
    (folder / "model.onnx").write_bytes(b"another model")
    with pytest.raises(EncoderNotUsable, match="make setup"):
        check_files(folder, read_facts(folder))


def test_the_fingerprint_follows_the_weights(tmp_path: Path) -> None:
    assert fingerprint(write_encoder(tmp_path)).startswith("9372c470")


def test_a_missing_encoder_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(EncoderNotUsable, match="NWD_ENCODER_DIR"):
        read_facts(tmp_path / "nowhere")


def test_the_environment_says_where_the_encoder_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NWD_ENCODER_DIR", "/there")
    assert encoder_folder("/here") == Path("/there")
    monkeypatch.delenv("NWD_ENCODER_DIR")
    assert encoder_folder("/here") == Path("/here")
    assert encoder_folder() == Path(".build/minilm")


def test_wording_is_a_row_of_length_one_for_each_text() -> None:
    rows = count_runs(["ok cool", "nah", "which one is nearest to me"])
    assert rows.shape == (3, PLACES)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)


def test_wording_without_words_is_nothing() -> None:
    assert not count_runs(["", "  "]).any()


def test_wording_hears_a_misspelt_word_as_nearer_than_another() -> None:
    right, misspelt, other = count_runs(["goodbye", "goodby", "thanks"])
    assert right @ misspelt > right @ other


def test_wording_hears_the_order_of_words() -> None:
    first, second = count_runs(["not that one", "one not that"])
    assert not np.allclose(first, second)
