"""Checks of bot/components inside Rasa's own interpreter: `.venv-rasa/bin/python -m tests.rasa.check_components`.

Prints {"name of the check": null or what went wrong} as one line of JSON. tests/integration/test_rasa_components.py
runs it once and shows each check as a test. Python 3.10, no pytest.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import rasa
import rasa.core.actions.action as action_module
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.tracker_store import check_if_tracker_store_async
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

from bot.components import fixes
from bot.components.encoder import Encoder, encoder_folder, read_facts
from bot.components.gateway_channel import GatewayChannel
from bot.components.logreg import MEANING, LogisticRegressionIntents
from bot.components.minilm import OnnxMiniLMFeaturizer
from bot.components.plain_words import SPELLINGS
from bot.components.problems import collect_problems
from bot.components.recent import Recent
from bot.components.regression import WORDING_SHARE, Regression, fit, save
from bot.components.tracker_store import BoundedTrackerStore
from bot.components.wording import PLACES
from bot.components.wording_featurizer import HashedWordsFeaturizer

WORDS = "words of a person"
OWN_VALIDATION = action_module.RemoteAction._validate_action_result
OWN_EVENT_SEARCH = Event.resolve_by_type
ANSWERS: list[Any] = [
    {"events": [], "responses": []},
    {},
    {"events": [{"event": "slot", "name": "place", "value": WORDS}], "responses": [{"text": WORDS}]},
    {"events": [{"event": "slot", "name": "place", "value": None, "timestamp": None}]},
    {"events": WORDS},
    {"events": [{"event": WORDS}]},
    {"responses": [WORDS]},
    {"events": [{"event": "slot"}]},
]


def expect_error(kind: type, action: Callable[[], Any]) -> BaseException:
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def check_another_version_of_rasa_is_refused() -> None:
    rasa.__version__ = "3.6.99"
    try:
        assert "3.6.99" in str(expect_error(RasaException, fixes.apply_fixes))
    finally:
        rasa.__version__ = "3.6.21"


def check_an_empty_token_is_refused_by_name() -> None:
    error = expect_error(RasaException, lambda: GatewayChannel.from_credentials({"token": " "}))
    assert "NWD_RASA_TOKEN" in str(error)


def check_compiled_validation_agrees_with_rasas_own() -> None:
    action = action_module.RemoteAction("action_x", None)
    for answer in ANSWERS:
        verdicts = []
        for validate in (OWN_VALIDATION, action_module.RemoteAction._validate_action_result):
            try:
                verdicts.append(validate(action, answer))
            except Exception:
                verdicts.append(False)
        assert verdicts[0] == verdicts[1], (answer, verdicts)


def check_a_malformed_answer_is_named_without_its_words() -> None:
    action = action_module.RemoteAction("action_x", None)
    error = expect_error(fixes.ActionFailed, lambda: action._validate_action_result({"events": WORDS}))
    assert "action_x" in str(error)
    assert WORDS not in str(error)


class EchoingEndpoint(EndpointConfig):
    """An action server that answers an error with everything it was sent."""

    async def request(self, *args: Any, **kwargs: Any) -> Any:
        raise ClientResponseError(500, "Internal Server Error", WORDS)


def check_a_failed_action_is_reported_without_words() -> None:
    action = action_module.RemoteAction("action_find_support", EchoingEndpoint("http://127.0.0.1:1"))
    tracker = DialogueStateTracker.from_events("e1", [UserUttered(WORDS)])
    with collect_problems() as problems:
        try:
            asyncio.run(action.run(CollectingOutputChannel(), None, tracker, Domain.empty()))
        except fixes.ActionFailed:
            printed = traceback.format_exc()
    assert problems == ["action_find_support"]
    assert WORDS not in printed
    assert "500" in printed


def check_the_action_timeout_comes_from_the_environment() -> None:
    assert fixes.read_action_timeout() == 6.0
    for given, seconds in (("2.5", 2.5), ("60", 60.0)):
        os.environ[fixes.ACTION_TIMEOUT_VARIABLE] = given
        assert fixes.read_action_timeout() == seconds
    for wrong in ("soon", "0", "-1", "61"):
        os.environ[fixes.ACTION_TIMEOUT_VARIABLE] = wrong
        assert fixes.ACTION_TIMEOUT_VARIABLE in str(expect_error(RasaException, fixes.read_action_timeout))
    del os.environ[fixes.ACTION_TIMEOUT_VARIABLE]
    assert action_module.DEFAULT_REQUEST_TIMEOUT == 6.0


def check_event_types_are_found_as_before() -> None:
    names = [kind.type_name for kind in rasa.shared.utils.common.all_subclasses(Event) if kind.type_name]
    assert len(names) > 15
    for name in names:
        assert Event.resolve_by_type(name) is OWN_EVENT_SEARCH(name), name
    assert Event.resolve_by_type("topic") is None
    assert Event.resolve_by_type("unknown", SlotSet) is SlotSet
    expect_error(ValueError, lambda: Event.resolve_by_type("unknown"))


def check_debug_logs_are_raised_to_info() -> None:
    loggers = (logging.getLogger(), logging.getLogger("rasa"))
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    fixes.keep_words_out_of_logs()
    assert not logging.getLogger("rasa.core.processor").isEnabledFor(logging.DEBUG)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def check_fixes_are_applied_once() -> None:
    run = action_module.RemoteAction.run
    fixes.apply_fixes()
    assert action_module.RemoteAction.run is run


DOMAIN = Domain.load("domain.yml")


def talk(store: BoundedTrackerStore, sender: str, text: str, events: list[Event]) -> None:
    async def turn() -> None:
        tracker = await store.get_or_create_tracker(sender)
        said = UserUttered(text, {"name": "greet", "confidence": 1.0}, metadata={"concerns": [text]})
        tracker.update_with_events([said, *events, ActionExecuted("action_listen")], DOMAIN)
        await store.save(tracker)

    asyncio.run(turn())


def check_the_store_remembers_slots_and_actions_but_no_words() -> None:
    store = BoundedTrackerStore(DOMAIN)
    assert check_if_tracker_store_async(store)
    talk(store, "e1", WORDS, [ActionExecuted("action_give_place"), SlotSet("place", "Millgate")])
    tracker = asyncio.run(store.retrieve("e1"))
    assert tracker is not None
    assert tracker.get_slot("place") == "Millgate"
    assert [e.action_name for e in tracker.events if isinstance(e, ActionExecuted)][-2] == "action_give_place"
    assert tracker.latest_message.intent["name"] == "greet"
    assert WORDS not in json.dumps(tracker.current_state())
    assert WORDS not in str(store._recent._items)


def check_words_being_searched_with_come_back_and_are_written_nowhere() -> None:
    store = BoundedTrackerStore(DOMAIN)
    talk(store, "e1", "hi", [SlotSet("last_query", WORDS), SlotSet("need", "debt")])
    tracker = asyncio.run(store.retrieve("e1"))
    assert tracker is not None
    assert tracker.get_slot("last_query") == WORDS
    assert WORDS not in str(store._recent._items)
    store._withheld.drop("e1")
    restarted = asyncio.run(store.retrieve("e1"))
    assert restarted is not None
    assert (restarted.get_slot("last_query"), restarted.get_slot("need")) == (None, "debt")


def check_the_store_stays_bounded_over_300_turns() -> None:
    store = BoundedTrackerStore(DOMAIN, max_events=60)
    talk(store, "e1", "hi", [SlotSet("last_query", "food")])
    for _ in range(300):
        talk(store, "e1", "hi", [ActionExecuted("action_find_support")])
    tracker = asyncio.run(store.retrieve("e1"))
    assert tracker is not None
    assert len(tracker.events) <= 60
    assert tracker.get_slot("last_query") == "food"


def check_the_least_recent_conversations_are_dropped_first() -> None:
    recent = Recent(2, 100.0)
    for key in ("a", "b", "a", "c"):
        recent.put(key, key)
    assert recent.keys() == ["a", "c"]
    expired = Recent(2, -1.0)
    expired.put("a", "a")
    assert expired.get("a") is None
    assert expired.keys() == []


def check_vectors_are_unit_length_and_independent_of_their_batch() -> None:
    encoder = Encoder(encoder_folder())
    texts = ["hi", "cant pay my rent this month and im so down", "help me please " * 60]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-5
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def check_the_fingerprint_is_that_of_the_weights_and_the_spelling() -> None:
    hashes = read_facts(encoder_folder())["sha256"]
    weights = f"{hashes['model.onnx']}:{hashes['tokenizer.json']}"
    tables = b"".join(path.read_bytes() for path in SPELLINGS)
    assert OnnxMiniLMFeaturizer.fingerprint_addon({}) == f"{weights}:{sha256(tables).hexdigest()}"


def check_text_message_spelling_is_read_as_plain_words() -> None:
    featurizer = OnnxMiniLMFeaturizer(OnnxMiniLMFeaturizer.get_default_config(), "featurizer")
    written, plain = (Message.build(text) for text in ("can i tlk 2 sum1", "can i talk to someone"))
    featurizer.process([written, plain])
    vectors = [message.get_dense_features("text")[1].features for message in (written, plain)]
    assert np.abs(vectors[0] - vectors[1]).max() < 1e-5


def check_training_twice_gives_the_same_file() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(90, 8)).astype(np.float32)
    labels = ["greet", "thanks", "more"] * 30
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.npz" for number in range(2)]
        for file in files:
            save(fit(vectors, labels), file)
        assert files[0].read_bytes() == files[1].read_bytes()


def check_meaning_and_wording_are_learnt_apart_and_joined() -> None:
    generator = np.random.default_rng(0)
    meaning = generator.normal(size=(90, 4)).astype(np.float32)
    wording = np.tile(np.eye(3, dtype=np.float32), (30, 1))
    labels = ["greet", "thanks", "more"] * 30
    joined = fit(np.hstack([meaning, wording]), labels, meaning=4)
    apart = fit(meaning, labels)
    assert joined.weights.shape == (3, 7)
    assert np.allclose(joined.weights[:, :4], (1 - WORDING_SHARE) * apart.weights)
    unsure = np.concatenate([np.zeros(4), wording[1]])
    assert joined.rank(unsure, 1)[0][0] == labels[1]


def check_the_wording_stands_beside_the_sentence_vector() -> None:
    parts = [
        OnnxMiniLMFeaturizer(OnnxMiniLMFeaturizer.get_default_config(), "meaning"),
        HashedWordsFeaturizer(HashedWordsFeaturizer.get_default_config(), "wording"),
    ]
    written, plain = (Message.build(text) for text in ("can i tlk 2 sum1", "can i talk to someone"))
    for part in parts:
        part.process([written, plain])
    rows = [message.get_dense_features("text")[1].features[0] for message in (written, plain)]
    assert rows[0].shape == (MEANING + PLACES,)
    assert np.array_equal(rows[0][MEANING:], rows[1][MEANING:])
    assert np.abs(rows[0][MEANING:]).sum() > 0


def check_a_message_without_words_has_no_confidence() -> None:
    sure = Regression(labels=("greet", "thanks"), weights=np.array([[9.0], [-9.0]]), biases=np.zeros(2))
    classifier = LogisticRegressionIntents({"ranking_length": 3}, None, None, sure)
    for text, confident in (("hello", True), ("\U0001f622", False), ("???", False)):
        message = Message({TEXT: text})
        message.add_features(Features(np.ones((1, 1)), FEATURE_TYPE_SENTENCE, TEXT, "minilm"))
        classifier.process([message])
        assert (message.get("intent")["confidence"] > 0.9) is confident, text
    empty = Message({TEXT: ""})
    classifier.process([empty])
    assert empty.get("intent")["confidence"] == 0.0


def main() -> None:
    checks = {name: check for name, check in globals().items() if name.startswith("check_") and callable(check)}
    own = {name: check for name, check in checks.items() if getattr(check, "__module__", "") == __name__}
    own["check_another_version_of_rasa_is_refused"]()
    fixes.apply_fixes()
    report: dict[str, Any] = {}
    for name, check in own.items():
        try:
            check()
            report[name] = None
        except Exception:
            report[name] = traceback.format_exc(limit=-3)
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
