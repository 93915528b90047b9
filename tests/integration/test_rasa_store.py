"""Conversations of a real Rasa in a real Valkey: they outlive Rasa, hold no words, and never cause silence."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis

from channels.valkey import Valkey
from tests.rasa_server import FakeActions, RasaProcess

pytest_plugins = ["tests.rasa_fixtures"]
pytestmark = pytest.mark.rasa

KEPT_SECONDS = 12 * 3600


@pytest.fixture
def start(rasa_model: Path, fake_actions: FakeActions, own_valkey: Valkey, tmp_path: Path) -> Iterator[StartRasa]:
    with contextlib.ExitStack() as stack:
        yield StartRasa(rasa_model, fake_actions, own_valkey, tmp_path / "log", stack)


class StartRasa:
    """Starts a Rasa that keeps its conversations in the test's own Valkey."""

    def __init__(
        self, model: Path, actions: FakeActions, valkey: Valkey, log: Path, stack: contextlib.ExitStack
    ) -> None:
        self._model, self._actions, self._valkey, self._log, self._stack = model, actions, valkey, log, stack

    def __call__(self) -> RasaProcess:
        environment = {"NWD_REDIS_URL": self._valkey.url, "NWD_REDIS_PREFIX": "test"}
        server = RasaProcess(self._model, self._actions.url, self._log, environment)
        self._stack.callback(server.stop)
        server.wait_ready()
        return server


@contextlib.contextmanager
def client_of(valkey: Valkey) -> Iterator[redis.Redis]:
    with contextlib.closing(redis.Redis.from_url(valkey.url, decode_responses=True)) as client:
        yield client


def test_a_conversation_outlives_rasa_and_valkey_being_down(
    start: StartRasa, own_valkey: Valkey, fake_actions: FakeActions
) -> None:
    """One long story, because each start of Rasa takes seconds."""
    slot = {"event": "slot", "name": "place", "value": "Millgate"}
    fake_actions.answers["action_give_place"] = {"events": [slot], "responses": [{"text": "noted"}]}
    first = start()
    first.say("im in millgate", "e1", metadata={"concerns": ["abuse"]})
    first.say("forget me", "e1")
    check_what_is_stored(own_valkey)
    first.stop()

    second = start()
    answer = second.say("yes", "e1")
    assert answer.json()["messages"][0]["custom"]["reply"]["text"] == "action_forget_me", "it knew the question"
    assert fake_actions.calls[-1]["tracker"]["slots"]["place"] == "Millgate"

    check_forgetting(second, own_valkey, fake_actions)
    check_valkey_hung(second, own_valkey)
    check_valkey_stopped(second, own_valkey, fake_actions)
    assert "millgate" not in second.log().lower()


def check_what_is_stored(valkey: Valkey) -> None:
    with client_of(valkey) as client:
        assert client.keys() == ["test:tracker:e1"]
        assert 0 < client.ttl("test:tracker:e1") <= KEPT_SECONDS
        state = str(client.get("test:tracker:e1"))
    assert "im in" not in state
    assert "abuse" not in state
    assert len(json.loads(state)["events"]) <= 60


def check_forgetting(rasa: RasaProcess, valkey: Valkey, fake_actions: FakeActions) -> None:
    """A confirmed FORGET ME leaves nothing of the episode in Valkey."""
    request = {"custom": {"request": {"kind": "forget_me", "confirmed": True}}}
    fake_actions.answers["action_forget_me"] = {"events": [], "responses": [request]}
    assert rasa.press("forget:yes", "e1").json()["messages"] == [request]
    with client_of(valkey) as client:
        assert client.keys() == []


def check_valkey_hung(rasa: RasaProcess, valkey: Valkey) -> None:
    with client_of(valkey) as client:
        pid = int(client.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        response = rasa.say("hello there", "e2")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert response.status_code == httpx.codes.OK
    assert response.json()["problems"] == ["tracker_store"]


def check_valkey_stopped(rasa: RasaProcess, valkey: Valkey, fake_actions: FakeActions) -> None:
    """Answered from this process's own copy; used again when it is back."""
    del fake_actions.answers["action_forget_me"]
    valkey.stop()
    asked = rasa.say("forget me", "e3")
    assert (asked.status_code, asked.json()["problems"]) == (httpx.codes.OK, ["tracker_store"])
    kept = rasa.say("no", "e3")
    assert kept.json()["messages"][0]["custom"]["reply"]["text"] == "action_forget_me"
    valkey.start()
    deadline = time.monotonic() + 20
    while (response := rasa.say("hello there", "e4").json())["problems"]:
        assert time.monotonic() < deadline, response
        time.sleep(0.2)
    with client_of(valkey) as client:
        assert client.exists("test:tracker:e4")
