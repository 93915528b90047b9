"""The measures, worked out by hand."""

from __future__ import annotations

import math

import pytest

from knowledge.evaluate import measure

GRADES = {"a": 2, "b": 2, "c": 1}
IDEAL = 2 + 2 / math.log2(3) + 1 / 2


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        pytest.param(["a", "b", "c"], (1.0, 1.0, 1.0, 1.0), id="perfect"),
        pytest.param(["x", "a", "y"], (2 / math.log2(3) / IDEAL, 1.0, 0.5, 0.5), id="one, second"),
        pytest.param(["c", "x", "y", "b"], ((1 + 2 / math.log2(5)) / IDEAL, 0.0, 0.0, 0.25), id="partly first"),
        pytest.param(["x"] * 5 + ["a"], (0.0, 0.0, 0.0, 1 / 6), id="too late for five"),
        pytest.param(["x"] * 10 + ["a"], (0.0, 0.0, 0.0, 0.0), id="too late for ten"),
        pytest.param([], (0.0, 0.0, 0.0, 0.0), id="nothing found"),
    ],
)
def test_measures(ranked: list[str], expected: tuple[float, ...]) -> None:
    assert measure(ranked, GRADES) == pytest.approx(expected)


def test_nothing_to_find_is_zero() -> None:
    assert measure(["a"], {}) == (0.0, 0.0, 0.0, 0.0)
