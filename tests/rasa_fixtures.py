"""A real Rasa and a small action server, for a test module with `pytest_plugins = ["tests.rasa_fixtures"]`.

One Rasa serves all tests that only talk to it; a test that breaks something starts its own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-rasa" / "bin" / "python"
BUILT = ROOT / ".build" / "rasa" / "current.tar.gz"
RASA_TOKEN, ACTIONS_TOKEN = "rasa-token-for-tests", "actions-token-for-tests"
START_DEADLINE = 120.0
QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class FakeActions:
    """Answers every action with its name; `answers` overrides the body of one, `delay` makes all slow."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.answers: dict[str, Any] = {}
        self.status = 200
        self.delay = 0.0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.calls.append(call)
                fake.tokens.append(self.headers["Authorization"])
                time.sleep(fake.delay)
                reply = {"reply": {"text": call["next_action"], "cards": [], "choices": [], "detail": False}}
                normal = {"events": [], "responses": [{"custom": reply}]}
                # What rasa_sdk's own server does with an error: it sends the whole request back.
                body = fake.answers.get(call["next_action"], normal) if fake.status == 200 else {"request_body": call}
                raw = json.dumps(body).encode()
                self.send_response(fake.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        self.calls.clear()
        self.tokens.clear()
        self.answers.clear()
        self.status, self.delay = 200, 0.0

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class RasaProcess:
    """A real Rasa on a free port. `environment` adds to what it is started with."""

    def __init__(self, model: Path, actions_url: str, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/webhooks/gateway"
        self._log = log
        command = [
            *(str(PYTHON), "-m", "rasa", "run", "--model", str(model), "--interface", "127.0.0.1"),
            *("--port", str(self.port), "--endpoints", "endpoints.yml", "--credentials", "bot/credentials.yml"),
        ]
        env = {key: value for key, value in os.environ.items() if not key.startswith("NWD_")}
        env |= QUIET | {"LOG_LEVEL": "WARNING", "NWD_RASA_TOKEN": RASA_TOKEN, "NWD_ACTIONS_TOKEN": ACTIONS_TOKEN}
        env |= {"NWD_ACTIONS_URL": actions_url, "NWD_ENCODER_DIR": str(ROOT / ".build" / "minilm")}
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env | dict(environment or {}), stdout=out, stderr=out, start_new_session=True
            )

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()[-3000:]
            try:
                if httpx.get(f"{self.url}/ready", timeout=5.0, trust_env=False).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError("Rasa was not ready in time: " + self.log()[-3000:])

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(timeout=20)

    def post(self, body: object, token: str = RASA_TOKEN) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(f"{self.url}/message", json=body, headers=headers, timeout=30.0, trust_env=False)

    def say(self, text: str, sender: str = "e1", **more: Any) -> httpx.Response:
        return self.post({"sender": sender, "message_id": "m1", "text": text, "payload": None, "metadata": {}, **more})

    def press(self, payload: str, sender: str = "e1") -> httpx.Response:
        return self.say("", sender, payload=payload)


def is_current(model: Path) -> bool:
    """Whether the model was trained after everything it is made from was last changed."""
    inputs = [ROOT / "config.yml", ROOT / "domain.yml", ROOT / ".build" / "minilm" / "encoder.json"]
    inputs += [*(ROOT / "bot" / "data").rglob("*.yml"), *(ROOT / "bot" / "components").glob("*.py")]
    return model.exists() and all(path.stat().st_mtime <= model.stat().st_mtime for path in inputs)


@pytest.fixture(scope="session")
def rasa_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that set-up trained, or one trained here when the sources are newer."""
    if not PYTHON.exists() or not (ROOT / ".build" / "minilm" / "encoder.json").exists():
        pytest.skip("no Rasa environment or no encoder: run `make setup`")
    if is_current(BUILT):
        return BUILT
    out = tmp_path_factory.mktemp("rasa-model")
    command = [
        *(str(PYTHON), "-m", "rasa", "train", "--config", "config.yml", "--domain", "domain.yml"),
        *("--data", "bot/data", "--out", str(out), "--fixed-model-name", "current"),
    ]
    env = os.environ | QUIET | {"NWD_ENCODER_DIR": str(ROOT / ".build" / "minilm")}
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    return out / "current.tar.gz"


@pytest.fixture(scope="session")
def fake_actions_server() -> Iterator[FakeActions]:
    server = FakeActions()
    yield server
    server.close()


@pytest.fixture
def fake_actions(fake_actions_server: FakeActions) -> FakeActions:
    fake_actions_server.reset()
    return fake_actions_server


@pytest.fixture(scope="session")
def rasa(
    rasa_model: Path, fake_actions_server: FakeActions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RasaProcess]:
    """One Rasa for everybody, with the tracker store in its own memory. Use a sender of your own."""
    server = RasaProcess(rasa_model, fake_actions_server.url, tmp_path_factory.mktemp("rasa") / "log")
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
