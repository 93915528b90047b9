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


@pytest.mark.parametrize("told", ["he reads my phone dont text me", "my husband can see my texts"])
async def test_whoever_is_hurt_and_says_that_he_reads_along_is_not_written_to_first(bench: Bench, told: str) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, "my partner hits me", told)
    assert await is_quiet(bench, messages)
    assert "We won't write first" in said(messages)[-1]
    messages = await talk(bench, "i need money for food")
    assert not any(RENT.name in text for text in said(messages))


async def test_both_in_the_first_message(bench: Bench) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, "my husband hits me and he goes through my phone every night")
    assert await is_quiet(bench, messages)
    assert "Is it safe to write here now?" in said(messages)[0]
    assert "No Wrong Door" not in said(await talk(bench, "what can i do about the rent"))[-1]


async def test_in_a_long_message_nothing_is_named(bench: Bench) -> None:
    bench.assistant.turn = LIST
    long = "we have no money for food this week and i need help with that but he always reads my messages so be careful"
    messages = await talk(bench, "my partner hits me", long)
    assert await is_quiet(bench, messages)
    assert not any(RENT.name in text for text in said(messages))
    assert "MORE" in said(messages)[-1]


async def test_reading_along_is_nothing_to_keep_quiet_about_where_nobody_is_hurt(bench: Bench) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, "cant pay my rent and my mum looks at my phone")
    assert not await is_quiet(bench, messages)
    assert any(RENT.name in text for text in said(messages))


async def test_whoever_says_that_it_is_safe_unasked_is_heard(bench: Bench) -> None:
    messages = await talk(bench, "my partner hits me", "hello", "its safe to text me")
    assert "You choose what happens next" in said(messages)[-1]
    assert not await is_quiet(bench, messages)


async def test_telling_of_more_is_no_yes_to_whether_it_is_safe(bench: Bench) -> None:
    messages = await talk(bench, "my partner hits me", "he punched me again last night and he wont stop")
    assert not said(messages)[-1].startswith("Good.")
