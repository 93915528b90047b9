"""What commands write where: JSON that is only JSON, and no complaint of a reader that has gone, as with `| head`."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from bot.__main__ import answer, build_parser
from bot.concern.layers import NoClassifier

UNREAD = 128 + 13
"""What a shell shows for cat and ls there."""


def run_unread(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command whose reader has gone before it begins."""
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [sys.executable, "-m", *command.split()]
    with os.fdopen(writer, "w") as unread:
        return subprocess.run(
            arguments, stdout=unread, stderr=subprocess.PIPE, text=True, env=os.environ | environment, check=False
        )


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("command", ["knowledge check", "knowledge export", "bot words", "channels doctor"])
def test_nothing_is_said_when_nobody_reads_on(tmp_path: Path, command: str, unbuffered: str) -> None:
    done = run_unread(command, NWD_DATA_DIR=str(tmp_path / "data"), PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (UNREAD, "")


@pytest.mark.parametrize("package", ["knowledge", "bot", "channels"])
def test_help_that_nobody_reads_on_is_no_complaint(package: str) -> None:
    assert run_unread(f"{package} --help", PYTHONUNBUFFERED="").stderr == ""


class Gone(io.StringIO):
    """A reader that has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_who_has_gone_is_no_fault_of_the_messages(tmp_path: Path) -> None:
    messages = tmp_path / "messages.jsonl"
    messages.write_text('{"id": "1", "text": "i feel low"}\n')
    with redirect_stdout(Gone()), pytest.raises(BrokenPipeError):
        answer(build_parser().parse_args(["concern", "--input", str(messages)]), NoClassifier())


@pytest.mark.parametrize(("package", "command"), [("knowledge", ["check", "--json"]), ("bot", ["words", "--json"])])
def test_what_is_logged_is_beside_the_json(package: str, command: list[str]) -> None:
    program = f"""
import structlog
from {package}.__main__ import main
main({command})
structlog.get_logger().warning("something")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "something" in done.stderr
    assert "something" not in done.stdout
