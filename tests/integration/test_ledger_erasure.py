"""What is erased is gone: from what the ledger answers, and from the bytes of the database file."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from channels.conversation import Channel, Choice, Concern, EscalationState, Media, Reply, ServiceCard
from channels.errors import NotFound
from channels.ledger import Cipher, Ledger
from channels.ledger.records import OpenEscalation, SavedService
from channels.settings import Settings
from tests.ledger_builders import (
    NUMBER,
    OTHER_NUMBER,
    TEST_KEY,
    TEST_PERSON_SECRET,
    answer,
    ask_for_a_person,
    in_a_minute,
    message_now,
    notice,
    peer_named,
    says,
    text_from,
)

CANARY = "canary-sings-at-dawn"
COLUMNS = {
    "people": ["address", "person_key"],
    "conversations": ["notes"],
    "messages": ["body", "provider_id", "error_text"],
    "escalations": ["notes"],
    "saved_services": ["service_key", "body"],
}


def file_bytes(settings: Settings) -> bytes:
    """Everything the database has on disk, its logs too."""
    return b"".join(path.read_bytes() for path in settings.data_dir.glob("ledger.sqlite*"))


def secrets_held(settings: Settings) -> list[str]:
    """Every encrypted or keyed value in the database now."""
    connection = sqlite3.connect(settings.data_dir / "ledger.sqlite")
    found = [
        value
        for table, columns in COLUMNS.items()
        for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}")
        for value in row
        if value
    ]
    connection.close()
    return found


async def a_whole_story(ledger: Ledger) -> str:
    """A person of whom something is in every column that can hold something; gives their id."""
    picture = Media(kind="picture", reference=f"https://provider.invalid/{CANARY}")
    stored = await ledger.store_inbound(text_from(provider_id=f"SM-{CANARY}", text=CANARY, media=(picture,)))
    choice = Choice(title=CANARY, payload="more")
    await answer(
        ledger,
        stored,
        says(f"You said {CANARY}", reply=Reply(text=CANARY), choices=(choice,)),
        needs=(CANARY,),
        place=CANARY,
        concerns=frozenset({Concern.ABUSE}),
        escalation=OpenEscalation(reason="asked", need=CANARY),
    )
    card = ServiceCard(service_id=CANARY, name=CANARY, phone=CANARY)
    await ledger.lists.save(stored.conversation_id, SavedService(card=card, seq=2, place=0))
    message = await ledger.next_unsent(stored.conversation_id)
    assert message is not None
    await ledger.mark_failed(message.id, "30001", f"could not reach {NUMBER}", None)
    return (await ledger.conversation(stored.conversation_id)).person_id


async def test_nothing_can_be_read_in_the_file(ledger: Ledger, settings: Settings) -> None:
    await a_whole_story(ledger)
    held = file_bytes(settings)
    assert len(held) > 50_000
    for words in (CANARY, NUMBER, NUMBER[1:], "ABUSE", "abuse"):
        assert words.encode() not in held


async def test_forgetting_leaves_no_byte_of_it(ledger: Ledger, settings: Settings) -> None:
    person_id = await a_whole_story(ledger)
    before = secrets_held(settings)
    assert len(before) >= 8
    assert all(value.encode() in file_bytes(settings) for value in before)
    await ledger.forget(person_id)
    assert secrets_held(settings) == []
    after = file_bytes(settings)
    assert [value for value in before if value.encode() in after] == []


async def test_no_byte_of_the_farewell_stays_once_it_is_sent(ledger: Ledger, settings: Settings) -> None:
    person_id = await a_whole_story(ledger)
    conversation_id = (await ledger.conversation_of(person_id)).id
    await ledger.append(conversation_id, [says(f"Goodbye {CANARY}")])
    await ledger.forget(person_id)
    farewell = await ledger.next_unsent(conversation_id)
    assert farewell is not None
    held = secrets_held(settings)
    assert len(held) == 2
    await ledger.mark_sending(farewell.id)
    await ledger.mark_sent(farewell.id, "SM-out")
    assert secrets_held(settings) == []
    after = file_bytes(settings)
    assert [value for value in held if value.encode() in after] == []


async def test_a_reader_in_the_way_only_postpones_it(ledger: Ledger, settings: Settings) -> None:
    person_id = await a_whole_story(ledger)
    before = secrets_held(settings)
    reader = sqlite3.connect(settings.data_dir / "ledger.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM messages").fetchone()
    await ledger.forget(person_id)
    assert any(value.encode() in file_bytes(settings) for value in before)
    reader.close()
    await ledger.expire(datetime.now(UTC) - timedelta(days=1))
    after = file_bytes(settings)
    assert [value for value in before if value.encode() in after] == []


class TestForgetting:
    async def test_words_go_and_counts_stay(self, any_ledger: Ledger) -> None:
        person_id = await a_whole_story(any_ledger)
        conversation = await any_ledger.conversation_of(person_id)
        await any_ledger.forget(person_id)
        person = await any_ledger.person(person_id)
        assert (person.address, person.language) == ("", None)
        assert await any_ledger.person_at(Channel.SMS, NUMBER) is None
        messages = await any_ledger.messages(conversation.id)
        assert [(m.text, m.reply, m.choices, m.media, m.provider_id, m.error_text) for m in messages] == [
            ("", None, (), (), "", "")
        ] * 2
        after = await any_ledger.conversation(conversation.id)
        assert (after.needs, after.place, after.concerns) == ((), None, frozenset())
        assert (after.turns, after.last_seq) == (conversation.turns, conversation.last_seq)
        assert await any_ledger.last_choices(conversation.id) == ()

    async def test_whoever_waited_is_out_of_the_queue(self, any_ledger: Ledger) -> None:
        person_id = await a_whole_story(any_ledger)
        conversation_id = (await any_ledger.conversation_of(person_id)).id
        await any_ledger.forget(person_id)
        assert await any_ledger.waiting() == []
        assert await any_ledger.escalation_of(conversation_id) is None
        (closed,) = await any_ledger.recent_escalations()
        assert (closed.state, closed.needs, closed.concerns) == (EscalationState.CLOSED, (), frozenset())

    async def test_writing_again_starts_afresh_and_an_old_redelivery_does_not(self, any_ledger: Ledger) -> None:
        first = await any_ledger.store_inbound(text_from())
        await any_ledger.forget((await any_ledger.conversation(first.conversation_id)).person_id)
        assert (await any_ledger.store_inbound(text_from())).duplicate
        fresh = await any_ledger.store_inbound(text_from(provider_id="SM2"))
        assert fresh.conversation_id != first.conversation_id
        assert (await any_ledger.conversation(fresh.conversation_id)).last_seq == 1

    async def test_what_nobody_answered_yet_is_marked_so(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await any_ledger.forget((await any_ledger.conversation(stored.conversation_id)).person_id)
        message = await message_now(any_ledger, stored.message_id)
        assert (message.answered, message.outcome) == (True, "forgotten")
        assert await any_ledger.next_unanswered(stored.conversation_id) is None
        assert (await any_ledger.stalled(timedelta(0))).inbound == []

    async def test_the_farewell_is_still_sent_and_goes_with_the_address(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("Done. All gone."))
        person_id = (await any_ledger.conversation(stored.conversation_id)).person_id
        await any_ledger.forget(person_id)
        assert (await any_ledger.person(person_id)).address == NUMBER
        assert (await message_now(any_ledger, stored.message_id)).text == ""
        farewell = await any_ledger.next_unsent(stored.conversation_id)
        assert farewell is not None
        assert farewell.text == "Done. All gone."
        await any_ledger.mark_sending(farewell.id)
        await any_ledger.mark_sent(farewell.id, "SM-out")
        assert (await any_ledger.person(person_id)).address == ""
        assert (await message_now(any_ledger, farewell.id)).text == ""

    async def test_a_farewell_that_cannot_be_sent_goes_too(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("Done. All gone."))
        person_id = (await any_ledger.conversation(stored.conversation_id)).person_id
        await any_ledger.forget(person_id)
        farewell = await any_ledger.next_unsent(stored.conversation_id)
        assert farewell is not None
        await any_ledger.mark_failed(farewell.id, "30003", "their phone is off", in_a_minute())
        assert (await any_ledger.person(person_id)).address == NUMBER
        await any_ledger.mark_failed(farewell.id, "30003", "their phone is off", None)
        gone = await message_now(any_ledger, farewell.id)
        assert ((await any_ledger.person(person_id)).address, gone.text, gone.error_text) == ("", "", "")

    async def test_nothing_more_is_queued_for_somebody_forgotten(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await any_ledger.forget((await any_ledger.conversation(stored.conversation_id)).person_id)
        committed = await any_ledger.append(stored.conversation_id, [says("hello?")])
        assert committed.outbound == 0
        assert await any_ledger.next_unsent(stored.conversation_id) is None

    async def test_others_keep_everything(self, any_ledger: Ledger) -> None:
        other = await any_ledger.store_inbound(text_from(OTHER_NUMBER, "SM2", "still here"))
        person_id = await a_whole_story(any_ledger)
        await any_ledger.forget(person_id)
        assert (await message_now(any_ledger, other.message_id)).text == "still here"
        assert await any_ledger.person_at(Channel.SMS, OTHER_NUMBER) is not None

    async def test_it_is_on_record(self, any_ledger: Ledger) -> None:
        person_id = await a_whole_story(any_ledger)
        await any_ledger.forget(person_id)
        entry = (await any_ledger.audit_log(1))[0]
        assert (entry.action, entry.subject) == ("person_forgotten", person_id)

    async def test_nobody_there_to_forget(self, any_ledger: Ledger) -> None:
        with pytest.raises(NotFound):
            await any_ledger.forget("0" * 24)


class TestRetention:
    async def test_old_words_go_with_their_person(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored)
        assert await any_ledger.expire(datetime.now(UTC) - timedelta(days=1)) == 0
        assert (await message_now(any_ledger, stored.message_id)).text != ""
        assert await any_ledger.expire(in_a_minute()) > 0
        assert (await message_now(any_ledger, stored.message_id)).text == ""
        assert await any_ledger.person_at(Channel.SMS, NUMBER) is None
        assert await any_ledger.expire(in_a_minute()) == 0

    async def test_somebody_who_writes_again_loses_the_old_words_only(self, any_ledger: Ledger) -> None:
        first = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, first)
        between = datetime.now(UTC)
        second = await any_ledger.store_inbound(text_from(provider_id="SM2", text="again"))
        assert await any_ledger.expire(between) == 1
        assert (await message_now(any_ledger, first.message_id)).text == ""
        assert (await message_now(any_ledger, second.message_id)).text == "again"
        assert await any_ledger.person_at(Channel.SMS, NUMBER) is not None

    async def test_what_is_unfinished_is_left_alone(self, any_ledger: Ledger) -> None:
        unanswered = await any_ledger.store_inbound(text_from())
        await ask_for_a_person(any_ledger, OTHER_NUMBER)
        await any_ledger.expire(in_a_minute())
        assert (await message_now(any_ledger, unanswered.message_id)).text != ""
        assert await any_ledger.person_at(Channel.SMS, NUMBER) is not None
        assert await any_ledger.person_at(Channel.SMS, OTHER_NUMBER) is not None
        assert len(await any_ledger.waiting()) == 1


async def test_new_keys_take_over_everything(any_ledger: Ledger, any_ledger_url: str) -> None:
    person_id = await a_whole_story(any_ledger)
    escalation_id = (await any_ledger.waiting())[0].id
    await any_ledger.claim(escalation_id, await peer_named(any_ledger, "Sam"), in_a_minute(), notice())
    new_key = Fernet.generate_key().decode()
    both = Ledger.open(any_ledger_url, Cipher([new_key, TEST_KEY], TEST_PERSON_SECRET), shards=4)
    assert await both.reencrypt() == 1, "the key of the one person there is"
    assert await both.reencrypt() == 0
    await both.close()
    new_only = Ledger.open(any_ledger_url, Cipher([new_key], TEST_PERSON_SECRET), shards=4)
    assert (await new_only.person(person_id)).address == NUMBER
    conversation = await new_only.conversation_of(person_id)
    assert (conversation.place, conversation.needs) == (CANARY, (CANARY,))
    assert (await new_only.messages(conversation.id))[0].text == CANARY
    assert (await new_only.messages(conversation.id))[1].error_text == f"could not reach {NUMBER}"
    assert (await new_only.held_escalations())[0].needs == (CANARY,)
    assert await new_only.verify_audit()
    await new_only.close()
