"""People waiting for a peer worker: nobody is lost, nobody is taken twice, the order is told truthfully."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from channels.conversation import Concern, EscalationState, Holder
from channels.errors import NotTaken
from channels.ledger import Cipher, Ledger
from channels.ledger.records import EscalationRecord, OpenEscalation
from tests.ledger_builders import (
    NUMBER,
    OTHER_NUMBER,
    a_minute_ago,
    answer,
    ask_for_a_person,
    in_a_minute,
    notice,
    peer_named,
    says,
    text_from,
)

THIRD_NUMBER = "+441632960003"


async def escalation_now(ledger: Ledger, escalation_id: str) -> EscalationRecord:
    found = await ledger.escalation(escalation_id)
    assert found is not None
    return found


async def holder(ledger: Ledger, escalation_id: str) -> Holder:
    return (await ledger.conversation((await escalation_now(ledger, escalation_id)).conversation_id)).holder


async def last_text(ledger: Ledger, escalation_id: str) -> str:
    conversation_id = (await escalation_now(ledger, escalation_id)).conversation_id
    return (await ledger.messages(conversation_id))[-1].text


class TestAsking:
    async def test_opens_in_the_same_commit_as_the_reply(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from(language="pl"))
        committed = await answer(
            any_ledger,
            stored,
            says("You are next."),
            needs=("debt",),
            concerns=frozenset({Concern.ABUSE}),
            escalation=OpenEscalation(reason="asked", need="housing"),
        )
        assert await any_ledger.place_in_queue(stored.conversation_id, True) == 1
        found = await any_ledger.escalation_of(stored.conversation_id)
        assert found is not None
        assert found.id == committed.escalation_id
        assert (found.state, found.reason, found.language) == (EscalationState.WAITING, "asked", "pl")
        assert (found.needs, found.concerns) == (("debt", "housing"), {Concern.ABUSE})
        assert (await any_ledger.conversation(stored.conversation_id)).holder is Holder.BOT

    async def test_asking_again_adds_to_the_open_one(self, any_ledger: Ledger) -> None:
        first = await ask_for_a_person(any_ledger)
        stored = await any_ledger.store_inbound(text_from(provider_id="SM2"))
        committed = await answer(
            any_ledger,
            stored,
            needs=("food",),
            concerns=frozenset({Concern.SELF_HARM}),
            escalation=OpenEscalation(reason="concern"),
        )
        assert committed.escalation_id == first
        assert len(await any_ledger.waiting()) == 1
        found = await escalation_now(any_ledger, first)
        assert (found.reason, found.needs, found.concerns) == ("concern", ("housing", "food"), {Concern.SELF_HARM})

    async def test_a_concern_found_while_waiting_moves_the_person_up_without_asking(self, any_ledger: Ledger) -> None:
        early = await ask_for_a_person(any_ledger)
        late = await ask_for_a_person(any_ledger, OTHER_NUMBER)
        stored = await any_ledger.store_inbound(text_from(OTHER_NUMBER, "SM9"))
        committed = await answer(any_ledger, stored, concerns=frozenset({Concern.DANGER_NOW}))
        assert committed.escalation_id == late
        assert [found.id for found in await any_ledger.waiting()] == [late, early]

    async def test_an_ordinary_answer_says_that_the_person_still_waits(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        stored = await any_ledger.store_inbound(text_from(provider_id="SM2"))
        committed = await answer(any_ledger, stored, says("while you wait"))
        assert committed.escalation_id == escalation_id

    async def test_after_a_close_asking_opens_a_new_one_that_knows_the_old_concerns(self, any_ledger: Ledger) -> None:
        first = await ask_for_a_person(any_ledger, concerns=[Concern.SUICIDE])
        sam = await peer_named(any_ledger, "Sam")
        await any_ledger.claim(first, sam, in_a_minute(), notice())
        assert await any_ledger.close_escalation(first, sam.id, notice())
        stored = await any_ledger.store_inbound(text_from(provider_id="SM2"))
        committed = await answer(any_ledger, stored, escalation=OpenEscalation(reason="asked"))
        assert committed.escalation_id not in (None, first)
        assert (await any_ledger.waiting())[0].concerns == {Concern.SUICIDE}


class TestTheQueue:
    async def test_concern_first_then_who_has_waited_longest(self, any_ledger: Ledger) -> None:
        plain = await ask_for_a_person(any_ledger)
        first = await ask_for_a_person(any_ledger, OTHER_NUMBER, [Concern.SUICIDE])
        second = await ask_for_a_person(any_ledger, THIRD_NUMBER, [Concern.ABUSE])
        assert [found.id for found in await any_ledger.waiting()] == [first, second, plain]
        places = []
        for escalation_id in (first, second, plain):
            conversation_id = (await escalation_now(any_ledger, escalation_id)).conversation_id
            concern = bool((await escalation_now(any_ledger, escalation_id)).concerns)
            places.append(await any_ledger.place_in_queue(conversation_id, concern))
        assert places == [1, 2, 3]

    async def test_the_place_somebody_would_have(self, any_ledger: Ledger) -> None:
        assert await any_ledger.place_in_queue(None, has_concern=False) == 1
        await ask_for_a_person(any_ledger)
        await ask_for_a_person(any_ledger, OTHER_NUMBER, [Concern.ABUSE])
        assert await any_ledger.place_in_queue(None, has_concern=False) == 3
        assert await any_ledger.place_in_queue(None, has_concern=True) == 2
        stored = await any_ledger.store_inbound(text_from(THIRD_NUMBER, "SM3"))
        assert await any_ledger.place_in_queue(stored.conversation_id, has_concern=True) == 2

    async def test_a_concern_just_found_counts_for_the_place(self, any_ledger: Ledger) -> None:
        await ask_for_a_person(any_ledger)
        late = await ask_for_a_person(any_ledger, OTHER_NUMBER)
        conversation_id = (await escalation_now(any_ledger, late)).conversation_id
        assert await any_ledger.place_in_queue(conversation_id, has_concern=False) == 2
        assert await any_ledger.place_in_queue(conversation_id, has_concern=True) == 1

    async def test_who_is_talking_with_a_peer_is_not_in_it(self, any_ledger: Ledger) -> None:
        held = await ask_for_a_person(any_ledger)
        await any_ledger.claim(held, await peer_named(any_ledger, "Sam"), in_a_minute(), notice())
        await ask_for_a_person(any_ledger, OTHER_NUMBER)
        assert await any_ledger.place_in_queue(None, has_concern=False) == 2
        assert [found.id for found in await any_ledger.held_escalations()] == [held]

    async def test_recent_ones_in_any_state_newest_first(self, any_ledger: Ledger) -> None:
        first = await ask_for_a_person(any_ledger)
        second = await ask_for_a_person(any_ledger, OTHER_NUMBER)
        sam = await peer_named(any_ledger, "Sam")
        await any_ledger.claim(first, sam, in_a_minute(), notice())
        await any_ledger.close_escalation(first, sam.id, None)
        assert [found.id for found in await any_ledger.recent_escalations(5)] == [second, first]
        assert [found.id for found in await any_ledger.recent_escalations(1)] == [second]


class TestClaiming:
    async def test_one_of_twenty_wins_and_the_others_are_told_who(
        self, any_ledger: Ledger, any_ledger_url: str, cipher: Cipher
    ) -> None:
        """Half of them on another process's ledger, as it were: it shares nothing but the database."""
        elsewhere = Ledger.open(any_ledger_url, cipher, shards=4)
        escalation_id = await ask_for_a_person(any_ledger)
        peers = [await peer_named(any_ledger, f"Peer {n}") for n in range(20)]
        results = await asyncio.gather(
            *(
                ledger.claim(escalation_id, peer, in_a_minute(), notice(f"{peer.name} is here"))
                for ledger, peer in zip([any_ledger, elsewhere] * 10, peers, strict=True)
            ),
            return_exceptions=True,
        )
        await elsewhere.close()
        won = [result for result in results if isinstance(result, EscalationRecord)]
        lost = [result for result in results if isinstance(result, NotTaken)]
        assert (len(won), len(lost)) == (1, 19)
        assert {error.holder_name for error in lost} == {won[0].claimed_name}
        messages = await any_ledger.messages(won[0].conversation_id)
        assert [m.text for m in messages if m.text.endswith("is here")] == [f"{won[0].claimed_name} is here"]

    async def test_the_turn_passes_with_it(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam, until = await peer_named(any_ledger, "Sam"), in_a_minute()
        held = await any_ledger.claim(escalation_id, sam, until, notice("Sam is here"))
        assert (held.state, held.claimed_by, held.claimed_name) == (EscalationState.HELD, sam.id, "Sam")
        assert held.claimed_at is not None
        assert held.lease_until == until
        assert await holder(any_ledger, escalation_id) is Holder.PEER
        assert await last_text(any_ledger, escalation_id) == "Sam is here"
        assert await any_ledger.waiting() == []

    async def test_claiming_what_one_holds_already_only_renews(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam = await peer_named(any_ledger, "Sam")
        first = await any_ledger.claim(escalation_id, sam, in_a_minute(), notice())
        later = in_a_minute() + timedelta(minutes=1)
        again = await any_ledger.claim(escalation_id, sam, later, notice())
        assert (again.claimed_at, again.lease_until) == (first.claimed_at, later)
        messages = await any_ledger.messages(first.conversation_id)
        assert sum(message.text == notice().text for message in messages) == 1

    async def test_what_is_closed_or_never_was_cannot_be_taken(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam = await peer_named(any_ledger, "Sam")
        await any_ledger.claim(escalation_id, sam, in_a_minute(), notice())
        await any_ledger.close_escalation(escalation_id, sam.id, None)
        for gone in (escalation_id, "0" * 24):
            with pytest.raises(NotTaken) as caught:
                await any_ledger.claim(gone, sam, in_a_minute(), notice())
            assert caught.value.holder_name == ""

    async def test_a_claim_and_an_answer_at_the_same_moment_never_mix(self, any_ledger: Ledger) -> None:
        """Whoever is first, the assistant never speaks after the peer worker has joined."""
        sam = await peer_named(any_ledger, "Sam")
        for n in range(6):
            number = f"+4416329601{n:02d}"
            escalation_id = await ask_for_a_person(any_ledger, number)
            stored = await any_ledger.store_inbound(text_from(number, f"SM-{n}"))
            await asyncio.gather(
                any_ledger.claim(escalation_id, sam, in_a_minute(), notice("joined")),
                try_to_answer(any_ledger, stored),
            )
            texts = [message.text for message in await any_ledger.messages(stored.conversation_id)]
            assert texts[-1] == "joined"
            assert [m.seq for m in await any_ledger.messages(stored.conversation_id)] == list(range(1, len(texts) + 1))


async def try_to_answer(ledger: Ledger, stored: object) -> None:
    try:
        await answer(ledger, stored, says("from the assistant"))  # type: ignore[arg-type]
    except AssertionError:
        return


class TestLeases:
    async def test_only_the_holder_can_renew(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam, ana = await peer_named(any_ledger, "Sam"), await peer_named(any_ledger, "Ana")
        await any_ledger.claim(escalation_id, sam, a_minute_ago(), notice())
        assert not await any_ledger.renew(escalation_id, ana.id, in_a_minute())
        assert await any_ledger.renew(escalation_id, sam.id, in_a_minute())
        assert await any_ledger.expired_leases(datetime.now(UTC)) == []

    async def test_one_that_ran_out_goes_back_to_its_place(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        later = await ask_for_a_person(any_ledger, OTHER_NUMBER)
        sam = await peer_named(any_ledger, "Sam")
        await any_ledger.claim(escalation_id, sam, a_minute_ago(), notice())
        now = datetime.now(UTC)
        assert [found.id for found in await any_ledger.expired_leases(now)] == [escalation_id]
        assert await any_ledger.give_back(escalation_id, notice("Sam had to go"), expired_at=now)
        assert [found.id for found in await any_ledger.waiting()] == [escalation_id, later]
        back = await escalation_now(any_ledger, escalation_id)
        assert (back.claimed_by, back.claimed_name, back.lease_until) == (None, "", None)
        assert await holder(any_ledger, escalation_id) is Holder.BOT
        assert await last_text(any_ledger, escalation_id) == "Sam had to go"
        assert not await any_ledger.renew(escalation_id, sam.id, in_a_minute())

    async def test_one_renewed_meanwhile_stays(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam = await peer_named(any_ledger, "Sam")
        await any_ledger.claim(escalation_id, sam, a_minute_ago(), notice())
        now = datetime.now(UTC)
        await any_ledger.renew(escalation_id, sam.id, in_a_minute())
        assert not await any_ledger.give_back(escalation_id, notice("gone"), expired_at=now)
        assert await holder(any_ledger, escalation_id) is Holder.PEER

    async def test_passing_on_works_for_the_holder_only(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam, ana = await peer_named(any_ledger, "Sam"), await peer_named(any_ledger, "Ana")
        await any_ledger.claim(escalation_id, sam, in_a_minute(), notice())
        assert not await any_ledger.give_back(escalation_id, None, held_by=ana.id)
        assert await any_ledger.give_back(escalation_id, None, held_by=sam.id)
        assert not await any_ledger.give_back(escalation_id, None, held_by=sam.id)
        taken = await any_ledger.claim(escalation_id, ana, in_a_minute(), notice())
        assert taken.claimed_name == "Ana"


class TestLapsing:
    async def test_who_waits_too_long_is_told_and_stays_visible(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        assert await any_ledger.overdue(a_minute_ago()) == []
        assert [found.id for found in await any_ledger.overdue(in_a_minute())] == [escalation_id]
        assert await any_ledger.lapse(escalation_id, notice("Who can help now"))
        assert not await any_ledger.lapse(escalation_id, notice("Who can help now"))
        assert await last_text(any_ledger, escalation_id) == "Who can help now"
        assert [found.state for found in await any_ledger.waiting()] == [EscalationState.LAPSED]
        assert await any_ledger.overdue(in_a_minute()) == []

    async def test_it_can_still_be_taken(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        await any_ledger.lapse(escalation_id, None)
        held = await any_ledger.claim(escalation_id, await peer_named(any_ledger, "Sam"), in_a_minute(), notice())
        assert held.state is EscalationState.HELD

    async def test_asking_again_waits_anew(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        await any_ledger.lapse(escalation_id, None)
        asked_again = datetime.now(UTC)
        stored = await any_ledger.store_inbound(text_from(NUMBER, "SM2"))
        committed = await answer(any_ledger, stored, escalation=OpenEscalation(reason="asked"))
        assert committed.escalation_id == escalation_id
        assert (await escalation_now(any_ledger, escalation_id)).state is EscalationState.WAITING
        assert await any_ledger.overdue(asked_again) == []

    async def test_who_is_with_a_peer_never_lapses(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        await any_ledger.claim(escalation_id, await peer_named(any_ledger, "Sam"), in_a_minute(), notice())
        assert not await any_ledger.lapse(escalation_id, notice("nobody"))
        assert await any_ledger.overdue(in_a_minute()) == []


async def test_an_escalation_that_never_was_changes_nothing(any_ledger: Ledger) -> None:
    missing = "0" * 24
    assert not await any_ledger.give_back(missing, notice())
    assert not await any_ledger.lapse(missing, notice())
    assert not await any_ledger.close_escalation(missing, missing, notice())
    assert not await any_ledger.renew(missing, missing, in_a_minute())


class TestClosing:
    async def test_the_turn_goes_back_and_a_new_episode_begins(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam = await peer_named(any_ledger, "Sam")
        held = await any_ledger.claim(escalation_id, sam, in_a_minute(), notice())
        before = await any_ledger.conversation(held.conversation_id)
        assert await any_ledger.close_escalation(escalation_id, sam.id, notice("You're back with the assistant"))
        after = await any_ledger.conversation(held.conversation_id)
        assert (after.holder, after.episode_turns) == (Holder.BOT, 0)
        assert after.episode != before.episode
        closed = await escalation_now(any_ledger, escalation_id)
        assert (closed.state, closed.claimed_name) == (EscalationState.CLOSED, "Sam")
        assert closed.closed_at is not None
        assert await any_ledger.escalation_of(held.conversation_id) is None
        assert await last_text(any_ledger, escalation_id) == "You're back with the assistant"

    async def test_only_the_holder_can_and_only_once(self, any_ledger: Ledger) -> None:
        escalation_id = await ask_for_a_person(any_ledger)
        sam, ana = await peer_named(any_ledger, "Sam"), await peer_named(any_ledger, "Ana")
        assert not await any_ledger.close_escalation(escalation_id, sam.id, notice("x"))
        await any_ledger.claim(escalation_id, sam, in_a_minute(), notice())
        assert not await any_ledger.close_escalation(escalation_id, ana.id, notice("x"))
        results = await asyncio.gather(
            *(any_ledger.close_escalation(escalation_id, sam.id, notice("bye")) for _ in range(5))
        )
        assert sum(results) == 1
