"""The queue on a real ledger and a real Valkey: nobody is lost, nobody is taken twice, everybody is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import redis

from channels.conversation import Channel, Concern, Delivery, EscalationState, Holder, Sender
from channels.errors import NotTaken
from channels.escalation import CapReached, EmptyReply, Escalations, NotYours
from channels.ledger import Ledger
from channels.ledger.records import EscalationRecord, OpenEscalation, PeerRecord
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests import patience
from tests.desk_builders import Clock
from tests.escalation_builders import ask, last_words, now_of, said
from tests.ledger_builders import answer, peer_named, text_from

pytest_plugins = ["tests.desk_fixtures"]

WORDING = Wording.load()
WORRY = (Concern.SUICIDE,)


@pytest.fixture
async def sam(ledger: Ledger) -> PeerRecord:
    return await peer_named(ledger, "Sam")


@pytest.fixture
async def ana(ledger: Ledger) -> PeerRecord:
    return await peer_named(ledger, "Ana")


@asynccontextmanager
async def without_redis(ledger: Ledger, settings: Settings, clock: Clock) -> AsyncIterator[Escalations]:
    """The same queue with nothing behind its Redis address."""
    nowhere = Streams.connect("unix:///nonexistent/valkey.sock", "test", settings.shards)
    yield Escalations(ledger, nowhere, WORDING, settings, clock=clock)
    await nowhere.close()


# -- waiting


async def test_concern_first_then_who_came_first(escalations: Escalations, ledger: Ledger) -> None:
    first = await ask(escalations, ledger, 1)
    second = await ask(escalations, ledger, 2)
    worried = await ask(escalations, ledger, 3, WORRY)
    assert [one.id for one in await escalations.waiting()] == [worried, first, second]


async def test_a_concern_said_while_waiting_moves_somebody_to_the_front(
    escalations: Escalations, ledger: Ledger
) -> None:
    first = await ask(escalations, ledger, 1)
    second = await ask(escalations, ledger, 2)
    more = await ledger.store_inbound(text_from("+441632960002", "more", "i cant go on"))
    committed = await answer(ledger, more, concerns=frozenset(WORRY))
    assert [one.id for one in await escalations.waiting()] == [second, first], "even before it is announced"
    assert committed.escalation_id == second
    await escalations.announce(second)
    assert [one.id for one in await escalations.waiting()] == [second, first]


async def test_the_order_is_kept_in_redis(escalations: Escalations, ledger: Ledger, streams: Streams) -> None:
    first = await ask(escalations, ledger, 1)
    worried = await ask(escalations, ledger, 2, WORRY)
    assert list(await streams.queue_scores()) == [worried, first]


async def test_after_redis_forgot_everything_the_queue_is_right_at_once_and_mended_by_a_sweep(
    escalations: Escalations, ledger: Ledger, streams: Streams, valkey_url: str
) -> None:
    first = await ask(escalations, ledger, 1)
    worried = await ask(escalations, ledger, 2, WORRY)
    flush(valkey_url)
    assert [one.id for one in await escalations.waiting()] == [worried, first]
    swept = await escalations.sweep()
    assert (swept.returned, swept.lapsed, swept.waiting) == (0, 0, 2)
    assert list(await streams.queue_scores()) == [worried, first]


def flush(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()


async def test_every_page_is_told_when_somebody_asks(
    escalations: Escalations, ledger: Ledger, streams: Streams
) -> None:
    async with streams.watch("queue") as watch:
        await ask(escalations, ledger, 1)
        assert await watch.wait(patience.SECONDS) == "queue"


async def test_announcing_what_is_not_in_the_queue_changes_nothing(
    escalations: Escalations, ledger: Ledger, streams: Streams, sam: PeerRecord
) -> None:
    taken = await ask(escalations, ledger, 1)
    await escalations.claim(taken, sam)
    await escalations.announce(taken)
    await escalations.announce("there-is-no-such-one")
    assert list(await streams.queue_scores()) == []


# -- taking


async def test_taking_tells_the_person_who_it_is_and_silences_the_assistant(
    escalations: Escalations, ledger: Ledger, streams: Streams, sam: PeerRecord
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    taken = await escalations.claim(escalation_id, sam)
    assert (taken.state, taken.claimed_by, taken.claimed_name) == (EscalationState.HELD, sam.id, "Sam")
    assert await last_words(ledger, escalation_id) == WORDING.say("joined", name="Sam")
    assert (await ledger.conversation(taken.conversation_id)).holder is Holder.PEER
    assert await streams.lease_owner(escalation_id) == sam.id
    assert list(await streams.queue_scores()) == []
    assert await escalations.waiting() == []
    assert (await streams.depth())["outbound"] == 1


async def test_of_many_who_take_at_once_one_succeeds_and_the_others_hear_who(
    escalations: Escalations, ledger: Ledger
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    peers = [await peer_named(ledger, name) for name in ("Sam", "Ana", "Jo", "Kit", "Lee", "Max")]
    results = await asyncio.gather(*(escalations.claim(escalation_id, peer) for peer in peers), return_exceptions=True)
    winners = [result for result in results if isinstance(result, EscalationRecord)]
    losers = [result for result in results if isinstance(result, NotTaken)]
    assert (len(winners), len(losers)) == (1, 5)
    assert {loser.holder_name for loser in losers} == {winners[0].claimed_name}
    joined = [m for m in await said(ledger, escalation_id) if m.sender is Sender.NOTICE]
    assert len(joined) == 1


async def test_a_cap_that_no_quick_fingers_pass(escalations: Escalations, ledger: Ledger, sam: PeerRecord) -> None:
    waiting = [await ask(escalations, ledger, end) for end in range(1, 6)]
    results = await asyncio.gather(*(escalations.claim(one, sam) for one in waiting), return_exceptions=True)
    assert sum(isinstance(result, EscalationRecord) for result in results) == 2
    assert sum(isinstance(result, CapReached) for result in results) == 3
    assert len(await escalations.waiting()) == 3


async def test_with_a_concern_one_is_enough(escalations: Escalations, ledger: Ledger, sam: PeerRecord) -> None:
    worried = await ask(escalations, ledger, 1, WORRY)
    other = await ask(escalations, ledger, 2)
    await escalations.claim(worried, sam)
    with pytest.raises(CapReached) as reached:
        await escalations.claim(other, sam)
    assert (reached.value.held, reached.value.with_concern) == (1, True)


async def test_taking_what_one_has_already_is_harmless(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord
) -> None:
    other = await ask(escalations, ledger, 1)
    worried = await ask(escalations, ledger, 2, WORRY)
    for escalation_id in (other, worried, other, worried):
        assert (await escalations.claim(escalation_id, sam)).claimed_by == sam.id
    for escalation_id in (other, worried):
        assert sum(m.sender is Sender.NOTICE for m in await said(ledger, escalation_id)) == 1


async def test_taking_what_is_over_or_never_was(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord, ana: PeerRecord
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    await escalations.claim(escalation_id, sam)
    await escalations.close(escalation_id, sam)
    for gone in (escalation_id, "there-is-no-such-one"):
        with pytest.raises(NotTaken) as taken:
            await escalations.claim(gone, ana)
        assert taken.value.holder_name == ""


# -- answering


async def test_a_reply_goes_out_under_the_peer_workers_name(
    escalations: Escalations, ledger: Ledger, streams: Streams, sam: PeerRecord
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    taken = await escalations.claim(escalation_id, sam)
    async with streams.watch(taken.conversation_id) as watch:
        await escalations.reply(escalation_id, sam, "  Hello. I am here. ", "", "How are you?")
        assert await watch.wait(patience.SECONDS) == taken.conversation_id
    *_, first, second = await said(ledger, escalation_id)
    assert [first.text, second.text] == ["Hello. I am here.", "How are you?"]
    assert {first.sender, second.sender} == {Sender.PEER}
    assert first.sender_name == "Sam"
    assert first.delivery is Delivery.QUEUED
    assert (await streams.depth())["outbound"] == 2


@pytest.mark.parametrize("texts", [(), ("",), (" \n\t",)], ids=["nothing", "empty", "only space"])
async def test_a_reply_without_words_is_refused(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord, texts: tuple[str, ...]
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    await escalations.claim(escalation_id, sam)
    before = await said(ledger, escalation_id)
    with pytest.raises(EmptyReply):
        await escalations.reply(escalation_id, sam, *texts)
    assert await said(ledger, escalation_id) == before


async def test_only_the_holder_answers_closes_or_passes_on(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord, ana: PeerRecord
) -> None:
    held = await ask(escalations, ledger, 1)
    waiting = await ask(escalations, ledger, 2)
    await escalations.claim(held, sam)
    before = [await said(ledger, one) for one in (held, waiting)]
    for target, name in ((held, "Sam"), (waiting, ""), ("there-is-no-such-one", "")):
        for act in (escalations.release, escalations.close, escalations.pass_on):
            with pytest.raises(NotYours) as problem:
                await act(target, ana)
            assert problem.value.holder_name == name
        with pytest.raises(NotYours) as problem:
            await escalations.reply(target, ana, "hello")
        assert problem.value.holder_name == name
    assert [await said(ledger, one) for one in (held, waiting)] == before
    assert (await now_of(ledger, held)).claimed_by == sam.id


# -- giving back


@pytest.mark.parametrize(("act", "key"), [("release", "back_with_assistant"), ("close", "left")])
async def test_afterwards_the_assistant_has_the_turn_and_starts_afresh(
    escalations: Escalations, ledger: Ledger, streams: Streams, sam: PeerRecord, act: str, key: str
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    taken = await escalations.claim(escalation_id, sam)
    before = await ledger.conversation(taken.conversation_id)
    await getattr(escalations, act)(escalation_id, sam)
    after = await ledger.conversation(taken.conversation_id)
    assert (await now_of(ledger, escalation_id)).state is EscalationState.CLOSED
    assert (after.holder, after.episode_turns) == (Holder.BOT, 0)
    assert after.episode != before.episode
    assert await last_words(ledger, escalation_id) == WORDING.say(key, name="Sam")
    assert await streams.lease_owner(escalation_id) is None


async def test_passed_on_they_keep_their_place_and_their_story(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord, ana: PeerRecord
) -> None:
    first = await ask(escalations, ledger, 1)
    second = await ask(escalations, ledger, 2)
    worried = await ask(escalations, ledger, 3, WORRY)
    await escalations.claim(first, sam)
    await escalations.reply(first, sam, "Hello, I am here.")
    await escalations.pass_on(first, sam)
    assert [one.id for one in await escalations.waiting()] == [worried, first, second]
    assert await last_words(ledger, first) == WORDING.say("passed_on", name="Sam", place="number 2")
    taken = await escalations.claim(first, ana)
    assert taken.claimed_name == "Ana"
    assert "Hello, I am here." in [message.text for message in await said(ledger, first)]


async def test_passed_on_alone_they_are_next(escalations: Escalations, ledger: Ledger, sam: PeerRecord) -> None:
    only = await ask(escalations, ledger, 1)
    await escalations.claim(only, sam)
    await escalations.pass_on(only, sam)
    assert await last_words(ledger, only) == WORDING.say("passed_on", name="Sam", place="next")


# -- every word comes from the wording, and always with somebody to turn to


@pytest.mark.parametrize(
    "key", ["passed_on", "left", "back_with_assistant", "lapse", "lease_ran_out"], ids=lambda key: str(key)
)
def test_whatever_ends_or_waits_names_somebody_to_turn_to(key: str) -> None:
    words = WORDING.say(key, name="Sam", place="next")
    assert "116 123" in words or "PERSON" in words


# -- without Redis


async def test_without_redis_nothing_is_lost_only_later_told(
    ledger: Ledger, settings: Settings, clock: Clock, sam: PeerRecord, ana: PeerRecord
) -> None:
    async with without_redis(ledger, settings, clock) as escalations:
        first = await ask(escalations, ledger, 1)
        worried = await ask(escalations, ledger, 2, WORRY)
        assert [one.id for one in await escalations.waiting()] == [worried, first]
        await escalations.claim(worried, sam)
        await escalations.reply(worried, sam, "I am here.")
        clock.ahead += timedelta(seconds=settings.lease_seconds + 1)
        assert (await escalations.sweep()).returned == 1
        await escalations.claim(worried, ana)
        await escalations.close(worried, ana)
        assert (await now_of(ledger, worried)).state is EscalationState.CLOSED


async def test_after_a_new_message_somebody_closed_can_ask_again(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord
) -> None:
    first = await ask(escalations, ledger, 1)
    await escalations.claim(first, sam)
    await escalations.release(first, sam)
    stored = await ledger.store_inbound(text_from("+441632960001", "again", "can i talk to sam again"))
    assert (await ledger.conversation(stored.conversation_id)).channel is Channel.SMS
    committed = await answer(ledger, stored, escalation=OpenEscalation(reason="asked"))
    assert committed.escalation_id not in {None, first}
    assert [one.id for one in await escalations.waiting()] == [committed.escalation_id]
