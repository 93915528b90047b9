"""Delivery states: whatever order the news comes in, everybody ends with the same one."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.conversation import Delivery
from channels.ledger.delivery import Known, forward

SENT, DELIVERED = Known(Delivery.SENT), Known(Delivery.DELIVERED)
FAILED, REFUSED = Known(Delivery.FAILED, "30003"), Known(Delivery.FAILED, "30007")
news = st.lists(
    st.builds(Known, st.sampled_from([state for state in Delivery if state is not Delivery.FAILED]))
    | st.builds(Known, st.just(Delivery.FAILED), st.sampled_from(["30003", "30005", "30008"])),
    max_size=6,
)


@given(news.flatmap(lambda items: st.tuples(st.permutations(items), st.permutations(items))))
def test_order_never_matters(orders: tuple[list[Known], list[Known]]) -> None:
    one, other = orders
    assert reduce(forward, one, SENT) == reduce(forward, other, SENT)


@given(news)
def test_hearing_it_twice_changes_nothing(items: list[Known]) -> None:
    assert reduce(forward, items + items, SENT) == reduce(forward, items, SENT)


@pytest.mark.parametrize(
    ("known", "heard", "then"),
    [
        pytest.param(SENT, DELIVERED, DELIVERED, id="sent, then delivered"),
        pytest.param(DELIVERED, SENT, DELIVERED, id="a late sent changes nothing"),
        pytest.param(SENT, FAILED, FAILED, id="sent, then failed keeps the code"),
        pytest.param(FAILED, SENT, FAILED, id="a late sent does not revive it"),
        pytest.param(FAILED, DELIVERED, DELIVERED, id="it did arrive, so the code goes"),
        pytest.param(FAILED, REFUSED, REFUSED, id="of two codes always the same one"),
    ],
)
def test_what_counts(known: Known, heard: Known, then: Known) -> None:
    assert forward(known, heard) == then
    assert forward(heard, known) == then
