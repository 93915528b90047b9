"""Whoever says ok to hearing that they wait is told that their place is kept, and not asked cheerfully what is next."""

from __future__ import annotations

import pytest

from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from tests.worker_builders import LIST, WORDING, Bench, said, talk

KEPT = WORDING.say("waiting_noted", line="").partition(",")[0]


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


@pytest.mark.parametrize("text", ["ok", "OK thanks", "\U0001f44d", "\U0001f64f\U0001f3fd", "iawn"])
async def test_a_bare_ok_while_waiting_is_met_as_that(bench: Bench, text: str) -> None:
    messages = await talk(bench, "person", text)
    assert said(messages)[-1].startswith(KEPT)
    assert not bench.assistant.asked


async def test_where_something_was_offered_ok_is_for_the_assistant(bench: Bench) -> None:
    bench.assistant.turn = LIST
    await talk(bench, "person", "i need food for the kids", "ok")
    assert [asked["text"] for asked in bench.assistant.asked] == ["i need food for the kids", "ok"]


async def test_nobody_waits_so_ok_is_for_the_assistant(bench: Bench) -> None:
    await talk(bench, "ok")
    assert [asked["text"] for asked in bench.assistant.asked] == ["ok"]
