"""What time does to the queue: leases that run out, and people who wait too long."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from channels.conversation import Concern, EscalationState, Holder
from channels.escalation import Escalations, NotYours
from channels.ledger import Cipher, Ledger
from channels.ledger.records import EscalationRecord, PeerRecord
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests import patience
from tests.desk_builders import Clock
from tests.escalation_builders import ask, last_words, now_of, said
from tests.ledger_builders import peer_named

pytest_plugins = ["tests.desk_fixtures"]

WORDING = Wording.load()
WORRY = (Concern.SUICIDE,)


@pytest.fixture
async def sam(ledger: Ledger) -> PeerRecord:
    return await peer_named(ledger, "Sam")


@pytest.fixture
async def ana(ledger: Ledger) -> PeerRecord:
    return await peer_named(ledger, "Ana")


async def let_the_page_go_quiet(streams: Streams, clock: Clock, settings: Settings, *escalation_ids: str) -> None:
    clock.ahead += timedelta(seconds=settings.lease_seconds + 1)
    for escalation_id in escalation_ids:
        await streams.drop_lease(escalation_id)


# -- leases


async def test_a_page_that_goes_quiet_loses_the_conversation_and_the_person_is_told(
    escalations: Escalations, ledger: Ledger, streams: Streams, clock: Clock, settings: Settings, sam: PeerRecord,
    ana: PeerRecord,
) -> None:  # fmt: skip
    escalation_id = await ask(escalations, ledger, 1)
    taken = await escalations.claim(escalation_id, sam)
    await escalations.reply(escalation_id, sam, "Tell me more.")
    history = await said(ledger, escalation_id)
    await let_the_page_go_quiet(streams, clock, settings, escalation_id)
    async with streams.watch("queue") as watch:
        assert (await escalations.sweep()).returned == 1
        assert await watch.wait(patience.SECONDS) == "queue"
    after = await said(ledger, escalation_id)
    assert after[:-1] == history, "nothing of it is lost"
    assert after[-1].text == WORDING.say("lease_ran_out", name="Sam")
    assert (await now_of(ledger, escalation_id)).state is EscalationState.WAITING
    assert (await ledger.conversation(taken.conversation_id)).holder is Holder.BOT
    assert list(await streams.queue_scores()) == [escalation_id]
    assert not await escalations.renew(escalation_id, sam.id), "it is not Sam's any more"
    with pytest.raises(NotYours):
        await escalations.reply(escalation_id, sam, "Are you there?")
    assert (await escalations.claim(escalation_id, ana)).claimed_name == "Ana"


async def test_a_sign_of_life_keeps_it(
    escalations: Escalations, ledger: Ledger, streams: Streams, clock: Clock, settings: Settings, sam: PeerRecord
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    await escalations.claim(escalation_id, sam)
    for _ in range(3):
        clock.ahead += timedelta(seconds=settings.lease_seconds * 0.6)
        assert await escalations.renew(escalation_id, sam.id)
        await streams.drop_lease(escalation_id)
        assert (await escalations.sweep()).returned == 0
    assert (await now_of(ledger, escalation_id)).claimed_by == sam.id


async def test_a_sign_of_life_that_only_redis_heard_counts(
    escalations: Escalations, ledger: Ledger, streams: Streams, clock: Clock, settings: Settings, sam: PeerRecord
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    await escalations.claim(escalation_id, sam)
    clock.ahead += timedelta(seconds=settings.lease_seconds + 1)
    assert await streams.lease_owner(escalation_id) == sam.id
    assert (await escalations.sweep()).returned == 0
    await streams.drop_lease(escalation_id)
    assert (await escalations.sweep()).returned == 1


class RenewedMeanwhile(Ledger):
    """A ledger in which the page's sign of life arrives just after a sweep has looked."""

    async def expired_leases(self, now: datetime) -> list[EscalationRecord]:
        found = await super().expired_leases(now)
        for one in found:
            assert await self.renew(one.id, str(one.claimed_by), now + timedelta(minutes=1))
        return found


async def test_a_sign_of_life_in_the_last_moment_counts(
    ledger: Ledger, cipher: Cipher, streams: Streams, clock: Clock, settings: Settings, sam: PeerRecord
) -> None:
    slow = RenewedMeanwhile.open(settings.ledger_url, cipher, shards=settings.shards)
    escalations = Escalations(slow, streams, WORDING, settings, clock=clock)
    escalation_id = await ask(escalations, ledger, 1)
    await escalations.claim(escalation_id, sam)
    await let_the_page_go_quiet(streams, clock, settings, escalation_id)
    assert (await escalations.sweep()).returned == 0
    assert (await now_of(ledger, escalation_id)).claimed_by == sam.id
    await slow.close()


async def test_several_sweeps_at_once_tell_the_person_once(
    escalations: Escalations, ledger: Ledger, streams: Streams, clock: Clock, settings: Settings, sam: PeerRecord
) -> None:
    escalation_id = await ask(escalations, ledger, 1)
    await escalations.claim(escalation_id, sam)
    before = len(await said(ledger, escalation_id))
    await let_the_page_go_quiet(streams, clock, settings, escalation_id)
    sweeps = await asyncio.gather(*(escalations.sweep() for _ in range(4)))
    assert sum(swept.returned for swept in sweeps) == 1
    assert len(await said(ledger, escalation_id)) == before + 1


# -- waiting too long


async def test_who_waits_too_long_is_told_once_and_keeps_the_place(
    escalations: Escalations, ledger: Ledger, clock: Clock, settings: Settings, sam: PeerRecord
) -> None:
    first = await ask(escalations, ledger, 1)
    clock.ahead += timedelta(minutes=settings.lapse_minutes, seconds=1)
    assert (await escalations.sweep()).lapsed == 1
    assert (await escalations.sweep()).lapsed == 0
    second = await ask(escalations, ledger, 2)
    assert (await now_of(ledger, first)).state is EscalationState.LAPSED
    assert await last_words(ledger, first) == WORDING.say("lapse")
    assert [one.id for one in await escalations.waiting()] == [first, second]
    assert (await escalations.claim(first, sam)).state is EscalationState.HELD


async def test_only_somebody_waiting_lapses(escalations: Escalations, ledger: Ledger, sam: PeerRecord) -> None:
    held = await ask(escalations, ledger, 1)
    await escalations.claim(held, sam)
    assert not await escalations.lapse(held)
    assert not await escalations.lapse("there-is-no-such-one")
    assert (await now_of(ledger, held)).state is EscalationState.HELD
