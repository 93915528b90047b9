"""One thought in several messages gets one answer, and whatever stands by itself is never kept waiting for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.conversation import Channel, Concern, Sender
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord, Stored
from channels.pieces import Pieces
from channels.settings import Settings
from channels.streams import Streams
from tests.integration.serving import eventually
from tests.worker_builders import LIST, WORDING, Bench, said

FOR_EVER = 3600.0
"""Seconds of a hold that no test waits out: what is answered in spite of it was not held."""
RENT = ["hi", "its my landlord", "hes", "chucking us out", "friday"]
TOGETHER = "its my landlord hes chucking us out friday"


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


@asynccontextmanager
async def holding(bench: Bench, seconds: float) -> AsyncIterator[None]:
    async with bench.working(pieces=Pieces.load(seconds)):
        yield


async def burst(bench: Bench, *texts: str, channel: Channel = Channel.SMS, hold: float = 0.0) -> list[MessageRecord]:
    """Everything has arrived before anybody looks."""
    stored: list[Stored] = [await bench.store(text, channel=channel) for text in texts]
    async with holding(bench, hold):
        await bench.streams.announce_inbound(stored[0].shard, stored[0].conversation_id)
        return await bench.until_quiet(stored[0].conversation_id)


def outcomes(messages: list[MessageRecord]) -> list[str]:
    return [message.outcome for message in messages if message.sender is Sender.PERSON]


def asked(bench: Bench) -> list[str]:
    return [each["text"] for each in bench.assistant.asked]


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.TELEGRAM, Channel.WEB])
async def test_what_is_waiting_is_answered_as_one(bench: Bench, channel: Channel) -> None:
    if channel is Channel.WEB:
        bench.assistant.turn = LIST
    stored = [await bench.store(text, channel=channel) for text in RENT]
    async with holding(bench, 0.0):
        await bench.streams.announce_inbound(stored[0].shard, stored[0].conversation_id)
        await eventually(lambda: is_answered(bench, stored[-1]))
    messages = await bench.ledger.messages(stored[0].conversation_id)
    assert outcomes(messages) == ["merged"] * 4 + ["bot"]
    assert asked(bench) == [TOGETHER]
    assert [message.text for message in messages if message.sender is Sender.PERSON] == RENT


async def is_answered(bench: Bench, stored: Stored) -> bool:
    return await bench.outcome_of(stored) != "not answered"


async def test_pieces_that_come_one_by_one_are_answered_with_the_last(bench: Bench) -> None:
    async with holding(bench, FOR_EVER):
        for text in [*RENT, "we have nowhere to go then."]:
            stored = await bench.write(text)
        messages = await bench.until_quiet(stored.conversation_id)
    assert outcomes(messages) == ["merged"] * 5 + ["bot"]
    assert asked(bench) == [f"{TOGETHER} we have nowhere to go then."]


async def test_a_piece_with_nothing_after_it_is_answered_when_the_wait_is_over(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(update={"sweep_seconds": FOR_EVER})
    async with holding(bench, 0.2):
        stored = await bench.write("its my landlord")
        messages = await bench.until_quiet(stored.conversation_id)
    assert outcomes(messages) == ["bot"]
    assert asked(bench) == ["its my landlord"]


async def test_what_was_held_by_a_worker_that_is_gone_is_found_again(bench: Bench) -> None:
    async with holding(bench, FOR_EVER):
        stored = [await bench.write("hi"), await bench.write("its my landlord")]
        await eventually(lambda: is_taken(bench, stored[0]))
    assert await bench.outcome_of(stored[1]) == "not answered"
    async with holding(bench, 0.0):
        await bench.until_quiet(stored[0].conversation_id)
    assert asked(bench) == ["its my landlord"]


async def is_taken(bench: Bench, first: Stored) -> bool:
    """The first is merged, and nothing is left on the stream: the second has been looked at."""
    return await bench.outcome_of(first) == "merged" and (await bench.streams.depth())["inbound"] == 0


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["hi", "i want to kill myself"], id="in the last piece"),
        pytest.param(["i want", "to", "kill", "myself"], id="in all of them together"),
        pytest.param(["i want to kill myself", "my mum"], id="before another piece"),
    ],
)
async def test_a_concern_waits_for_nothing(bench: Bench, texts: list[str]) -> None:
    messages = await burst(bench, *texts, hold=FOR_EVER)
    assert said(messages)[0] == WORDING.concern([Concern.SUICIDE])
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    assert escalation.concerns == {Concern.SUICIDE}


async def test_where_a_concern_is_known_nothing_is_held(bench: Bench) -> None:
    async with holding(bench, FOR_EVER):
        for text in ("i want to kill myself", "my mum", "hi"):
            stored = await bench.write(text)
            messages = await bench.until_quiet(stored.conversation_id)
    assert "merged" not in outcomes(messages)


async def test_the_web_chat_waits_for_no_more(bench: Bench) -> None:
    async with holding(bench, FOR_EVER):
        stored = await bench.write("hi", channel=Channel.WEB)
        await eventually(lambda: is_answered(bench, stored))
    assert asked(bench) == ["hi"]


async def test_a_choice_is_answered_by_itself(bench: Bench) -> None:
    bench.assistant.turn = LIST
    async with holding(bench, 0.0):
        first = await bench.write("cant pay my rent this month")
        await bench.until_quiet(first.conversation_id)
    messages = await burst(bench, "its my landlord", "2", "its about my", hold=0.0)
    assert outcomes(messages) == ["bot"] * 4
    assert bench.assistant.asked[2]["payload"] == "details:svc-debt"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("STOP", "opted_out"), ("HELP", "bot"), ("person", "bot"), ("forget me", "bot"), ("my info", "bot"),
        ("yes", "bot"), ("no thanks", "bot"), ("KDX-4Q7", "wrong_code"),
    ],
)  # fmt: skip
async def test_what_stands_by_itself_takes_nothing_with_it(bench: Bench, text: str, outcome: str) -> None:
    messages = await burst(bench, "its my landlord", text, hold=FOR_EVER)
    assert outcomes(messages) == ["bot", outcome]
    assert asked(bench)[0] == "its my landlord"


class Guesses:
    """A classifier that takes a thought which breaks off for the worst."""

    async def notice(self, message: MessageRecord) -> frozenset[Concern]:
        return frozenset({Concern.ABUSE}) if message.text == "its my landlord and hes" else frozenset()


async def test_where_a_thought_breaks_off_nothing_is_guessed_at(bench: Bench) -> None:
    stored = [await bench.store(text) for text in ("its my landlord", "and hes")]
    async with bench.working(pieces=Pieces.load(FOR_EVER), notices=Guesses()):
        await bench.streams.announce_inbound(stored[0].shard, stored[0].conversation_id)
        await eventually(lambda: is_taken(bench, stored[0]))
        await bench.write("kicking us out.")
        await bench.until_quiet(stored[0].conversation_id)
    assert asked(bench) == ["its my landlord and hes kicking us out."]
