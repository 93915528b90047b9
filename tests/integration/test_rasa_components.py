"""Each check of tests/rasa/check_components.py as a test; they run once, inside Rasa's own interpreter."""

from __future__ import annotations

import ast
import json
import os
import subprocess

import pytest

from tests.rasa_server import PYTHON, QUIET, ROOT

pytestmark = pytest.mark.rasa

SCRIPT = ROOT / "tests" / "rasa" / "check_components.py"
CHECKS = [
    node.name
    for node in ast.parse(SCRIPT.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")
]


@pytest.fixture(scope="module")
def report() -> dict[str, str | None]:
    if not PYTHON.exists():
        pytest.skip("no Rasa environment: run `make setup`")
    env = {key: value for key, value in os.environ.items() if not key.startswith("NWD_")} | QUIET
    command = [str(PYTHON), "-m", "tests.rasa.check_components"]
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, str | None] = json.loads(run.stdout.splitlines()[-1])
    assert sorted(found) == sorted(CHECKS)
    return found


@pytest.mark.parametrize("check", CHECKS)
def test_inside_rasa(report: dict[str, str | None], check: str) -> None:
    assert report[check] is None, report[check]
