"""A real Rasa, for a test module with `pytest_plugins = ["tests.rasa_fixtures"]`.

One Rasa serves all tests that only talk to it; a test that breaks something starts its own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rasa_server import BUILT, PYTHON, QUIET, ROOT, FakeActions, RasaProcess


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
