"""Rasa's validator exits 0 with warnings; ours does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.checks import find_problems, main, read_said_by_actions


@pytest.mark.parametrize(
    ("line", "is_problem"),
    [
        pytest.param("UserWarning: The intent 'greet' is not used in any story or rule.", True, id="a warning"),
        pytest.param("2026-11-01 09:00:00 ERROR rasa.validator - no", True, id="an error"),
        pytest.param("2026-11-01 09:00:00 INFO rasa.validator - No story structure conflicts found.", False, id="fine"),
    ],
)
def test_lines_that_name_a_problem(line: str, is_problem: bool) -> None:
    assert bool(find_problems(line)) is is_problem


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param("exit 0", 0, id="clean"),
        pytest.param("echo 'UserWarning: unused intent'; exit 0", 1, id="warns but exits 0, as Rasa does"),
        pytest.param("exit 1", 1, id="fails"),
    ],
)
def test_exit_code(tmp_path: Path, script: str, code: int) -> None:
    program = tmp_path / "rasa"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert main([str(program)]) == code


def test_a_response_that_an_action_says_is_used() -> None:
    line = "UserWarning: The utterance 'utter_{}' is not used in any story or rule."
    assert find_problems(line.format("greet"), frozenset({"utter_greet"})) == []
    assert find_problems(line.format("gone"), frozenset({"utter_greet"})) != []
    assert "utter_greet" in read_said_by_actions()
