"""Status callbacks that were lost: the real client library asks the fake Twilio; real ledger and streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from channels.confirming import ASKED_AT_ONCE, GIVEN_UP_AFTER, PATIENCE, Confirmer
from channels.conversation import Channel, Delivery, Inbound, Receipt, Sender
from channels.errors import SendFailed
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.settings import Settings
from channels.sms.twilio import Twilio
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics
from tests.integration.serving import eventually
from tests.ledger_builders import message_now, receipt, sent_message
from tests.phone_builders import PHONE, World, open_world, with_phones

SOON = PATIENCE + timedelta(seconds=1)


@dataclass(kw_only=True)
class Knows:
    """A provider that knows `states` of texts, and which it was asked about."""

    states: dict[str, Receipt] = field(default_factory=dict)
    failures: list[SendFailed] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def receipt_of(self, provider_id: str) -> Receipt | None:
        self.asked.append(provider_id)
        if self.failures:
            raise self.failures.pop(0)
        return self.states.get(provider_id)


@dataclass
class Desk:
    """A confirmer whose clock a test moves."""

    ledger: Ledger
    streams: Streams
    provider: Knows = field(default_factory=Knows)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)

    def __post_init__(self) -> None:
        self.confirmer = Confirmer(
            provider=self.provider, ledger=self.ledger, streams=self.streams, metrics=self.metrics,
            clock=lambda: self.now,
        )  # fmt: skip

    async def look(self, after: timedelta) -> int:
        self.now += after
        return await self.confirmer.confirm()


@pytest.fixture
def desk(ledger: Ledger, streams: Streams) -> Desk:
    return Desk(ledger, streams)


# -- from the phone to the ledger


@pytest.fixture
async def world(settings: Settings, ledger: Ledger, streams: Streams) -> AsyncIterator[World]:
    async with open_world(with_phones(settings), ledger, streams) as opened:
        yield opened


@pytest.mark.parametrize(
    ("number", "state", "code"),
    [
        pytest.param(PHONE.address, Delivery.DELIVERED, "", id="it arrived"),
        pytest.param("+447700900999", Delivery.FAILED, "30005", id="nobody has that number"),
    ],
)
async def test_a_callback_that_was_dropped_is_made_up_for(
    world: World, streams: Streams, number: str, state: Delivery, code: str
) -> None:
    world.phones.misbehave["sms"].drop_callbacks = True
    inbound = await world.texted("hello")
    await world.ledger.append(inbound.conversation_id, [Draft(sender=Sender.ASSISTANT, text="hello to you")])
    draft = await world.ledger.next_unsent(inbound.conversation_id)
    assert draft is not None
    assert await world.ledger.mark_sending(draft.id)
    sid = await world.twilio.send(number, draft.text)
    await world.ledger.mark_sent(draft.id, sid)

    async def settled() -> bool:
        bubble = await world.phones.store.by_provider_id(sid)
        return bubble is not None and bubble.state in {"delivered", "undelivered"}

    await eventually(settled)
    assert (await message_now(world.ledger, draft.id)).delivery is Delivery.SENT
    confirmer = Confirmer(
        provider=world.twilio, ledger=world.ledger, streams=streams, metrics=WorkerMetrics(),
        clock=lambda: datetime.now(UTC) + SOON,
    )  # fmt: skip
    assert await confirmer.confirm() == 1
    message = await message_now(world.ledger, draft.id)
    assert (message.delivery, message.error_code) == (state, code)
    assert await confirmer.confirm() == 0


async def test_twilio_not_knowing_a_text_changes_nothing_and_a_wrong_token_is_told(world: World) -> None:
    assert await world.twilio.receipt_of("SM" + "0" * 32) is None
    stranger = Twilio(world.settings.model_copy(update={"twilio_account_sid": "AC" + "1" * 32}))
    with pytest.raises(SendFailed) as failure:
        await stranger.receipt_of("SM" + "0" * 32)
    assert failure.value.code == "20003"
    stranger.close()


# -- what is asked, and how often


async def test_a_text_is_left_alone_until_it_is_late(desk: Desk) -> None:
    await sent_message(desk.ledger)
    await desk.look(PATIENCE - timedelta(seconds=30))
    assert desk.provider.asked == []
    await desk.look(timedelta(seconds=31))
    assert desk.provider.asked == ["SM-out"]


async def test_what_a_callback_has_settled_is_not_asked_about(desk: Desk) -> None:
    await sent_message(desk.ledger)
    await desk.ledger.store_receipt(receipt(Delivery.DELIVERED))
    await desk.look(SOON)
    assert desk.provider.asked == []


async def test_a_network_that_says_no_more_than_sent_is_asked_ever_less_and_then_no_more(desk: Desk) -> None:
    message = await sent_message(desk.ledger)
    desk.provider.states["SM-out"] = receipt(Delivery.SENT)
    for _ in range(round(GIVEN_UP_AFTER / PATIENCE) + 10):
        assert await desk.look(PATIENCE) == 0
    assert 5 <= len(desk.provider.asked) <= 10
    assert (await message_now(desk.ledger, message.id)).delivery is Delivery.SENT
    desk.provider.states["SM-out"] = receipt(Delivery.DELIVERED)
    assert await desk.look(timedelta(hours=1)) == 0


async def test_a_late_answer_does_not_take_a_state_back(desk: Desk) -> None:
    """The callback arrives while the provider is being asked."""
    message = await sent_message(desk.ledger)
    ledger, known = desk.ledger, receipt(Delivery.FAILED, "30003")

    class Slow(Knows):
        async def receipt_of(self, provider_id: str) -> Receipt | None:
            await ledger.store_receipt(receipt(Delivery.DELIVERED))
            return known

    desk.confirmer.provider = Slow()
    await desk.look(SOON)
    assert (await message_now(desk.ledger, message.id)).delivery is Delivery.DELIVERED


async def test_one_look_asks_only_so_much_and_the_next_ones_take_the_rest(desk: Desk) -> None:
    stored = await desk.ledger.store_inbound(
        Inbound(channel=Channel.SMS, address=PHONE.address, provider_id="SM-in", text="hello")
    )
    count = ASKED_AT_ONCE + 10
    await desk.ledger.append(stored.conversation_id, [Draft(sender=Sender.PEER, text=f"{n}") for n in range(count)])
    for number in range(count):
        message = await desk.ledger.next_unsent(stored.conversation_id)
        assert message is not None
        assert await desk.ledger.mark_sending(message.id)
        await desk.ledger.mark_sent(message.id, f"SM-{number}")
    desk.now = datetime.now(UTC)
    await desk.look(SOON)
    assert len(desk.provider.asked) == ASKED_AT_ONCE
    await desk.look(timedelta(seconds=60))
    assert sorted(desk.provider.asked) == sorted(f"SM-{number}" for number in range(count))


async def test_a_provider_that_cannot_be_asked_is_told_and_asked_again_later(desk: Desk) -> None:
    message = await sent_message(desk.ledger)
    desk.provider.failures = [SendFailed("20500", "Twilio had a problem of its own.", retryable=True)]
    with capture_logs() as lines:
        assert await desk.look(SOON) == 0
    assert [(line["event"], line["code"]) for line in lines] == [("confirm_failed", "20500")]
    desk.provider.states["SM-out"] = receipt(Delivery.DELIVERED)
    assert await desk.look(timedelta(minutes=20)) == 1
    assert (await message_now(desk.ledger, message.id)).delivery is Delivery.DELIVERED
    assert b'nwd_reconciled_total{channel="sms",result="receipt"} 1.0' in desk.metrics.render()
