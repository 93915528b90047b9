"""What a person hears, whatever breaks: real ledger and streams, a fake assistant and a fake provider."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from channels.conversation import (
    Channel,
    Concern,
    EscalationState,
    HandOver,
    Holder,
    Note,
    Reply,
    Sender,
    StartAgain,
    Turn,
)
from channels.ledger import Ledger
from channels.ledger.records import Committed, MessageRecord, Outcome
from channels.settings import Settings
from channels.streams import Streams
from tests import patience
from tests.ledger_builders import in_a_minute, notice, peer_named
from tests.worker_builders import LIST, WORDING, Bench, cut_short, said, silence, talk

ASKED = Turn(requests=(HandOver(reason="asked"),))


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


# -- the plain way ---------------------------------------------------------------------------------------------------


async def test_the_first_answer_says_who_we_are_and_then_answers(bench: Bench) -> None:
    await talk(bench, "cant pay my rent", "thanks")
    assert bench.sms.texts == [WORDING.say("first_message"), "You said: cant pay my rent", "You said: thanks"]


async def test_a_number_is_the_choice_it_stood_for(bench: Bench) -> None:
    bench.assistant.turn = LIST
    await talk(bench, "cant pay my rent", "the second one pls")
    assert [asked["payload"] for asked in bench.assistant.asked] == [None, "details:svc-debt"]


async def test_what_was_understood_is_noted(bench: Bench) -> None:
    note = Note(needs=("rent_arrears",), place="Foxley")
    bench.assistant.turn = Turn(replies=LIST.replies, requests=(note,), understood={"intent": {"name": "need_rent"}})
    messages = await talk(bench, "cant pay my rent in foxley")
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    assert (conversation.needs, conversation.place) == (("rent_arrears",), "Foxley")


async def test_on_telegram_choices_are_a_keyboard(bench: Bench) -> None:
    bench.assistant.turn = LIST
    await talk(bench, "cant pay my rent", channel=Channel.TELEGRAM, address="4711")
    assert [choice.payload for choice in bench.telegram.choices[-1]] == [
        "details:svc-rent",
        "details:svc-debt",
        "person",
    ]


async def test_on_the_web_the_page_gets_words_and_cards(bench: Bench) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, "cant pay my rent", channel=Channel.WEB, address="visitor-1")
    assert messages[-1].text == "These can help:"
    assert messages[-1].reply == LIST.replies[0]


# -- one answer, in order --------------------------------------------------------------------------------------------


async def test_ten_quick_messages_are_answered_in_order(bench: Bench) -> None:
    texts = [f"message {number}" for number in range(10)]
    async with bench.working(workers=2):
        stored = [await bench.write(text) for text in texts]
        await bench.until_quiet(stored[0].conversation_id)
    assert [asked["text"] for asked in bench.assistant.asked] == texts
    assert bench.sms.texts[1:] == [f"You said: {text}" for text in texts]


async def test_two_workers_and_every_announcement_twice_still_give_one_answer_each(bench: Bench) -> None:
    async with bench.working(workers=2):
        stored = [await bench.write(f"message {number}", address=f"+44163296000{number % 3}") for number in range(9)]
        for one in stored:
            await bench.streams.announce_inbound(one.shard, one.conversation_id)
        for conversation_id in {one.conversation_id for one in stored}:
            await bench.until_quiet(conversation_id)
    assert sorted(text for text in bench.sms.texts if text.startswith("You said")) == sorted(
        f"You said: message {number}" for number in range(9)
    )


async def test_a_provider_that_delivers_twice_is_answered_once(bench: Bench) -> None:
    async with bench.working():
        first = await bench.write("hello", provider_id="SM-same")
        again = await bench.write("hello", provider_id="SM-same")
        await bench.until_quiet(first.conversation_id)
    assert again.duplicate
    assert bench.sms.texts.count("You said: hello") == 1


async def test_everything_in_redis_lost_in_the_middle_costs_only_time(bench: Bench, valkey_url: str) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def answering(message: MessageRecord) -> Turn:
        reached.set()
        await go_on.wait()
        return Turn(replies=(Reply(text=f"You said: {message.text}"),))

    bench.assistant.answering = answering
    async with bench.working(workers=2):
        stored = [await bench.write(f"message {number}", address=f"+44163296000{number}") for number in range(5)]
        await reached.wait()
        flush_everything(valkey_url)
        go_on.set()
        for one in stored:
            await bench.until_quiet(one.conversation_id)
    for number in range(5):
        assert bench.sms.texts.count(f"You said: message {number}") == 1


def flush_everything(valkey_url: str) -> None:
    with closing(redis.Redis.from_url(valkey_url)) as client:
        client.flushall()


async def test_without_redis_the_ledger_alone_is_enough(bench: Bench, tmp_path: Path) -> None:
    bench.streams = Streams.connect(f"unix://{tmp_path}/nobody.sock", "test", bench.settings.shards)
    async with bench.working():
        stored = await bench.write("hello")
        async with asyncio.timeout(patience.SECONDS):
            while "You said: hello" not in bench.sms.texts:
                await asyncio.sleep(0.05)
    await bench.streams.close()
    assert await bench.outcome_of(stored) == "bot"
    assert bench.sms.texts.count("You said: hello") == 1


async def test_a_worker_that_dies_while_the_assistant_thinks_is_followed_by_another(bench: Bench) -> None:
    thinking = asyncio.Event()

    async def answering(message: MessageRecord) -> Turn:
        if not thinking.is_set():
            thinking.set()
            await asyncio.Event().wait()
        return Turn(replies=(Reply(text="You said: hello"),))

    bench.assistant.answering = answering
    dying = bench.worker()
    stored = await bench.store("hello")
    dying.inbound.start(stored.conversation_id)
    await thinking.wait()
    await cut_short(next(iter(dying.inbound._tasks)))
    async with bench.working():
        await bench.until_quiet(stored.conversation_id)
    assert bench.sms.texts == [WORDING.say("first_message"), "You said: hello"]


# -- silence ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", ["timeout", "unreachable", "refused", "empty", "malformed"])
async def test_a_silent_assistant_becomes_a_person(bench: Bench, cause: str) -> None:
    bench.assistant.answering = silence(cause)
    messages = await talk(bench, "cant pay my rent")
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert bench.sms.texts == [WORDING.say("fallback", place="next"), WORDING.say("first_message")]
    assert escalation is not None
    assert (escalation.state, escalation.reason) == (EscalationState.WAITING, "silent")
    assert messages[0].outcome == "fallback"
    assert list(await bench.streams.queue_scores()) == [escalation.id]


async def test_the_services_own_number_is_given_when_it_has_one(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(update={"fallback_number": "01632 960000"})
    bench.assistant.answering = silence()
    assert "right now: ring us on 01632 960000." in said(await talk(bench, "cant pay my rent"))[0]


async def test_out_of_hours_silence_says_when_somebody_reads_it(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(update={"staffed_hours": "Mo-Fr 09:00-17:00"})
    bench.clock = lambda: datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    bench.assistant.answering = silence()
    messages = await talk(bench, "cant pay my rent", "and no food")
    assert said(messages)[0] == WORDING.say("fallback_nobody_here", opens="9am on Monday")
    assert said(messages)[-1] == WORDING.say("fallback_again_nobody_here", place="next", opens="9am on Monday")


async def test_the_same_words_into_silence_are_answered_shorter_and_with_how_it_stands(bench: Bench) -> None:
    bench.assistant.answering = silence()
    first, _, second, third = said(await talk(bench, *["cant pay my rent"] * 3))
    assert second == third == WORDING.say("fallback_again", place="next")
    assert len(second) < len(first)


async def test_into_silence_with_nobody_at_the_desk_that_is_said(bench: Bench) -> None:
    bench.assistant.answering = silence()
    async with bench.working():
        await bench.streams.present("somebody-at-the-desk", 0)
        for _ in range(2):
            stored = await bench.write("cant pay my rent")
            messages = await bench.until_quiet(stored.conversation_id)
    assert said(messages)[-1] == WORDING.say("fallback_again_nobody_at_desk", place="next")


async def test_whoever_waits_already_is_told_first_that_it_is_read_too(bench: Bench) -> None:
    messages = await talk(bench, "person")
    bench.assistant.answering = silence()
    messages = await talk(bench, "cant pay my rent")
    assert said(messages)[-1] == WORDING.say("fallback_waiting", place="next")


async def test_an_assistant_that_only_takes_notes_is_silent_too(bench: Bench) -> None:
    bench.assistant.turn = Turn(requests=(Note(needs=("debt",)), StartAgain()))
    messages = await talk(bench, "hm")
    assert messages[0].outcome == "fallback"


async def test_a_message_that_breaks_the_work_again_and_again_goes_to_a_person(bench: Bench) -> None:
    async def answering(message: MessageRecord) -> Turn:
        raise RuntimeError("nobody foresaw this")

    bench.assistant.answering = answering
    messages = await talk(bench, "a poisonous message")
    assert len(bench.assistant.asked) == 3
    assert said(messages)[0] == WORDING.say("fallback", place="next")
    assert await bench.ledger.escalation_of(messages[0].conversation_id) is not None


@pytest.mark.parametrize(
    ("text", "key"),
    [("MY INFO", "We keep how to reach you and the messages here: 1 since"), ("forget me!", "Do you want me to erase")],
)
async def test_a_persons_rights_need_no_assistant(bench: Bench, text: str, key: str) -> None:
    bench.assistant.answering = silence()
    messages = await talk(bench, text)
    assert said(messages)[-1].startswith(key)
    assert await bench.ledger.escalation_of(messages[0].conversation_id) is None


# -- a person --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["the assistant", "the word PERSON", "a button"])
async def test_asking_for_a_person_is_told_truthfully(bench: Bench, by: str) -> None:
    bench.assistant.turn = ASKED
    more: dict[str, Any] = {"payload": "person"} if by == "a button" else {}
    messages = await talk(bench, "PERSON" if by == "the word PERSON" else "can i see a proper human being", **more)
    assert said(messages)[-1] == WORDING.say("waiting", place="next")
    assert len(bench.assistant.asked) == (by == "the assistant")
    assert list(await bench.streams.queue_scores()) != []


async def test_the_place_in_the_queue_is_the_real_one(bench: Bench) -> None:
    await talk(bench, "person")
    messages = await talk(bench, "person", address="+441632960002")
    assert said(messages)[-1] == WORDING.say("waiting", place="number 2")


async def test_out_of_hours_it_says_when_and_who_else_now(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(update={"staffed_hours": "Mo-Fr 09:00-17:00"})
    bench.clock = lambda: datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    messages = await talk(bench, "person")
    assert said(messages)[-1] == WORDING.say(
        "nobody_here_now", place="next", hours="Monday to Friday 9am to 5pm", opens="9am on Monday"
    )
    assert "116 123" in said(messages)[-1]


async def test_while_waiting_the_assistant_keeps_company_and_does_not_repeat_the_queue(bench: Bench) -> None:
    messages = await talk(bench, "person", "is there a choir", "and a food bank")
    assert said(messages)[-2:] == ["You said: is there a choir", "You said: and a food bank"]
    assert [asked["waiting"] for asked in bench.assistant.asked] == [True, True]


async def test_asking_again_while_waiting_is_answered_with_the_place(bench: Bench) -> None:
    messages = await talk(bench, "person", "person")
    assert said(messages)[-1] == WORDING.say("still_waiting", place="next")
    assert len(await bench.ledger.waiting()) == 1


async def test_with_a_peer_the_assistant_is_not_called_and_nothing_is_said(bench: Bench) -> None:
    await talk(bench, "person")
    (escalation,) = await bench.ledger.waiting()
    sam = await peer_named(bench.ledger, "Sam")
    await bench.ledger.claim(escalation.id, sam, in_a_minute(), notice())
    before = len(bench.sms.texts)
    messages = await talk(bench, "i want to end my life", "2", "STOP", "")
    assert bench.assistant.asked == []
    assert bench.sms.texts[before:] == ["Sam has joined"]
    outcomes = [message.outcome for message in messages if message.sender is Sender.PERSON][1:]
    assert outcomes == ["peer", "peer", "opted_out_after_concern", "peer"]
    held = await bench.ledger.escalation_of(escalation.conversation_id)
    assert held is not None and held.concerns == {Concern.SUICIDE}


async def test_a_peer_who_takes_over_while_the_assistant_thinks_silences_it(bench: Bench) -> None:
    await talk(bench, "person")
    (escalation,) = await bench.ledger.waiting()
    sam = await peer_named(bench.ledger, "Sam")

    async def answering(message: MessageRecord) -> Turn:
        await bench.ledger.claim(escalation.id, sam, in_a_minute(), notice())
        return Turn(replies=(Reply(text="too late"),))

    bench.assistant.answering = answering
    messages = await talk(bench, "and no food")
    assert "too late" not in bench.sms.texts
    assert messages[-2].outcome == "peer"
    assert (await bench.ledger.conversation(escalation.conversation_id)).holder is Holder.PEER


async def test_a_turn_that_changes_hands_again_and_again_is_left_for_a_quieter_moment(bench: Bench) -> None:
    await talk(bench, "person")
    (escalation,) = await bench.ledger.waiting()
    sam = await peer_named(bench.ledger, "Sam")
    taken: list[bool] = []

    class Restless(Ledger):
        """A peer worker takes or gives back the conversation just before every commit."""

        async def commit(self, outcome: Outcome) -> Committed | None:
            if outcome.expected_holder is Holder.BOT:
                await self.claim(escalation.id, sam, in_a_minute(), notice())
            else:
                await self.give_back(escalation.id, None)
            taken.append(True)
            return await super().commit(outcome)

    restless = Restless(bench.ledger._database, bench.ledger._retention)
    stored = await bench.store("are you there")
    worker = bench.worker(ledger=restless)
    worker.inbound.start(stored.conversation_id)
    await worker.inbound.drain(10)
    assert len(taken) == 5
    assert await bench.outcome_of(stored) == "not answered"
    async with bench.working():
        await bench.until_quiet(stored.conversation_id)
    assert await bench.outcome_of(stored) == "peer"


# -- episodes --------------------------------------------------------------------------------------------------------


async def test_an_episode_ends_with_asking_for_a_person_starting_again_and_40_turns(bench: Bench) -> None:
    await talk(bench, "one", "two")
    first = {asked["episode"] for asked in bench.assistant.asked}
    bench.assistant.turn = Turn(replies=(Reply(text="A fresh start."),), requests=(StartAgain(),))
    await talk(bench, "start again")
    bench.assistant.turn = None
    await talk(bench, "three", "person", "four")
    third, fourth = (asked["episode"] for asked in bench.assistant.asked[-2:])
    assert len(first) == 1
    assert len({*first, third, fourth}) == 3


async def test_choices_just_offered_keep_their_episode_while_a_person_is_asked(bench: Bench) -> None:
    bench.assistant.turn = LIST
    await talk(bench, "i want to die and cant pay my rent", "1")
    assert len({asked["episode"] for asked in bench.assistant.asked}) == 1


async def test_an_episode_has_40_turns_at_most(bench: Bench) -> None:
    await talk(bench, "hello")
    change(bench, "UPDATE conversations SET episode_turns = 38")
    await talk(bench, "turn 39", "turn 40", "turn 41")
    first, thirty_ninth, fortieth, next_one = (asked["episode"] for asked in bench.assistant.asked)
    assert first == thirty_ninth == fortieth != next_one


def change(bench: Bench, statement: str) -> None:
    """Make it look as if time had passed."""
    with closing(sqlite3.connect(bench.settings.data_dir / "ledger.sqlite")) as database, database:
        database.execute(statement)


async def test_after_12_hours_a_new_episode_begins(bench: Bench) -> None:
    await talk(bench, "hello")
    change(bench, "UPDATE conversations SET last_inbound_at = datetime(last_inbound_at, '-13 hours')")
    await talk(bench, "hello again")
    assert len({asked["episode"] for asked in bench.assistant.asked}) == 2
