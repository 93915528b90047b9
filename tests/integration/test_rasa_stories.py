"""Whole conversations through the trained model: understanding and rules together."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.rasa_server import PYTHON, QUIET, ROOT

pytest_plugins = ["tests.rasa_fixtures"]
pytestmark = pytest.mark.rasa


def test_every_story_goes_as_written(rasa_model: Path, tmp_path: Path) -> None:
    command = [
        *(str(PYTHON), "-m", "rasa", "test", "core", "--model", str(rasa_model)),
        *("--stories", "tests/rasa/test_stories.yml", "--out", str(tmp_path), "--fail-on-prediction-errors"),
    ]
    env = os.environ | QUIET | {"NWD_ENCODER_DIR": str(ROOT / ".build" / "minilm"), "MPLBACKEND": "Agg"}
    # The stories run no action, but Rasa reads the file that says where the action server is.
    env |= {"NWD_ACTIONS_URL": "http://127.0.0.1:9", "NWD_ACTIONS_TOKEN": "unused"}
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    failed = tmp_path / "failed_test_stories.yml"
    assert run.returncode == 0, (failed.read_text() if failed.exists() else "") + run.stderr[-3000:]
    assert "None of the test stories failed" in failed.read_text() if failed.exists() else True
