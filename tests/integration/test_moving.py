"""One conversation over several channels: only with a code, with everything that belongs to it, and erased as one."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.codes import LETTERS, is_code, new_code, read_code, shown
from channels.conversation import Channel, Concern, Delivery, EscalationState, Holder, Inbound, Receipt, Sender
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.moving import WRONG_FROM_ONE
from channels.ledger.records import ConversationRecord, Draft, MessageRecord, Moved, Outcome, SavedService, Stored
from channels.settings import Settings
from channels.streams import Streams
from tests import patience
from tests.chat_builders import RENT
from tests.ledger_builders import peer_named
from tests.worker_builders import WORDING, Bench, said, talk, without_offer

PHONE = {"channel": Channel.SMS, "address": "+441632960001"}
BROWSER = {"channel": Channel.WEB, "address": "visitor-1"}
CHAT = {"channel": Channel.TELEGRAM, "address": "4711"}
PLACES = {"SMS to web": (PHONE, BROWSER), "web to SMS": (BROWSER, PHONE), "Telegram to SMS": (CHAT, PHONE)}
MOVED = WORDING.say("moved")
WRONG = WORDING.say("wrong_code")


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


def code_in(messages: list[MessageRecord]) -> str:
    found = re.search(r"Your code is (\w{3} \w{3})\.", said(messages)[-1])
    assert found is not None, said(messages)
    return found[1]


async def send(bench: Bench, text: str, where: dict[str, object]) -> tuple[ConversationRecord, list[MessageRecord]]:
    """Write, and read the conversation that this person then has."""
    async with bench.working():
        stored = await bench.write(text, **where)
        await answered(bench, stored.message_id)
        person = await bench.ledger.person_at(where["channel"], str(where["address"]))
        assert person is not None
        conversation = await bench.ledger.conversation_of(person.id)
        messages = await bench.until_quiet(conversation.id)
    return await bench.ledger.conversation(conversation.id), messages


async def answered(bench: Bench, message_id: str) -> None:
    """Wherever the message is by then."""
    async with asyncio.timeout(patience.SECONDS), bench.streams.watch("queue") as watch:
        while not (message := await bench.ledger.message(message_id)) or not message.answered:
            await watch.wait(0.1)


@pytest.mark.parametrize("pair", list(PLACES.values()), ids=list(PLACES))
async def test_the_story_goes_on_where_the_code_was_typed(bench: Bench, pair: tuple[dict[str, object], ...]) -> None:
    one, other = pair
    before = await talk(bench, "cant pay my rent", "move", **one)
    conversation, messages = await send(bench, code_in(before), other)
    assert conversation.id == before[0].conversation_id
    assert messages[0].text == "cant pay my rent"
    assert messages[-1].text == MOVED
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
    conversation, messages = await send(bench, "and my boiler broke", other)
    assert conversation.channel == other["channel"]
    assert without_offer(messages[-1].text) == "You said: and my boiler broke"


async def test_what_we_say_goes_to_where_they_wrote_last_and_back(bench: Bench) -> None:
    before = await talk(bench, "move", **CHAT)
    await send(bench, code_in(before), PHONE)
    await send(bench, "from the phone", PHONE)
    assert (bench.sms.sent[-1][0], bench.sms.texts[-1]) == ("+441632960001", "You said: from the phone")
    await send(bench, "from telegram again", CHAT)
    assert (bench.telegram.sent[-1][0], bench.telegram.texts[-1]) == ("4711", "You said: from telegram again")


async def test_a_peer_worker_keeps_them_and_sees_one_story(bench: Bench) -> None:
    before = await talk(bench, "i want to die", "move", **CHAT)
    code = code_in(before)
    sam = await peer_named(bench.ledger, "Sam")
    desk = Escalations(bench.ledger, bench.streams, WORDING, bench.settings)
    escalation = await bench.ledger.escalation_of(before[0].conversation_id)
    assert escalation is not None
    await desk.claim(escalation.id, sam)
    conversation, _ = await send(bench, code, PHONE)
    held = await bench.ledger.escalation_of(conversation.id)
    assert held is not None
    assert (held.id, held.state, held.claimed_by) == (escalation.id, EscalationState.HELD, sam.id)
    assert conversation.holder is Holder.PEER
    await desk.reply(held.id, sam, "I am here too.")
    async with bench.working():
        await bench.until_quiet(conversation.id)
    assert bench.sms.sent[-1] == ("+441632960001", "I am here too.")


async def test_two_open_escalations_become_one_with_the_reasons_of_both(bench: Bench) -> None:
    before = await talk(bench, "person", "move", **CHAT)
    await talk(bench, "i want to die", **PHONE)
    conversation, messages = await send(bench, code_in(before), PHONE)
    waiting = await bench.ledger.waiting()
    assert [one.conversation_id for one in waiting] == [conversation.id]
    assert waiting[0].concerns == {Concern.SUICIDE}
    assert "i want to die" in [message.text for message in messages]
    assert conversation.concerns == {Concern.SUICIDE}


async def test_the_desk_can_offer_it(bench: Bench) -> None:
    before = await talk(bench, "person", **CHAT)
    sam = await peer_named(bench.ledger, "Sam")
    desk = Escalations(bench.ledger, bench.streams, WORDING, bench.settings)
    escalation = await bench.ledger.escalation_of(before[0].conversation_id)
    assert escalation is not None
    await desk.claim(escalation.id, sam)
    await desk.offer_code(escalation.id, sam)
    code = code_in(await bench.ledger.messages(before[0].conversation_id))
    conversation, _ = await send(bench, code, PHONE)
    assert conversation.id == before[0].conversation_id
    assert conversation.holder is Holder.PEER


# -- codes ------------------------------------------------------------------------------------------------------------


async def test_a_code_works_once(bench: Bench) -> None:
    before = await talk(bench, "move", **CHAT)
    code = code_in(before)
    await send(bench, code, PHONE)
    conversation, messages = await send(bench, code, {"channel": Channel.SMS, "address": "+441632960009"})
    assert conversation.id != before[0].conversation_id
    assert (messages[0].outcome, said(messages)) == ("wrong_code", [WRONG])


async def test_a_code_is_over_after_a_quarter_of_an_hour(bench: Bench, settings: Settings) -> None:
    before = await talk(bench, "move", **CHAT)
    expire_codes(settings)
    conversation, messages = await send(bench, code_in(before), PHONE)
    assert conversation.id != before[0].conversation_id
    assert said(messages) == [WRONG]


async def test_guessing_is_limited(bench: Bench) -> None:
    before = await talk(bench, "move", **CHAT)
    for _ in range(WRONG_FROM_ONE):
        await talk(bench, new_code(), **PHONE)
    conversation, messages = await send(bench, code_in(before), PHONE)
    assert conversation.id != before[0].conversation_id
    assert [message.outcome for message in messages if message.outcome] == ["wrong_code"] * (WRONG_FROM_ONE + 1)


@pytest.mark.parametrize("right", [True, False], ids=["a good code", "a wrong code"])
async def test_a_code_after_stop_is_answered(bench: Bench, right: bool) -> None:
    before = await talk(bench, "move", **CHAT)
    await talk(bench, "STOP", **PHONE)
    await send(bench, code_in(before) if right else new_code(), PHONE)
    assert bench.sms.texts == [MOVED if right else WRONG]


async def test_after_a_wrong_code_they_still_hear_who_we_are(bench: Bench) -> None:
    messages = await talk(bench, new_code(), "hello", **PHONE)
    assert said(messages) == [WRONG, WORDING.say("first_message"), "You said: hello"]


async def test_very_many_guesses_do_not_bring_as_many_texts(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(update={"person_per_minute": 3})
    await talk(bench, *(new_code() for _ in range(8)), **PHONE)
    assert bench.sms.texts == [WRONG] * 3


async def test_the_code_is_nowhere_in_the_ledger_to_be_read(bench: Bench, settings: Settings) -> None:
    code = code_in(await talk(bench, "move", **CHAT))
    content = (settings.data_dir / "ledger.sqlite").read_bytes()
    assert code.encode() not in content
    assert code.replace(" ", "").encode() not in content


async def test_nobody_is_put_together_without_a_code(bench: Bench) -> None:
    one = await talk(bench, "cant pay my rent", **PHONE)
    other = await talk(bench, "my number is +441632960001, its me", **CHAT)
    assert one[0].conversation_id != other[0].conversation_id


@pytest.mark.parametrize("who", [PHONE, CHAT], ids=["where it began", "where it went on"])
async def test_forgetting_erases_both_sides(bench: Bench, who: dict[str, object]) -> None:
    before = await talk(bench, "cant pay my rent", "move", **CHAT)
    conversation, _ = await send(bench, code_in(before), PHONE)
    person = await bench.ledger.person_at(who["channel"], str(who["address"]))
    assert person is not None
    await bench.ledger.forget(person.id)
    assert not any(message.text for message in await bench.ledger.messages(conversation.id))
    assert await bench.ledger.person_at(Channel.SMS, "+441632960001") is None
    assert await bench.ledger.person_at(Channel.TELEGRAM, "4711") is None
    fresh = await talk(bench, "hello", **CHAT)
    assert fresh[0].conversation_id != conversation.id


async def test_retention_does_not_erase_a_story_that_goes_on_elsewhere(bench: Bench) -> None:
    before = await talk(bench, "cant pay my rent", "move", **CHAT)
    conversation, _ = await send(bench, code_in(before), PHONE)
    await bench.ledger.expire(datetime.now(UTC) - timedelta(days=90))
    messages = await bench.ledger.messages(conversation.id)
    assert messages[0].text == "cant pay my rent"


async def test_on_any_database(any_ledger: Ledger) -> None:
    """The same steps without a worker, on SQLite and PostgreSQL."""
    first = await any_ledger.store_inbound(
        Inbound(channel=Channel.SMS, address="+441632960001", provider_id="1", text="a")
    )
    code = new_code()
    done = Outcome(message_id=first.message_id, expected_holder=Holder.BOT, kind="bot", code=code)
    assert await any_ledger.commit(done) is not None
    web = Inbound(channel=Channel.WEB, address="v", provider_id="2", text=code)
    second = await any_ledger.store_inbound(web)
    moved = await any_ledger.redeem(second.message_id, code, Draft(sender=Sender.NOTICE, text="moved"))
    assert moved is not None
    assert moved.conversation_id == first.conversation_id
    assert (await any_ledger.store_inbound(web)).conversation_id == first.conversation_id, "delivered twice"
    assert not await any_ledger.store_receipt(Receipt(channel=Channel.SMS, provider_id="x", state=Delivery.SENT))
    assert [message.text for message in await any_ledger.messages(first.conversation_id)] == ["a", code, "moved"]


# -- what comes along --------------------------------------------------------------------------------------------------

DUE = datetime.now(UTC) + timedelta(days=3)


async def tell(ledger: Ledger, address: str, text: str, **outcome: object) -> Stored:
    """Somebody writes, and what it leads to is committed."""
    channel = Channel.SMS if address.startswith("+") else Channel.WEB
    told = Inbound(channel=channel, address=address, provider_id=f"{address} {text}", text=text)
    stored = await ledger.store_inbound(told)
    done = Outcome(message_id=stored.message_id, expected_holder=Holder.BOT, kind="bot", **outcome)
    assert await ledger.commit(done) is not None
    return stored


async def carry_on(ledger: Ledger, address: str, code: str) -> Moved:
    typed = await ledger.store_inbound(Inbound(channel=Channel.WEB, address=address, provider_id="code", text=code))
    moved = await ledger.redeem(typed.message_id, code, Draft(sender=Sender.NOTICE, text="moved"))
    assert moved is not None
    return moved


async def test_a_yes_to_being_asked_later_comes_along_and_one_no_ends_it(any_ledger: Ledger) -> None:
    code = new_code()
    phone = await tell(any_ledger, "+441632960001", "move", code=code)
    await tell(any_ledger, "visitor", "check", check_in_at=DUE)
    await carry_on(any_ledger, "visitor", code)
    assert await any_ledger.check_ins.state(phone.conversation_id) == "agreed"
    await tell(any_ledger, "+441632960001", "no check", no_check_in=True)
    assert await any_ledger.check_ins.due(DUE) == []


async def test_whoever_agreed_on_both_channels_is_asked_once(any_ledger: Ledger) -> None:
    code = new_code()
    phone = await tell(any_ledger, "+441632960001", "move", code=code, check_in_at=DUE, concern_check_at=DUE)
    await tell(any_ledger, "visitor", "check", check_in_at=DUE, concern_check_at=DUE)
    await carry_on(any_ledger, "visitor", code)
    due = await any_ledger.check_ins.due(DUE)
    assert sorted((one.conversation_id, one.kind) for one in due) == [
        (phone.conversation_id, "concern"),
        (phone.conversation_id, "helped"),
    ]


async def test_their_list_comes_along_each_service_once_and_where_its_message_now_stands(any_ledger: Ledger) -> None:
    code, food = new_code(), replace(RENT, service_id="svc-food", name="Food Bank")
    phone = await tell(any_ledger, "+441632960001", "move", code=code)
    chat = await tell(any_ledger, "visitor", "food please")
    await any_ledger.lists.save(phone.conversation_id, SavedService(card=RENT, seq=1, place=0))
    for card in (RENT, food):
        await any_ledger.lists.save(chat.conversation_id, SavedService(card=card, seq=1, place=1))
    moved = await carry_on(any_ledger, "visitor", code)
    kept = await any_ledger.lists.saved(moved.conversation_id)
    assert [(one.card.name, one.seq) for one in kept] == [(RENT.name, 1), ("Food Bank", 2)]
    assert await any_ledger.lists.saved(chat.conversation_id) == []
    await any_ledger.lists.remove(moved.conversation_id, "svc-food")
    assert len(await any_ledger.lists.saved(moved.conversation_id)) == 1


# -- telling a code from anything else ---------------------------------------------------------------------------------


@given(st.integers())
def test_every_code_is_read_however_it_is_typed(_seed: int) -> None:
    code = new_code()
    for typed in (code, shown(code), code.lower(), f" {shown(code)}. ", f"my code is {code[:3]}-{code[3:]}"):
        assert read_code(typed) == code


@pytest.mark.parametrize(
    "text", ["really", "helped", "CV3 4FT", "W4 3AD", "346793", "116 123", "help me", "i am 34", ""]
)
def test_words_numbers_and_postcodes_are_no_codes(text: str) -> None:
    assert read_code(text) is None


def test_there_are_enough_codes() -> None:
    assert all(is_code(new_code()) for _ in range(100))
    assert not set("B8I1O0S5Z2") & set(LETTERS)


def expire_codes(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.data_dir / "ledger.sqlite")) as database, database:
        database.execute("UPDATE return_codes SET expires_at = '2020-01-01 00:00:00.000000'")
