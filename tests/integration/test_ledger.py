"""What the ledger promises about messages, on every database it supports."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.conversation import (
    Channel,
    Choice,
    Concern,
    Delivery,
    Holder,
    Inbound,
    Media,
    Reply,
    Sender,
    ServiceCard,
)
from channels.errors import NotFound, NotTaken
from channels.ledger import Cipher, Ledger
from channels.ledger.records import OpenEscalation, Outcome
from tests.ledger_builders import (
    NUMBER,
    OTHER_NUMBER,
    a_minute_ago,
    answer,
    ask_for_a_person,
    in_a_minute,
    message_now,
    notice,
    peer_named,
    says,
    text_from,
)

NO_TIME = timedelta(0)


class TestStoringInbound:
    async def test_a_first_message_makes_a_person_and_a_conversation(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from(language="cy"))
        person = await any_ledger.person_at(Channel.SMS, NUMBER)
        assert person is not None
        assert (person.address, person.language, person.do_not_text_first) == (NUMBER, "cy", False)
        conversation = await any_ledger.conversation_of(person.id)
        assert conversation.id == stored.conversation_id
        assert conversation.shard == stored.shard
        assert (conversation.holder, conversation.turns, conversation.last_seq) == (Holder.BOT, 0, 1)
        assert conversation.last_inbound_at is not None

    async def test_everything_in_it_is_read_back(self, any_ledger: Ledger) -> None:
        media = (Media(kind="picture", reference="https://provider.invalid/1", content_type="image/jpeg", size=5),)
        sent = text_from(text="im ok?\x00 \U0001f494", payload="details:svc-1", media=media, opt_out="STOP")
        stored = await any_ledger.store_inbound(sent)
        message = await message_now(any_ledger, stored.message_id)
        assert (message.text, message.payload, message.media) == (sent.text, sent.payload, sent.media)
        assert (message.opt_out, message.provider_id, message.sender) == ("STOP", "SM1", Sender.PERSON)
        assert (message.answered, message.delivery, message.attempts) == (False, None, 0)

    async def test_a_redelivered_message_is_stored_once(self, any_ledger: Ledger) -> None:
        first = await any_ledger.store_inbound(text_from())
        second = await any_ledger.store_inbound(text_from(text="tampered with"))
        assert second == replace(first, duplicate=True)
        assert [m.text for m in await any_ledger.messages(first.conversation_id)] == ["cant pay my rent"]

    async def test_the_same_provider_id_on_another_channel_is_another_message(self, any_ledger: Ledger) -> None:
        first = await any_ledger.store_inbound(text_from(provider_id="7"))
        second = await any_ledger.store_inbound(Inbound(channel=Channel.TELEGRAM, address=NUMBER, provider_id="7"))
        assert not second.duplicate
        assert second.conversation_id != first.conversation_id

    async def test_twenty_at_once_are_one_conversation_without_gaps(
        self, any_ledger: Ledger, any_ledger_url: str, cipher: Cipher
    ) -> None:
        """Half of them through another process's ledger, as it were: it shares nothing but the database."""
        elsewhere = Ledger.open(any_ledger_url, cipher, shards=4)
        arriving = [text_from(provider_id=f"SM{n % 15}") for n in range(20)]
        ledgers = [any_ledger, elsewhere] * 10
        stored = await asyncio.gather(
            *(ledger.store_inbound(one) for ledger, one in zip(ledgers, arriving, strict=True))
        )
        await elsewhere.close()
        assert len({one.conversation_id for one in stored}) == 1
        assert sum(one.duplicate for one in stored) == 5
        messages = await any_ledger.messages(stored[0].conversation_id)
        assert [message.seq for message in messages] == list(range(1, 16))

    async def test_two_people_have_two_conversations(self, any_ledger: Ledger) -> None:
        one = await any_ledger.store_inbound(text_from())
        other = await any_ledger.store_inbound(text_from(OTHER_NUMBER, "SM2"))
        assert one.conversation_id != other.conversation_id


class TestAnswering:
    async def test_messages_are_answered_in_the_order_they_came(self, any_ledger: Ledger) -> None:
        stored = [await any_ledger.store_inbound(text_from(provider_id=f"SM{n}")) for n in range(3)]
        conversation_id = stored[0].conversation_id
        for expected in stored:
            message = await any_ledger.next_unanswered(conversation_id)
            assert message is not None
            assert message.id == expected.message_id
            await answer(any_ledger, expected, says("ok"))
        assert await any_ledger.next_unanswered(conversation_id) is None

    async def test_everything_it_led_to_is_committed(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        card = ServiceCard(service_id="svc-1", name="Rent Help", phone="01632 960112", why="rent")
        reply = Reply(text="Of course.", cards=(card,), choices=(Choice(title="More", payload="more"),))
        committed = await answer(
            any_ledger,
            stored,
            says("Of course. 1 Rent Help 01632 960112", reply=reply, choices=reply.choices),
            says("Anything else?"),
            needs=("housing",),
            place="Wrenbridge",
            concerns=frozenset({Concern.SUICIDE}),
            intent="need",
        )
        assert (committed.conversation_id, committed.shard) == (stored.conversation_id, stored.shard)
        assert (committed.outbound, committed.escalation_id) == (2, None)
        question, first, second = await any_ledger.messages(stored.conversation_id)
        assert (question.answered, question.outcome) == (True, "bot")
        assert (first.reply, first.choices, first.seq, second.seq) == (reply, reply.choices, 2, 3)
        assert (first.delivery, first.answered) == (Delivery.QUEUED, False)
        conversation = await any_ledger.conversation(stored.conversation_id)
        assert (conversation.needs, conversation.place) == (("housing",), "Wrenbridge")
        assert conversation.concerns == {Concern.SUICIDE}
        assert (conversation.turns, conversation.episode_turns, conversation.last_seq) == (1, 1, 3)

    async def test_needs_and_concerns_only_grow(self, any_ledger: Ledger) -> None:
        first = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, first, needs=("debt",), place="Wrenbridge", concerns=frozenset({Concern.ABUSE}))
        second = await any_ledger.store_inbound(text_from(provider_id="SM2"))
        await answer(any_ledger, second, needs=("housing", "debt"))
        conversation = await any_ledger.conversation(first.conversation_id)
        assert (conversation.needs, conversation.place) == (("debt", "housing"), "Wrenbridge")
        assert conversation.concerns == {Concern.ABUSE}

    async def test_a_second_commit_changes_nothing(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        outcome = Outcome(message_id=stored.message_id, expected_holder=Holder.BOT, kind="bot", drafts=(says("once"),))
        results = await asyncio.gather(*(any_ledger.commit(outcome) for _ in range(8)))
        assert sum(result is not None for result in results) == 1
        assert len(await any_ledger.messages(stored.conversation_id)) == 2
        assert (await any_ledger.conversation(stored.conversation_id)).turns == 1

    async def test_nothing_is_committed_when_the_turn_changed_hands(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        stored = await any_ledger.store_inbound(text_from(provider_id="SM2"))
        await any_ledger.claim(escalation_id, await peer_named(any_ledger, "Sam"), in_a_minute(), notice())
        before = await any_ledger.messages(stored.conversation_id)
        outcome = Outcome(
            message_id=stored.message_id, expected_holder=Holder.BOT, kind="bot", drafts=(says("too late"),)
        )
        assert await any_ledger.commit(outcome) is None
        assert await any_ledger.messages(stored.conversation_id) == before
        assert await any_ledger.commit(replace(outcome, expected_holder=Holder.PEER, kind="peer", drafts=()))

    async def test_a_message_that_is_not_there_is_an_error(self, any_ledger: Ledger) -> None:
        with pytest.raises(NotFound):
            await any_ledger.commit(Outcome(message_id="0" * 24, expected_holder=Holder.BOT, kind="bot"))

    async def test_a_new_episode_begins_after_this_answer(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        before = (await any_ledger.conversation(stored.conversation_id)).episode
        await answer(any_ledger, stored, says("bye"), new_episode=True)
        after = await any_ledger.conversation(stored.conversation_id)
        assert after.episode != before
        assert (after.turns, after.episode_turns) == (1, 0)
        asked, answered = await any_ledger.messages(stored.conversation_id)
        assert asked.episode == answered.episode == before

    async def test_a_wish_not_to_be_texted_is_kept_and_can_be_taken_back(self, any_ledger: Ledger) -> None:
        for number, wish in enumerate((True, False)):
            stored = await any_ledger.store_inbound(text_from(provider_id=f"SM{number}"))
            await answer(any_ledger, stored, do_not_text_first=wish)
            person = await any_ledger.person_at(Channel.SMS, NUMBER)
            assert person is not None
            assert person.do_not_text_first is wish

    async def test_attempts_are_counted(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        assert [await any_ledger.count_attempt(stored.message_id) for _ in range(3)] == [1, 2, 3]
        assert (await message_now(any_ledger, stored.message_id)).attempts == 3


class TestChoices:
    async def test_the_newest_that_were_offered_count(self, any_ledger: Ledger) -> None:
        old, new = Choice(title="Old", payload="details:a"), Choice(title="New", payload="details:b")
        stored = await any_ledger.store_inbound(text_from())
        assert await any_ledger.last_choices(stored.conversation_id) == ()
        await answer(any_ledger, stored, says("1", choices=(old,)), says("2", choices=(new,)), says("3"))
        assert await any_ledger.last_choices(stored.conversation_id) == (new,)

    async def test_after_five_messages_of_ours_a_number_is_just_a_number(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("1", choices=(Choice(title="A", payload="more"),)))
        for _ in range(4):
            await any_ledger.append(stored.conversation_id, [says("and")])
        assert await any_ledger.last_choices(stored.conversation_id) != ()
        await any_ledger.append(stored.conversation_id, [says("and")])
        assert await any_ledger.last_choices(stored.conversation_id) == ()


class TestAppending:
    async def test_a_peers_reply_goes_behind_what_is_there(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        draft = replace(says("Hi, I'm Sam"), sender=Sender.PEER, sender_name="Sam")
        committed = await any_ledger.append(stored.conversation_id, [draft])
        assert (committed.outbound, committed.shard) == (1, stored.shard)
        message = (await any_ledger.messages(stored.conversation_id, after_seq=1))[0]
        assert (message.text, message.sender, message.sender_name, message.seq) == (
            "Hi, I'm Sam",
            Sender.PEER,
            "Sam",
            2,
        )

    async def test_only_whoever_holds_the_conversation_may_speak(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam, ana = await peer_named(any_ledger, "Sam"), await peer_named(any_ledger, "Ana")
        held = await any_ledger.claim(escalation_id, sam, in_a_minute(), notice())
        await any_ledger.append(held.conversation_id, [says("hello")], held_by=sam.id)
        with pytest.raises(NotTaken, match="Sam"):
            await any_ledger.append(held.conversation_id, [says("me too")], held_by=ana.id)

    async def test_many_at_once_get_a_number_each(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await asyncio.gather(*(any_ledger.append(stored.conversation_id, [says(str(n))]) for n in range(12)))
        messages = await any_ledger.messages(stored.conversation_id)
        assert [message.seq for message in messages] == list(range(1, 14))

    async def test_a_conversation_that_is_not_there_is_an_error(self, any_ledger: Ledger) -> None:
        with pytest.raises(NotFound):
            await any_ledger.append("0" * 24, [says("hello?")])


class TestStalled:
    async def test_only_what_nothing_has_happened_to(self, any_ledger: Ledger) -> None:
        quiet = await any_ledger.store_inbound(text_from())
        assert (await any_ledger.stalled(timedelta(minutes=1))).inbound == []
        assert (await any_ledger.stalled(NO_TIME)).inbound == [(quiet.shard, quiet.conversation_id)]
        await answer(any_ledger, quiet, says("hi"))
        found = await any_ledger.stalled(NO_TIME)
        assert (found.inbound, found.outbound) == ([], [(quiet.shard, quiet.conversation_id)])
        message = await any_ledger.next_unsent(quiet.conversation_id)
        assert message is not None
        await any_ledger.mark_sending(message.id)
        assert (await any_ledger.stalled(NO_TIME)).outbound == [(quiet.shard, quiet.conversation_id)]
        await any_ledger.mark_sent(message.id, "SM-out")
        assert (await any_ledger.stalled(NO_TIME)).outbound == []

    async def test_a_conversation_is_named_once_and_the_oldest_first(self, any_ledger: Ledger) -> None:
        first = await any_ledger.store_inbound(text_from())
        second = await any_ledger.store_inbound(text_from(OTHER_NUMBER, "SM2"))
        await any_ledger.store_inbound(text_from(provider_id="SM3"))
        ids = [conversation_id for _, conversation_id in (await any_ledger.stalled(NO_TIME)).inbound]
        assert ids == [first.conversation_id, second.conversation_id]

    async def test_putting_it_off_counts_as_something_happening(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await asyncio.sleep(1)
        assert (await any_ledger.stalled(timedelta(seconds=1))).inbound
        await any_ledger.defer(stored.message_id)
        assert (await any_ledger.stalled(timedelta(seconds=1))).inbound == []

    async def test_a_later_try_is_not_stalled_before_its_time(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("hi"))
        message = await any_ledger.next_unsent(stored.conversation_id)
        assert message is not None
        await any_ledger.mark_failed(message.id, "1", "", in_a_minute())
        assert (await any_ledger.stalled(NO_TIME)).outbound == []
        await any_ledger.mark_failed(message.id, "1", "", a_minute_ago())
        assert (await any_ledger.stalled(NO_TIME)).outbound != []


async def test_what_is_held_is_told_in_counts(any_ledger: Ledger) -> None:
    began = datetime.now(UTC)
    stored = await any_ledger.store_inbound(text_from())
    await answer(
        any_ledger, stored, says("hi"), needs=("debt",), place="Wrenbridge", escalation=OpenEscalation(reason="asked")
    )
    person = await any_ledger.person_at(Channel.SMS, NUMBER)
    assert person is not None
    held = await any_ledger.held(person.id)
    assert (held.messages, held.needs, held.place) == (2, ("debt",), "Wrenbridge")
    assert began <= held.since <= datetime.now(UTC)
    assert timedelta(days=90) <= held.keep_until - began < timedelta(days=90, minutes=1)


@pytest.mark.parametrize("missing", ["conversation", "conversation_of", "person"])
async def test_an_id_that_is_not_there_is_an_error(any_ledger: Ledger, missing: str) -> None:
    with pytest.raises(NotFound):
        await getattr(any_ledger, missing)("0" * 24)


@pytest.mark.parametrize("missing", ["message", "escalation", "peer", "escalation_of", "peer_by_login", "session"])
async def test_what_a_page_may_ask_for_in_vain_is_none(any_ledger: Ledger, missing: str) -> None:
    assert await getattr(any_ledger, missing)("0" * 24) is None
