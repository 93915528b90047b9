"""The figures of channels/README.md with numbers that a test run can bear; NWD_TEST_PEOPLE asks for more people.

`python -m tests.bench.reliability` runs the same with larger numbers and prints them.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from channels.ledger import Ledger
from channels.settings import Settings
from tests.bench.reliability import SEED, run_ambiguous, run_crowd, run_forgeries, run_outage
from tests.bench.rig import open_rig

PEOPLE = int(os.environ.get("NWD_TEST_PEOPLE", "30"))
LINES = 4

pytestmark = pytest.mark.chaos


@pytest.fixture
def settings(settings: Settings, migrated_sqlite: Path, ledger: Ledger) -> Settings:
    """Settings whose ledger has tables."""
    return settings


async def test_a_shuffled_and_repeated_crowd_with_forgers_among_it_is_answered_once_each_and_in_order(
    settings: Settings, valkey_url: str
) -> None:
    async with open_rig(settings, valkey_url, SEED) as rig:
        crowd, forged = await asyncio.gather(run_crowd(rig, PEOPLE, LINES), run_forgeries(rig, 100))
    assert crowd.worst == dict.fromkeys(crowd.worst, 0)
    assert crowd.texts == PEOPLE * LINES
    assert crowd.requests > crowd.texts * 1.1
    assert crowd.receipts > crowd.texts
    assert (forged.accepted, forged.stored) == (0, 0)


async def test_a_minute_without_any_gateway_is_made_up_for_by_one_look(settings: Settings, valkey_url: str) -> None:
    async with open_rig(settings, valkey_url, SEED, gateways=0) as rig:
        outage = await run_outage(rig, PEOPLE, LINES)
    assert (outage.lost, outage.answered_twice, outage.out_of_order) == (0, 0, 0)
    assert outage.texts == PEOPLE * LINES


async def test_what_twilio_took_before_the_connection_broke_is_not_sent_again(
    settings: Settings, valkey_url: str
) -> None:
    async with open_rig(settings, valkey_url, SEED, gateways=0) as rig:
        cut = await run_ambiguous(rig, 10)
    assert (cut.sends, cut.lost, cut.arrived_twice) == (10, 0, 0)
