"""How much of a source has been read: known for files, not for feeds."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from knowledge.exchange.documents import read_document
from knowledge.exchange.meter import Meter, count_lines

EXAMPLES = Path(__file__).parents[3] / "data" / "open_referral_uk"


def test_nobody_knows_how_much_there_is_until_it_is_said() -> None:
    assert Meter().share is None


def test_the_share_grows_with_what_was_read_and_never_beyond_the_whole() -> None:
    meter = Meter(total=10)
    text = meter.watch(io.StringIO("0123456789 and more"))
    assert (text.read(4), meter.share) == ("0123", pytest.approx(0.4))
    text.read(100)
    assert meter.share == 1.0


def test_a_document_has_been_read_whole_in_the_end() -> None:
    path = EXAMPLES / "service_list_31.json"
    meter = Meter(total=path.stat().st_size)
    assert list(read_document(path, path.name, meter=meter))
    assert meter.share == pytest.approx(1.0, abs=0.01)


def test_rows_of_a_table_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("name\nLunch\nDinner\n", encoding="utf-8")
    meter = Meter(total=count_lines(path))
    assert list(meter.count(iter(["Lunch", "Dinner"]))) == ["Lunch", "Dinner"]
    assert meter.share == pytest.approx(2 / 3)
