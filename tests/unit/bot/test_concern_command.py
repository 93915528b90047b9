"""`python -m bot concern`: every line answered, in order, and nothing else said."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.concern.command import TOGETHER, answer_file
from bot.concern.layers import NoClassifier
from channels.conversation import Concern


class SureOf:
    """A classifier that is sure of one kind, whatever it reads."""

    def __init__(self, concern: Concern) -> None:
        self._concern = concern

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]:
        return [{self._concern: "reads like it"} for _ in texts]


def answer(path: Path, *lines: object, classifier: Any = None) -> tuple[int, list[dict[str, Any]]]:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in raw))
    out = io.StringIO()
    code = answer_file(path, classifier or NoClassifier(), out, as_json=True)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_line_is_answered_in_order(tmp_path: Path) -> None:
    lines = [
        {"id": f"m{n}", "text": "i want to die" if n % 2 else "where is the food bank"} for n in range(TOGETHER + 3)
    ]
    code, answers = answer(tmp_path / "in.jsonl", *lines)
    assert code == 0
    assert [one["id"] for one in answers] == [line["id"] for line in lines]
    assert answers[0] == {"id": "m0", "kinds": [], "layer": [], "reasons": []}
    assert answers[1] == {
        "id": "m1", "kinds": ["suicide"], "layer": ["patterns"], "reasons": ["talks about wanting to die"],
    }  # fmt: skip


def test_the_layers_add_up_and_the_pattern_gives_the_reason(tmp_path: Path) -> None:
    said = {"id": 1, "text": "i want to die"}
    _, (both,) = answer(tmp_path / "in.jsonl", said, classifier=SureOf(Concern.SUICIDE))
    assert (both["layer"], both["reasons"]) == (["both"], ["talks about wanting to die"])
    _, (added,) = answer(tmp_path / "in.jsonl", said, classifier=SureOf(Concern.ABUSE))
    assert added["kinds"] == ["suicide", "abuse"]
    assert added["layer"] == ["patterns", "classifier"]
    assert added["reasons"][1] == "reads like it"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(b"{nope", "not JSON", id="not JSON"),
        pytest.param(b"", "not JSON", id="an empty line"),
        pytest.param(b'{"id": 1, "text": "\xff"}', "not JSON", id="not UTF-8"),
        pytest.param(["a"], "not an object", id="a list"),
        pytest.param({"text": "hi"}, "id is missing", id="no id"),
        pytest.param({"id": True, "text": "hi"}, "id is missing", id="an id that is yes or no"),
        pytest.param({"id": 1}, "text is missing", id="no text"),
        pytest.param({"id": 1, "text": 7}, "text is missing", id="a number for a text"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_answered(tmp_path: Path, line: object, said: str) -> None:
    code, answers = answer(tmp_path / "in.jsonl", {"id": "a", "text": "hello"}, line, {"id": "b", "text": "hello"})
    assert code == 1
    assert [one.get("id") for one in answers[::2]] == ["a", "b"]
    assert answers[1]["line"] == 2
    assert said in answers[1]["error"]


@pytest.mark.parametrize("text", ["", "   ", "\ud83d", "\u0000", "i want to \ud83d die", "a" * 50_000, "\u2028x\u2029"])
def test_a_strange_text_is_answered(tmp_path: Path, text: str) -> None:
    code, answers = answer(tmp_path / "in.jsonl", {"id": "strange", "text": text})
    assert (code, answers[0]["id"]) == (0, "strange")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["concern", "--input", str(tmp_path / "none.jsonl")]) == 2
    said = capsys.readouterr()
    assert "none.jsonl" in said.err
    assert said.out == ""


def test_without_json_a_line_is_words(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "x", "text": "i want to die"}\n{"id": "y", "text": "hello"}\n')
    out = io.StringIO()
    assert answer_file(path, NoClassifier(), out, as_json=False) == 0
    assert out.getvalue() == "x: suicide (talks about wanting to die, patterns)\ny: no concern\n"
