"""Conversations of every kind, played against the whole product and judged by rules on every message of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conversations.judging import Judge, load_scripts
from tests.conversations.playing import play_all
from tests.e2e.conftest import Product, run_product

pytestmark = pytest.mark.stack
MOST_AMISS = 5
"""Conversations in which a rule about understanding may still be broken; those about safety hold in every one."""
ALWAYS = (
    "silence",
    "nobody to reach",
    "reserved word",
    "too long",
    "a flood",
    "the place asked",
    "cannot_help",
    "not_eligible",
    "label",
    "pact",
)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A copy of its own: everybody in these conversations stays in the queue, before whoever comes next."""
    yield from run_product(tmp_path_factory.mktemp("conversations"))


def test_there_are_forty_at_least_over_all_kinds() -> None:
    kinds = Counter(script.kind for script in load_scripts())
    assert sum(kinds.values()) >= 40
    assert len(kinds) >= 10
    assert min(kinds.values()) >= 4


async def test_nobody_is_turned_away_in_any_of_them(product: Product) -> None:
    judge = Judge.build()
    found = {one.script.id: judge.judge(one) for one in await play_all(product.data_dir, load_scripts())}
    assert not {name: rules for name, rules in found.items() if any(rule.startswith(ALWAYS) for rule in rules)}
    assert len([name for name, rules in found.items() if rules]) <= MOST_AMISS, found
