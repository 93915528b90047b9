"""When something behind Rasa fails: a status and a name for it, never an empty 200, never a person's words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.rasa_server import FakeActions, RasaProcess

pytest_plugins = ["tests.rasa_fixtures"]
pytestmark = pytest.mark.rasa

WORDS = "zanzibar food bank"


@pytest.fixture(scope="module")
def own_actions() -> Iterator[FakeActions]:
    server = FakeActions()
    yield server
    server.close()


@pytest.fixture(scope="module")
def troubled(
    rasa_model: Path, own_actions: FakeActions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RasaProcess]:
    """A Rasa that is asked to log everything, and that waits half a second for an action."""
    environment = {"LOG_LEVEL": "DEBUG", "NWD_ACTION_TIMEOUT": "0.5"}
    server = RasaProcess(rasa_model, own_actions.url, tmp_path_factory.mktemp("troubled") / "log", environment)
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("status", "answer", "delay"),
    [
        pytest.param(500, None, 0.0, id="the action server echoes the request"),
        pytest.param(401, None, 0.0, id="the action server does not know us"),
        pytest.param(400, None, 0.0, id="the action server rejects the call"),
        pytest.param(200, {"events": WORDS}, 0.0, id="the answer is malformed"),
        pytest.param(200, [WORDS], 0.0, id="the answer is no object"),
        pytest.param(200, None, 1.5, id="the action is too slow"),
    ],
)
def test_a_failed_action_is_a_502_that_names_it(
    troubled: RasaProcess, own_actions: FakeActions, status: int, answer: object, delay: float
) -> None:
    own_actions.reset()
    own_actions.status, own_actions.delay = status, delay
    if answer is not None:
        own_actions.answers["action_find_support"] = answer
    response = troubled.say(WORDS)
    assert response.status_code == httpx.codes.BAD_GATEWAY
    assert response.json()["problems"] == ["action_find_support"]
    assert len(own_actions.calls) == 1
    assert WORDS not in response.text


def test_an_action_that_says_nothing_is_a_502(troubled: RasaProcess, own_actions: FakeActions) -> None:
    own_actions.reset()
    own_actions.answers["action_find_support"] = {"events": [], "responses": []}
    response = troubled.say(WORDS)
    assert response.status_code == httpx.codes.BAD_GATEWAY
    assert response.json()["problems"] == ["nothing_said"]


def test_the_next_turn_works_again(troubled: RasaProcess, own_actions: FakeActions) -> None:
    own_actions.reset()
    own_actions.status = 500
    assert troubled.say(WORDS, "e-again").status_code == httpx.codes.BAD_GATEWAY
    own_actions.reset()
    response = troubled.say(WORDS, "e-again")
    assert response.status_code == httpx.codes.OK
    assert response.json()["problems"] == []


def test_small_talk_that_fails_is_told_as_a_failure_too(troubled: RasaProcess, own_actions: FakeActions) -> None:
    """What a "hello" means depends on what was said before, so an action answers it; without one a person is asked."""
    own_actions.reset()
    own_actions.status = 500
    assert troubled.say("hello there").status_code == httpx.codes.BAD_GATEWAY


def test_a_stopped_action_server_is_a_502(troubled: RasaProcess, own_actions: FakeActions) -> None:
    own_actions.close()
    response = troubled.say(WORDS)
    assert response.status_code == httpx.codes.BAD_GATEWAY
    assert response.json()["problems"] == ["action_find_support"]


def test_no_log_line_holds_words_even_at_debug(troubled: RasaProcess) -> None:
    """Runs after everything above went wrong on this server."""
    log = troubled.log()
    assert "action_find_support" in log, "the failures themselves are logged"
    assert "zanzibar" not in log


def test_without_a_model_nothing_is_ready_and_nothing_is_answered(tmp_path: Path) -> None:
    """Rasa starts all the same when the model cannot be read, and its own channels would answer 200 and nothing."""
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"no archive")
    server = RasaProcess(broken, "http://127.0.0.1:9", tmp_path / "log")
    try:
        assert server.wait_answer().status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert server.say("hello").status_code == httpx.codes.SERVICE_UNAVAILABLE
    finally:
        server.stop()
