"""A real Rasa and a small action server, as processes that a test can start, ask and stop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

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
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # Rasa may have stopped waiting
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
        # A client is dear to make and most tests ask several times.
        self._client = httpx.Client(timeout=30.0, trust_env=False)
        command = [
            *(str(PYTHON), "-m", "rasa", "run", "--model", str(model), "--interface", "127.0.0.1"),
            *("--port", str(self.port), "--endpoints", "endpoints.yml", "--credentials", "bot/credentials.yml"),
        ]
        # Rasa must be allowed to keep its bytecode, or each start compiles TensorFlow again.
        left_out = ("NWD_", "PYTHONDONTWRITEBYTECODE")
        env = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        env |= QUIET | {"LOG_LEVEL": "WARNING", "NWD_RASA_TOKEN": RASA_TOKEN, "NWD_ACTIONS_TOKEN": ACTIONS_TOKEN}
        env |= {"NWD_ACTIONS_URL": actions_url, "NWD_ENCODER_DIR": str(ROOT / ".build" / "minilm")}
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env | dict(environment or {}), stdout=out, stderr=out, start_new_session=True
            )

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_answer(self) -> httpx.Response:
        """The first answer of the ready address, whatever it says."""
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()[-3000:]
            try:
                return self._client.get(f"{self.url}/ready")
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError("Rasa does not answer: " + self.log()[-3000:])

    def wait_ready(self) -> None:
        """The model is loaded before the port is opened, so that the first answer is the verdict."""
        response = self.wait_answer()
        assert response.status_code == httpx.codes.OK, response.text + self.log()[-3000:]

    def stop(self) -> None:
        self._client.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(timeout=20)

    def post(self, body: object, token: str = RASA_TOKEN) -> httpx.Response:
        return self._client.post(f"{self.url}/message", json=body, headers={"Authorization": f"Bearer {token}"})

    def say(self, text: str, sender: str = "e1", **more: Any) -> httpx.Response:
        return self.post({"sender": sender, "message_id": "m1", "text": text, "payload": None, "metadata": {}, **more})

    def press(self, payload: str, sender: str = "e1") -> httpx.Response:
        return self.say("", sender, payload=payload)
