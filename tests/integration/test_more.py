"""A long answer by text message: one text, and the rest for whoever asks for it."""

from __future__ import annotations

import pytest

from channels.conversation import Channel, Choice, Reply, Turn
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from tests.worker_builders import RENT, WORDING, Bench, said, talk

HINT = WORDING.say("reply_more")
MORE = Choice(title="Show me more", payload="more")
SENTENCES = [f"This is sentence number {number} of what there is to say about the rent." for number in range(40)]
LONG = Turn(replies=(Reply(text=" ".join(SENTENCES[:6]), cards=(RENT,), choices=(MORE,)),))
ENDLESS = Turn(replies=(Reply(text=" ".join(SENTENCES)),))


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


@pytest.mark.parametrize("word", ["MORE", "more", "More please", "go on", "the rest."])
async def test_more_brings_the_rest_and_the_assistant_is_not_asked(bench: Bench, word: str) -> None:
    bench.assistant.turn = LONG
    messages = await talk(bench, "my rent", word)
    first, rest = said(messages)[1], said(messages)[2:]
    assert first.endswith(HINT)
    card = f"1 {RENT.name} {RENT.phone}"
    assert card in first, "the services are never what waits"
    told = " ".join([first.removesuffix(HINT).replace(card, ""), *rest])
    assert told.split()[: len(" ".join(SENTENCES[:6]).split())] == (" ".join(SENTENCES[:6]).split())
    assert [asked["text"] for asked in bench.assistant.asked] == ["my rent"]
    assert all(len(text) <= 306 for text in bench.sms.texts)


async def test_the_rest_first_then_more_of_what_there_is(bench: Bench) -> None:
    bench.assistant.turn = LONG
    await talk(bench, "my rent", "MORE", "Show me more")
    assert [asked["payload"] for asked in bench.assistant.asked] == [None, "more"]


async def test_more_again_after_the_rest_is_the_choice(bench: Bench) -> None:
    bench.assistant.turn = LONG
    await talk(bench, "my rent", "MORE", "MORE")
    assert [asked["payload"] for asked in bench.assistant.asked] == [None, "more"]


async def test_numbers_still_work_after_the_rest(bench: Bench) -> None:
    bench.assistant.turn = LONG
    await talk(bench, "my rent", "MORE", "1")
    assert bench.assistant.asked[-1]["payload"] == "details:svc-rent"


async def test_a_very_long_rest_comes_in_portions(bench: Bench) -> None:
    bench.assistant.turn = ENDLESS
    messages = await talk(bench, "tell me", "more", "the rest", "more", "go on")
    texts = [text.removesuffix(HINT) for text in said(messages)[1:]]
    assert " ".join(texts).split() == " ".join(SENTENCES).split()
    assert [asked["text"] for asked in bench.assistant.asked] == ["tell me"]


async def test_after_other_words_more_is_a_word_like_any_other(bench: Bench) -> None:
    bench.assistant.turn = LONG
    await talk(bench, "my rent")
    bench.assistant.turn = None
    await talk(bench, "thanks", "more")
    assert [asked["payload"] for asked in bench.assistant.asked] == [None, None, "more"]


async def test_with_nothing_kept_back_more_goes_to_the_assistant(bench: Bench) -> None:
    await talk(bench, "hello", "more")
    assert [asked["text"] for asked in bench.assistant.asked] == ["hello", "more"]


async def test_elsewhere_nothing_is_cut(bench: Bench) -> None:
    bench.assistant.turn = ENDLESS
    messages = await talk(bench, "tell me", channel=Channel.TELEGRAM, address="4711")
    assert not any(message.rest for message in messages)
    assert SENTENCES[-1] in " ".join(said(messages))


async def test_the_rest_is_erased_with_everything_else(bench: Bench) -> None:
    bench.assistant.turn = ENDLESS
    messages = await talk(bench, "tell me")
    assert any(message.rest for message in messages)
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    await bench.ledger.forget(conversation.person_id)
    assert not any(message.rest for message in await bench.ledger.messages(conversation.id))
