"""What a person can have done with what is kept of them, through the whole worker."""

from __future__ import annotations

import pytest

from channels.conversation import (
    Channel,
    Choice,
    Delivery,
    ForgetMe,
    MyInfo,
    Note,
    Remember,
    Reply,
    ServiceCard,
    Turn,
)
from channels.errors import SendFailed
from channels.ledger import Ledger
from channels.ledger.records import Draft, SavedService
from channels.settings import Settings
from channels.speaking import Speaker
from channels.streams import Streams
from tests.worker_builders import LIST, WORDING, Bench, said, silence, talk

FIRST = WORDING.say("first_message")
ERASE = Turn(requests=(ForgetMe(confirmed=True),))


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def test_forgetting_says_goodbye_and_then_erases_everything(bench: Bench) -> None:
    await talk(bench, "my name is on the letter")
    bench.assistant.turn = ERASE
    messages = await talk(bench, "yes erase it", payload="forget:yes")
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    assert bench.sms.texts[-1] == WORDING.say("forgotten")
    assert [message.text for message in messages] == [""] * len(messages)
    assert (await bench.ledger.person(conversation.person_id)).address == ""
    assert await bench.ledger.person_at(Channel.SMS, "+441632960001") is None


async def test_after_being_forgotten_a_new_message_starts_afresh(bench: Bench) -> None:
    bench.assistant.turn = ERASE
    before = await talk(bench, "erase me")
    bench.assistant.turn = None
    after = await talk(bench, "hello")
    assert after[0].conversation_id != before[0].conversation_id
    assert said(after) == [FIRST, "You said: hello"]


async def test_erasing_needs_no_assistant_once_it_was_confirmed(bench: Bench) -> None:
    bench.assistant.answering = silence()
    await talk(bench, "forget me", "1")
    assert bench.sms.texts[-1] == WORDING.say("forgotten")
    assert await bench.ledger.person_at(Channel.SMS, "+441632960001") is None


async def test_keeping_it_needs_no_assistant_either(bench: Bench) -> None:
    bench.assistant.answering = silence()
    messages = await talk(bench, "forget me", "2")
    assert said(messages)[-1] == WORDING.say("not_forgotten")


async def test_dying_between_farewell_and_erasure_loses_neither(bench: Bench) -> None:
    stored = await bench.store("erase me")
    bench.assistant.turn = ERASE
    worker = bench.worker()
    (farewell,) = await farewell_of(bench)
    await bench.ledger.append(stored.conversation_id, (farewell,))
    worker.inbound.start(stored.conversation_id)
    await worker.inbound.drain(10)
    async with bench.working():
        await bench.until_quiet(stored.conversation_id)
    assert bench.sms.texts == [WORDING.say("forgotten")]
    assert await bench.ledger.person_at(Channel.SMS, "+441632960001") is None


async def farewell_of(bench: Bench) -> tuple[Draft, ...]:
    return Speaker(wording=WORDING, channel=Channel.SMS).say_notice(WORDING.say("forgotten"))


async def test_a_farewell_that_cannot_be_delivered_does_not_keep_the_address(bench: Bench) -> None:
    bench.assistant.turn = ERASE
    bench.sms.failures = [SendFailed("21610", "This person has texted STOP.", retryable=False)]
    messages = await talk(bench, "erase me")
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    assert messages[-1].delivery is Delivery.FAILED
    assert (await bench.ledger.person(conversation.person_id)).address == ""


async def test_asking_to_be_forgotten_is_first_asked_back(bench: Bench) -> None:
    question = Reply(text="Erase it all?", choices=(Choice(title="Erase it all", payload="forget:yes"),))
    bench.assistant.turn = Turn(replies=(question,), requests=(ForgetMe(confirmed=False),))
    messages = await talk(bench, "forget me")
    assert "Erase it all?" in said(messages)[-1]
    assert await bench.ledger.person_at(Channel.SMS, "+441632960001") is not None


async def test_my_info_tells_what_is_kept_without_naming_it(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=LIST.replies, requests=(Note(needs=("domestic_abuse",), place="Foxley"),))
    (hello, *_) = await talk(bench, "hello")
    saved = SavedService(card=ServiceCard(service_id="svc-refuge", name="Refuge", phone="01632 960001"), seq=2, place=0)
    await bench.ledger.lists.save(hello.conversation_id, saved)
    bench.assistant.turn = Turn(requests=(MyInfo(),))
    messages = await talk(bench, "my info")
    assert "We keep a note of what it was about. We keep the area you gave. We keep your list." in said(messages)[-1]
    assert "abuse" not in said(messages)[-1]


# -- what outlives an episode ----------------------------------------------------------------------------------------


async def test_what_the_assistant_knew_is_known_in_the_next_episode_and_erased_with_the_rest(bench: Bench) -> None:
    known = Remember(need="debt", query="Debt", shown=("svc-rent",), basket=("food",), place_asked=True)
    bench.assistant.turn = Turn(replies=(Reply(text="Here."),), requests=(known,))
    (before, *_) = await talk(bench, "debt advice")
    messages = await talk(bench, "person")
    conversation = await bench.ledger.conversation(before.conversation_id)
    assert (conversation.remembered, conversation.episode_turns) == (known, 0)
    assert before.episode != conversation.episode
    assert conversation.remembered_at is not None
    await bench.ledger.forget(conversation.person_id)
    assert (await bench.ledger.conversation(messages[0].conversation_id)).remembered is None
