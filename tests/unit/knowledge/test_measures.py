"""The measures, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from knowledge.measures import MEASURES, Query, measure, need_rows, reliability, services_by_need, summarise

QUERY = Query(id="q", text="x", needs=("rent", "food"), direct=frozenset({"a", "b"}), partly=frozenset({"c"}))
BY_NEED = {"rent": frozenset({"a"}), "food": frozenset({"b", "z"})}
IDEAL = 3 + 3 / math.log2(3) + 1 / 2


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        pytest.param(["a", "b", "c"], (1.0, 1.0, 1.0, 1.0), id="perfect"),
        pytest.param(["x", "a", "y"], (3 / math.log2(3) / IDEAL, 1.0, 1.0, 0.5), id="one need of two"),
        pytest.param(["c", "x", "y", "b"], ((1 + 3 / math.log2(5)) / IDEAL, 0.0, 1.0, 0.5), id="partly first"),
        pytest.param(["x"] * 5 + ["a"], (3 / math.log2(7) / IDEAL, 0.0, 0.0, 0.5), id="too late for five"),
        pytest.param(["x"] * 10 + ["a"], (0.0, 0.0, 0.0, 0.0), id="too late for ten"),
        pytest.param([], (0.0, 0.0, 0.0, 0.0), id="nothing found"),
    ],
)
def test_measures_of_one_message(ranked: list[str], expected: tuple[float, ...]) -> None:
    assert measure(ranked, QUERY, BY_NEED) == pytest.approx(expected)


def test_nothing_to_find_is_zero() -> None:
    assert measure(["a"], Query(id="q", text="x"), {}) == (0.0, 0.0, 0.0, 0.0)


def test_a_message_without_needs_is_covered_by_any_direct_service() -> None:
    assert measure(["a"], Query(id="q", text="x", direct=frozenset({"a"})), {})[3] == 1.0


def test_a_need_that_never_comes_alone_is_what_its_messages_share() -> None:
    queries = [
        Query(id="1", text="x", needs=("rent",), direct=frozenset({"r"})),
        Query(id="2", text="x", needs=("rent", "coat"), direct=frozenset({"r", "c"})),
        Query(id="3", text="x", needs=("food", "coat"), direct=frozenset({"f", "c"})),
    ]
    assert services_by_need(queries) == {"rent": {"r"}, "coat": {"c"}, "food": {"f", "c"}}


def test_macro_counts_needs_alike_and_sms_counts_short_messages() -> None:
    queries = [Query(id="1", text="x", needs=("rent",)), Query(id="2", text="x", needs=("rent",))]
    queries.append(Query(id="3", text="x" * 161, needs=("food",)))
    values = np.array([[1.0, 1, 1, 1], [0.5, 0, 1, 0], [0.0, 0, 0, 0]])
    scores = summarise(values, queries)
    assert tuple(scores) == MEASURES
    assert scores["ndcg@10"].mean == pytest.approx(0.5)
    assert scores["macro_ndcg@10"].mean == pytest.approx((0.75 + 0.0) / 2)
    assert scores["sms_ndcg@10"].mean == pytest.approx(0.75)
    assert all(score.low <= score.mean <= score.high for score in scores.values())
    assert need_rows(values, queries) == {"rent": (2, 0.75), "food": (1, 0.0)}


def test_reliability_is_the_share_that_serves_for_each_word() -> None:
    firsts = [("good", True), ("wider", False), ("good", False), ("maybe", True)]
    assert reliability(firsts) == {"good": (2, 0.5), "maybe": (1, 1.0), "wider": (1, 0.0)}
