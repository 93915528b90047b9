"""Figures of understanding, as words and as a picture."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from bot.nlu_report import draw_confusion, interval, measure, write_report

ROOT = Path(__file__).resolve().parents[3]
HELD_BACK = sorted((ROOT / "bot" / "held_back").glob("*.yml"))


def test_an_interval_holds_the_share_and_narrows_with_more() -> None:
    low, high = interval(95, 100)
    assert low == pytest.approx(0.888, abs=0.001)
    assert high == pytest.approx(0.978, abs=0.001)
    assert interval(950, 1000)[0] > low
    assert interval(0, 0) == (0.0, 1.0)


def test_a_line_for_each_set() -> None:
    out = io.StringIO()
    counted = {"name": "held", "count": 100, "right_action": 95, "right_intent": 90}
    write_report({"threshold": 0.4, "lead": 0.1, "sets": [counted]}, out)
    assert "held (100); right action 0.950 [0.888, 0.978]; right intent 0.900" in out.getvalue()


def test_the_picture_is_a_square_of_cells() -> None:
    picture = ET.fromstring(draw_confusion({"yes": {"yes": 9, "no": 1}, "no": {"no": 5}}, "title"))
    assert len(picture.findall("{http://www.w3.org/2000/svg}rect")) == 1 + 4


def test_without_rasas_environment_it_says_so() -> None:
    with pytest.raises(OSError, match="nowhere"):
        measure(Path("/nowhere/python"))


@pytest.mark.parametrize("path", HELD_BACK, ids=lambda path: path.stem)
def test_held_back_messages_are_of_every_intent_and_most_are_no_examples(path: Path) -> None:
    """The few that are examples word for word are left out when it is measured."""
    trained = {
        line.strip()[2:].strip().lower()
        for file in (ROOT / "bot" / "data" / "nlu").glob("*.yml")
        for block in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
        for line in block["examples"].splitlines()
    }
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["intents"]
    assert set(body) == {each if isinstance(each, str) else next(iter(each)) for each in domain}
    texts = [str(text) for texts in body.values() for text in texts]
    assert len([text for text in texts if text.lower() in trained]) <= len(texts) / 6
