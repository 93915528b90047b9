"""Set-up: interpreters that only pretend, stamps that notice every change, messages that say what to type."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import bootstrap


def write_program(path: Path, script: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "answers"),
    [
        pytest.param(f'exec "{sys.executable}" "$@"', True, id="a real interpreter"),
        pytest.param('echo "pyenv: python3.10: command not found" >&2; exit 127', False, id="a shim that fails"),
        pytest.param("echo 2.7", False, id="too old"),
        pytest.param("exit 0", False, id="says nothing"),
    ],
)
def test_an_interpreter_has_to_prove_itself(tmp_path: Path, script: str, answers: bool) -> None:
    assert bootstrap.answers_as([write_program(tmp_path / "python3.x", script)], (3, 10), (3, 99)) is answers


def test_a_missing_interpreter_is_named_with_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PATH", "PYENV_ROOT", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(bootstrap.SetupFailed) as failure:
        bootstrap.find_interpreter((4,), "NWD_PYTHON310")
    assert "uv python install 3.4" in str(failure.value)
    assert "NWD_PYTHON310=" in str(failure.value)


def test_the_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NWD_PYTHON311", sys.executable)
    assert bootstrap.find_interpreter((sys.version_info[1],), "NWD_PYTHON311") == sys.executable


def test_a_digest_changes_with_content_name_and_string(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.yml").write_text("one")
    first = bootstrap.digest(folder, "x")
    assert bootstrap.digest(folder, "x") == first
    assert bootstrap.digest(folder, "y") != first
    (folder / "a.yml").write_text("two")
    changed = bootstrap.digest(folder, "x")
    assert changed != first
    (folder / "a.yml").rename(folder / "b.yml")
    assert bootstrap.digest(folder, "x") not in {first, changed}


def test_a_step_runs_once_for_the_same_input(tmp_path: Path) -> None:
    stamps, result = tmp_path / "stamps.json", tmp_path / "result"
    runs: list[str] = []

    def act() -> None:
        runs.append("ran")
        result.touch()

    assert bootstrap.step("training", "hash", stamps, result.exists, act)
    assert not bootstrap.step("training", "hash", stamps, result.exists, act)
    assert bootstrap.step("training", "other hash", stamps, result.exists, act)
    result.unlink()
    assert bootstrap.step("training", "other hash", stamps, result.exists, act), "the result is gone: do it again"
    assert len(runs) == 3


def test_a_failed_step_is_not_stamped(tmp_path: Path) -> None:
    def fail() -> None:
        raise bootstrap.SetupFailed("no")

    with pytest.raises(bootstrap.SetupFailed):
        bootstrap.step("training", "hash", tmp_path / "stamps.json", lambda: True, fail)
    assert bootstrap.read_stamps(tmp_path / "stamps.json") == {}


def test_a_failing_command_shows_its_last_lines_and_the_full_disk(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    log.write_text("line 1\nOSError: [Errno 28] No space left on device\n")

    class Ended:
        def wait(self) -> int:
            return 1

    with pytest.raises(bootstrap.SetupFailed) as failure:
        bootstrap.finish(Ended(), log, "Installing")
    assert "No space left" in str(failure.value)
    assert "NWD_DATA_DIR" in str(failure.value)


def test_versions_come_from_the_lock_file() -> None:
    assert bootstrap.locked_version("torch")
    with pytest.raises(bootstrap.SetupFailed, match="make lock"):
        bootstrap.locked_version("no-such-package")
