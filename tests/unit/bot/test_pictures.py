"""The picture of the concern layers: what was measured, where it belongs."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.__main__ import main
from bot.concern.evaluating import evaluate
from bot.concern.layers import NoClassifier
from bot.pictures import COLOURS, LEFT, RIGHT, SHOWN, draw_layers

SVG = "{http://www.w3.org/2000/svg}"


def line(group: str, share: float | None = 0.5, **more: object) -> str:
    figures = {"raised": 1, "share": share, "low": 0.25, "high": 0.75}
    return json.dumps({"group": group, "n": 2, **dict.fromkeys(COLOURS, figures), **more})


def test_a_share_stands_where_the_scale_says() -> None:
    picture = ElementTree.fromstring(draw_layers([line("FOUND abuse now")]))
    places = {float(circle.attrib["cx"]) for circle in picture.iter(f"{SVG}circle") if circle.attrib["r"] == "4"}
    assert places == {(LEFT + RIGHT) / 2}


def test_each_group_has_its_name_and_count_and_its_aim() -> None:
    picture = draw_layers(map(line, SHOWN))
    assert all(f"{words} (2)" in picture for words, _ in SHOWN.values())
    assert picture.count("stroke-dasharray") == sum(aim is not None for _, aim in SHOWN.values())


@pytest.mark.parametrize("lines", [[], [line("found something (hard)")]], ids=["nothing", "a stratum"])
def test_what_is_not_shown_is_left_out(lines: list[str]) -> None:
    assert 'r="4"' not in draw_layers(lines)


def test_a_group_without_messages_has_its_name_alone() -> None:
    assert 'r="4"' not in draw_layers([line("FOUND abuse now", share=None)])


def test_it_is_drawn_from_the_lines_of_the_evaluation(tmp_path: Path) -> None:
    for name in ("positives", "negatives", "third_party"):
        row = {"text": "i want to die", "stratum": "suicide_explicit", "hard": False}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    lines = StringIO()
    evaluate(tmp_path, NoClassifier(), lines, as_json=True)
    drawn = draw_layers(lines.getvalue().splitlines())
    assert "suicide and self-harm found (1)" in drawn


def test_a_folder_that_is_not_there_draws_nothing(tmp_path: Path) -> None:
    picture = tmp_path / "concern.svg"
    assert main(["evaluate-concern", str(tmp_path / "none"), "--picture", str(picture)]) == 0
    assert not picture.exists()
