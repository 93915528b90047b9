"""STOP and its family: quiet for everything that we start, and never the end of being looked after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from channels.composing import Moment
from channels.conversation import Channel, Concern, Delivery, EscalationState, Holder, Sender
from channels.desk.words import Words
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.records import Draft, EscalationRecord, MessageRecord
from channels.settings import Settings
from channels.streams import Streams
from tests.desk_builders import Clock
from tests.ledger_builders import peer_named
from tests.worker_builders import WORDING, Bench, said, talk

FAMILY = ["STOP", "stopall", "Unsubscribe", "CANCEL", "end", "QUIT", "revoke", "optout"]


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def is_quiet(bench: Bench, messages: list[MessageRecord]) -> bool:
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    return (await bench.ledger.person(conversation.person_id)).do_not_text_first


async def open_escalation(bench: Bench, messages: list[MessageRecord]) -> EscalationRecord:
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    return escalation


@pytest.mark.parametrize("word", FAMILY)
async def test_every_word_of_the_family_is_kept_and_nothing_is_texted(bench: Bench, word: str) -> None:
    messages = await talk(bench, "hello", word)
    assert await is_quiet(bench, messages)
    assert messages[-1].outcome == "opted_out"
    assert len(bench.sms.texts) == 2
    assert await bench.ledger.waiting() == []


async def test_the_providers_marker_alone_is_enough(bench: Bench) -> None:
    messages = await talk(bench, "PARAR", opt_out="STOP")
    assert await is_quiet(bench, messages)
    assert bench.sms.texts == []


async def test_wanting_it_to_stop_is_not_wanting_us_to_stop(bench: Bench) -> None:
    messages = await talk(bench, "I want it to stop")
    assert not await is_quiet(bench, messages)
    assert said(messages)


@pytest.mark.parametrize("channel", [Channel.TELEGRAM, Channel.WEB])
async def test_elsewhere_writing_again_says_that_it_is_on_again(bench: Bench, channel: Channel) -> None:
    messages = await talk(bench, "stop", "cant pay my rent", channel=channel, address="4711")
    assert WORDING.say("reopened") in said(messages)
    assert said(messages)[-1] == "You said: cant pay my rent"


async def test_it_is_said_once_that_texts_are_on_again(bench: Bench) -> None:
    messages = await talk(bench, "hello", "STOP", "hello", "hello")
    assert said(messages).count(WORDING.say("reopened")) == 1


# -- after something that worries us ----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["STOP", "END"])
async def test_stop_after_a_concern_marks_the_escalation_and_is_answered_by_nobody(bench: Bench, word: str) -> None:
    messages = await talk(bench, "i want to die", word)
    before = len(said(messages))
    escalation = await open_escalation(bench, messages)
    assert (escalation.state, escalation.reason) == (EscalationState.WAITING, "stopped")
    assert escalation.concerns == {Concern.SUICIDE}
    assert messages[-1].outcome == "opted_out_after_concern"
    assert len(bench.sms.texts) == before


async def test_stop_opens_an_escalation_when_the_one_for_the_concern_was_closed(bench: Bench) -> None:
    messages = await talk(bench, "i want to die")
    sam = await peer_named(bench.ledger, "Sam")
    first = await open_escalation(bench, messages)
    desk = Escalations(bench.ledger, bench.streams, WORDING, bench.settings)
    await desk.claim(first.id, sam)
    await desk.close(first.id, sam)
    messages = await talk(bench, "END")
    again = await open_escalation(bench, messages)
    assert again.id != first.id
    assert again.reason == "stopped"
    assert again.concerns == {Concern.SUICIDE}


async def test_stop_in_the_hands_of_a_peer_is_marked_and_leaves_them_with_the_peer(bench: Bench) -> None:
    messages = await talk(bench, "i want to die")
    sam = await peer_named(bench.ledger, "Sam")
    escalation = await open_escalation(bench, messages)
    desk = Escalations(bench.ledger, bench.streams, WORDING, bench.settings)
    await desk.claim(escalation.id, sam)
    messages = await talk(bench, "STOP")
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    held = await open_escalation(bench, messages)
    assert (held.state, held.claimed_by, held.reason) == (EscalationState.HELD, sam.id, "stopped")
    assert conversation.holder is Holder.PEER
    assert await is_quiet(bench, messages)
    await desk.close(escalation.id, sam)
    assert (await bench.ledger.messages(conversation.id))[-1].sender is Sender.PERSON, "the goodbye is not texted"


@pytest.mark.parametrize(("hours", "fresh"), [(1, True), (47, True), (49, False)])
async def test_two_days_after_a_concern_that_was_looked_after_stop_is_just_stop(
    bench: Bench, hours: int, fresh: bool
) -> None:
    stored = await bench.store("STOP")
    message = await bench.ledger.message(stored.message_id)
    assert message is not None
    conversation = await bench.ledger.conversation(stored.conversation_id)
    moment = Moment(
        message=message,
        conversation=replace(conversation, concern_at=message.created_at - timedelta(hours=hours)),
        person=await bench.ledger.person(conversation.person_id),
        escalation=None,
        choices=(),
        concerns=frozenset(),
    )
    assert moment.stopped_after_concern is fresh


def test_the_desk_has_words_for_it() -> None:
    words = Words.load()
    assert "STOP" in words.say("reason", "stopped")
    assert words.say("remark", "stopped").startswith("They stopped our texts")


# -- everything we would start by ourselves ---------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["lapse", "joined", "lease_ran_out", "passed_on", "left"])
async def test_nothing_proactive_reaches_somebody_who_asked_for_quiet(bench: Bench, what: str) -> None:
    messages = await talk(bench, "i want to die", "STOP")
    count = len(messages)
    sam = await peer_named(bench.ledger, "Sam")
    clock = Clock()
    desk = Escalations(bench.ledger, bench.streams, WORDING, bench.settings, clock=clock)
    escalation = await open_escalation(bench, messages)
    if what == "lapse":
        assert await desk.lapse(escalation.id)
    else:
        await desk.claim(escalation.id, sam)
    if what == "lease_ran_out":
        await bench.streams.drop_lease(escalation.id)
        clock.ahead = timedelta(hours=1)
        assert (await desk.sweep()).returned == 1
    elif what == "passed_on":
        await desk.pass_on(escalation.id, sam)
    elif what == "left":
        await desk.close(escalation.id, sam)
    assert len(await bench.ledger.messages(escalation.conversation_id)) == count


async def test_what_still_waits_to_be_sent_when_stop_comes_stays_unsent(bench: Bench) -> None:
    messages = await talk(bench, "hello", "STOP")
    late = Draft(sender=Sender.ASSISTANT, text="Too late.")
    await bench.ledger.append(messages[0].conversation_id, [late])
    async with bench.working():
        messages = await bench.until_quiet(messages[0].conversation_id)
    assert (messages[-1].delivery, messages[-1].error_code) == (Delivery.FAILED, "opted_out")
    assert "Too late." not in bench.sms.texts


async def test_a_peer_worker_may_still_answer_by_their_own_decision(bench: Bench) -> None:
    messages = await talk(bench, "i want to die", "STOP")
    sam = await peer_named(bench.ledger, "Sam")
    escalation = await open_escalation(bench, messages)
    desk = Escalations(bench.ledger, bench.streams, WORDING, bench.settings)
    await desk.claim(escalation.id, sam)
    await desk.reply(escalation.id, sam, "I am here if you want me.")
    async with bench.working():
        messages = await bench.until_quiet(escalation.conversation_id)
    assert bench.sms.texts[-1] == "I am here if you want me."
