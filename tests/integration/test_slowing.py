"""Somebody who writes very much very fast, and machines that answer machines: slower, never dropped, never hidden."""

from __future__ import annotations

import pytest

from channels.conversation import Channel, Concern, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft, MessageRecord, Stored
from channels.settings import Settings
from channels.slowing import same_words
from channels.streams import Streams
from tests.worker_builders import WORDING, Bench, said, talk

FIRST = WORDING.say("first_message")
CODED = "there is a box by the door with everybody's name on something"
OUT_OF_OFFICE = "I am driving. I will read your text at {number}:30. Ref 00{number}."


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    made = Bench.quick(settings, ledger, streams)
    made.settings = made.settings.model_copy(update={"slow_reply_seconds": 0.4})
    return made


class Sure:
    """A classifier that is sure of one line which no pattern knows, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def notice(self, message: MessageRecord) -> frozenset[Concern]:
        self.shown.append(message.text)
        return frozenset({Concern.SUICIDE}) if message.text == CODED else frozenset()


async def burst(
    bench: Bench, texts: list[str], *, channel: Channel = Channel.SMS, **parts: object
) -> list[MessageRecord]:
    """Everything has arrived before anybody looks."""
    stored: list[Stored] = []
    for text in texts:
        stored.append(await bench.store(text, channel=channel))
    async with bench.working(**parts):
        await bench.streams.announce_inbound(stored[0].shard, stored[0].conversation_id)
        return await bench.until_quiet(stored[0].conversation_id, seconds=60)


def theirs(messages: list[MessageRecord]) -> list[MessageRecord]:
    return [message for message in messages if message.sender is Sender.PERSON]


async def test_50_messages_in_a_burst_are_all_stored_answered_together_and_the_concern_at_once(bench: Bench) -> None:
    texts = [f"message {number}" for number in range(50)]
    texts[29] = "i want to kill myself"
    messages = await burst(bench, texts)
    assert [message.text for message in theirs(messages)] == texts
    outcomes = [message.outcome for message in theirs(messages)]
    assert (outcomes[29], outcomes[49]) == ("bot", "bot")
    assert outcomes.count("merged") == 48
    words = WORDING.concern([Concern.SUICIDE])
    assert said(messages)[0] == words
    assert [asked["text"] for asked in bench.assistant.asked] == ["i want to kill myself", " ".join(texts[30:])]
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    assert escalation.concerns == {Concern.SUICIDE}


async def test_a_concern_that_only_the_words_together_hold_is_found(bench: Bench) -> None:
    messages = await burst(bench, [*(f"so {number}" for number in range(12)), "i want", "to", "kill", "myself"])
    assert not [message for message in theirs(messages)[:-1] if message.outcome != "merged"]
    assert said(messages)[0] == WORDING.concern([Concern.SUICIDE])


async def test_what_only_the_classifier_finds_in_a_burst_is_answered_at_once(bench: Bench) -> None:
    classifier = Sure()
    texts = [f"message {number}" for number in range(20)]
    texts[5] = CODED
    messages = await burst(bench, texts, notices=classifier)
    outcomes = [message.outcome for message in theirs(messages)]
    assert (outcomes[4], outcomes[5]) == ("merged", "bot")
    assert said(messages)[0] == WORDING.concern([Concern.SUICIDE])
    assert set(texts) <= set(classifier.shown), "every message is looked at"


async def test_the_same_coded_words_again_are_answered_as_any_other_concern_is(bench: Bench) -> None:
    async with bench.working(notices=Sure()):
        for _ in range(6):
            stored = await bench.write(CODED)
            messages = await bench.until_quiet(stored.conversation_id)
    assert "quiet" not in [message.outcome for message in theirs(messages)]


async def test_few_messages_are_each_answered(bench: Bench) -> None:
    messages = await burst(bench, [f"message {number}" for number in range(12)])
    assert [message.outcome for message in theirs(messages)] == ["bot"] * 12


async def test_the_one_answer_still_says_first_who_we_are(bench: Bench) -> None:
    messages = await burst(bench, [f"message {number}" for number in range(20)])
    assert said(messages)[0] == FIRST
    assert len(said(messages)) == 2


async def test_the_newest_waits_for_its_turn_and_is_then_answered(bench: Bench) -> None:
    await burst(bench, [f"message {number}" for number in range(20)])
    messages = await burst(bench, ["one more"])
    assert theirs(messages)[-1].outcome == "bot"
    first, second = [message.created_at for message in messages if message.text.startswith("You said")]
    assert (second - first).total_seconds() >= 0.4


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("STOP", "opted_out"), ("HELP", "bot"), ("person", "bot"), ("forget me", "bot"), ("my info", "bot")],
)
async def test_what_somebody_has_a_right_to_stands_by_itself(bench: Bench, text: str, outcome: str) -> None:
    texts = [f"message {number}" for number in range(8)]
    messages = await burst(bench, [*texts, text, *texts])
    assert theirs(messages)[8].outcome == outcome


async def test_others_are_answered_meanwhile(bench: Bench) -> None:
    for number in range(30):
        await bench.store(f"message {number}")
    messages = await talk(bench, "cant pay my rent", address="+441632960002")
    assert said(messages)[-1] == "You said: cant pay my rent"


async def test_with_no_limit_every_message_is_answered(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(update={"person_per_minute": 0})
    messages = await burst(bench, [f"message {number}" for number in range(16)])
    assert [message.outcome for message in theirs(messages)] == ["bot"] * 16


# -- two machines -----------------------------------------------------------------------------------------------------


async def test_two_automatic_answerers_come_to_an_end_and_a_person_sees_it(bench: Bench) -> None:
    rounds = 8
    messages = await talk(bench, *(OUT_OF_OFFICE.format(number=number) for number in range(rounds)))
    outcomes = [message.outcome for message in theirs(messages)]
    assert outcomes == ["bot", "bot", "bot", "repeated", "quiet", "quiet", "quiet", "quiet"]
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    assert escalation.reason == "repeated"
    assert len(said(messages)) == 5, "who we are, three answers, and that a person will look"


async def test_other_words_are_answered_again(bench: Bench) -> None:
    loop = [OUT_OF_OFFICE.format(number=number) for number in range(6)]
    messages = await talk(bench, *loop, "sorry, that was my phone. cant pay my rent")
    assert said(messages)[-1] == "You said: sorry, that was my phone. cant pay my rent"


async def test_a_concern_said_again_and_again_is_answered_every_time(bench: Bench) -> None:
    messages = await talk(bench, *["i want to kill myself"] * 6)
    assert {message.outcome for message in theirs(messages)} <= {"bot", "safety"}
    assert len(said(messages)) >= 6


async def test_a_button_or_a_number_pressed_again_and_again_is_no_loop(bench: Bench) -> None:
    messages = await talk(bench, *["2"] * 6)
    assert [message.outcome for message in theirs(messages)] == ["bot"] * 6


async def test_very_many_answers_in_an_hour_end_with_a_person_whatever_the_words(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(update={"replies_per_hour": 5})
    names = ["alder", "birch", "cedar", "damson", "elder", "fig", "guelder"]
    messages = await talk(bench, *(f"all about {name} trees" for name in names))
    outcomes = [message.outcome for message in theirs(messages)]
    assert outcomes == ["bot"] * 4 + ["repeated", "quiet", "quiet"]


async def test_a_peer_worker_gets_everything(bench: Bench) -> None:
    stored = await bench.store("hello")
    pace = await bench.ledger.pace(stored.conversation_id)
    assert (pace.written, pace.replied, pace.newest_unanswered) == (1, 0, 1)
    await bench.ledger.append(
        stored.conversation_id, [Draft(sender=Sender.PEER, text="hi"), Draft(sender=Sender.NOTICE, text="x")]
    )
    assert (await bench.ledger.pace(stored.conversation_id)).replied == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Your ticket 4711 was opened, 9:30", "your ticket 4712 was opened 10:31!", True),
        ("please help me", "please help me", True),
        ("please help me", "please help us", False),
    ],
)
def test_numbers_and_marks_do_not_make_words_different(one: str, other: str, same: bool) -> None:
    assert (same_words(one) == same_words(other)) is same
