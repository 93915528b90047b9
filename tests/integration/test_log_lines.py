"""Logs are one JSON object a line, whatever comes from outside: no line can be forged, no terminal be written to."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from channels.logs import set_up_logs

FORGED = [
    pytest.param('x\n{"event": "signed_in", "level": "info"}', id="a line of its own"),
    pytest.param("x\r\nWARNING forged", id="CR and LF"),
    pytest.param("\x1b[2J\x1b[31mred\x1b]0;title\x07", id="a terminal's orders"),
    pytest.param("x\u2028y\u2029z\x85", id="the other line ends"),
    pytest.param('","event":"forged","a":"', id="out of its quotes"),
    pytest.param("\x00\x08\x7f", id="NUL, backspace and delete"),
    pytest.param("\ud800", id="half a surrogate pair"),
]


@pytest.fixture
def logs() -> Iterator[None]:
    before, levels = structlog.get_config(), {name: logging.getLogger(name).level for name in ("httpx", "telegram")}
    yield
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("hostile", FORGED)
def test_what_comes_from_outside_stays_in_its_field(
    logs: None, capsys: pytest.CaptureFixture[str], hostile: str
) -> None:
    set_up_logs("test")
    structlog.get_logger().warning("forgery_refused", provider_id=hostile, **{"status": 403})
    try:
        raise ValueError(hostile)
    except ValueError:
        structlog.get_logger().exception("work_broke_off", conversation_id=hostile)
    written = capsys.readouterr().err
    lines = written.rstrip("\n").split("\n")
    assert [json.loads(line)["event"] for line in lines] == ["forgery_refused", "work_broke_off"]
    assert json.loads(lines[0])["provider_id"] == hostile
    assert all(letter == "\n" or " " <= letter <= "~" for letter in written), "printable letters only"


def test_a_field_that_could_hold_words_is_dropped_and_named(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("test")
    structlog.get_logger().info("stored", text="my rent", phone="+447700900123", message_id="m1")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["dropped_fields"] == ["phone", "text"]
    assert "rent" not in line
    assert "447700" not in line
