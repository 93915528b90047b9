"""Somebody who said that writing is not safe says that it is again, and what was found for them is kept meanwhile."""

from __future__ import annotations

import pytest

from channels.ledger import Ledger
from channels.ledger.records import MessageRecord
from channels.settings import Settings
from channels.streams import Streams
from tests.worker_builders import LIST, RENT, Bench, said, talk

UNSAFE_NOW = ("my partner hits me", "no he reads my phone")


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def is_quiet(bench: Bench, messages: list[MessageRecord]) -> bool:
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    return (await bench.ledger.person(conversation.person_id)).do_not_text_first


@pytest.mark.parametrize("text", ["its safe now", "you can txt me again", "hes gone now, safe to write"])
async def test_whoever_says_that_it_is_safe_is_written_to_again_and_told_how_to_end_it(bench: Bench, text: str) -> None:
    assert await is_quiet(bench, await talk(bench, *UNSAFE_NOW))
    messages = await talk(bench, text)
    assert not await is_quiet(bench, messages)
    assert "NOT SAFE" in said(messages)[-1]
    assert await is_quiet(bench, await talk(bench, "not safe"))


async def test_in_doubt_they_are_asked_once_and_only_yes_is_one(bench: Bench) -> None:
    asked = said(await talk(bench, *UNSAFE_NOW, "hes gone now"))[-1]
    assert "Is it OK to write to you here again?" in asked
    messages = await talk(bench, "no")
    assert await is_quiet(bench, messages)
    assert said(await talk(bench, "im alone now"))[-1] != asked, "not asked again"
    assert await is_quiet(bench, messages)


async def test_a_yes_to_that_question_ends_it(bench: Bench) -> None:
    messages = await talk(bench, *UNSAFE_NOW, "hes moved out", "yes it is")
    assert not await is_quiet(bench, messages)


async def test_what_is_kept_is_not_said_in_the_same_words_each_time(bench: Bench) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, *UNSAFE_NOW, "need food", "and a solicitor", "what about school")
    kept = [text for text in said(messages) if "reply MORE" in text or "Reply MORE" in text]
    assert len(kept) == len(set(kept)) == 3
    assert not any(RENT.name in text for text in kept)
