"""Messages on their way to people: in order, each sent once, and honest about what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from channels.conversation import Channel, Delivery, Receipt
from channels.ledger import Ledger
from tests.ledger_builders import (
    a_minute_ago,
    answer,
    in_a_minute,
    message_now,
    receipt,
    says,
    sent_message,
    text_from,
)


class TestSending:
    async def test_in_order_and_each_taken_once(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("first"), says("second"))
        for expected in ("first", "second"):
            message = await any_ledger.next_unsent(stored.conversation_id)
            assert message is not None
            assert message.text == expected
            taken = await asyncio.gather(*(any_ledger.mark_sending(message.id) for _ in range(5)))
            assert sum(taken) == 1
            interrupted = await any_ledger.next_unsent(stored.conversation_id)
            assert interrupted is not None
            assert (interrupted.id, interrupted.delivery, interrupted.attempts) == (message.id, Delivery.SENDING, 1)
            assert interrupted.sending_since is not None
            await any_ledger.mark_sent(message.id, f"SM-{expected}")
        assert await any_ledger.next_unsent(stored.conversation_id) is None

    async def test_what_waits_for_its_next_try_is_not_overtaken(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("first"), says("second"))
        first = await any_ledger.next_unsent(stored.conversation_id)
        assert first is not None
        await any_ledger.mark_sending(first.id)
        await any_ledger.mark_failed(first.id, "30001", "queue full", in_a_minute())
        assert await any_ledger.next_unsent(stored.conversation_id) is None
        waiting = await message_now(any_ledger, first.id)
        assert (waiting.delivery, waiting.error_code, waiting.error_text) == (Delivery.QUEUED, "30001", "queue full")
        await any_ledger.mark_failed(first.id, "30001", "queue full", a_minute_ago())
        again = await any_ledger.next_unsent(stored.conversation_id)
        assert again is not None
        assert again.id == first.id
        assert await any_ledger.mark_sending(again.id)
        assert (await message_now(any_ledger, again.id)).attempts == 2

    async def test_a_final_failure_is_visible_and_the_next_one_goes_on(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("first"), says("second"))
        first = await any_ledger.next_unsent(stored.conversation_id)
        assert first is not None
        await any_ledger.mark_sending(first.id)
        await any_ledger.mark_failed(first.id, "21610", "They opted out.", None)
        failed = await message_now(any_ledger, first.id)
        assert (failed.delivery, failed.error_code, failed.error_text) == (Delivery.FAILED, "21610", "They opted out.")
        second = await any_ledger.next_unsent(stored.conversation_id)
        assert second is not None
        assert second.text == "second"

    async def test_a_time_without_a_zone_is_refused(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("hi"))
        message = await any_ledger.next_unsent(stored.conversation_id)
        assert message is not None
        with pytest.raises(StatementError, match="time zone"):
            await any_ledger.mark_failed(message.id, "1", "", datetime(2026, 11, 23))

    async def test_a_late_failure_does_not_undo_what_a_receipt_said(self, any_ledger: Ledger) -> None:
        message = await sent_message(any_ledger)
        assert await any_ledger.store_receipt(receipt(Delivery.DELIVERED))
        await any_ledger.mark_failed(message.id, "timeout", "no answer", in_a_minute())
        assert (await message_now(any_ledger, message.id)).delivery is Delivery.DELIVERED


class TestReceipts:
    async def test_one_for_a_message_we_never_sent_is_kept_but_not_ours(self, any_ledger: Ledger) -> None:
        assert await any_ledger.store_receipt(receipt(Delivery.DELIVERED, provider_id="SM-unknown")) is False

    async def test_one_that_is_quicker_than_our_own_bookkeeping_counts(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, says("hi"))
        message = await any_ledger.next_unsent(stored.conversation_id)
        assert message is not None
        await any_ledger.mark_sending(message.id)
        assert await any_ledger.store_receipt(receipt(Delivery.FAILED, "30005")) is False
        await any_ledger.mark_sent(message.id, "SM-out")
        failed = await message_now(any_ledger, message.id)
        assert (failed.delivery, failed.error_code) == (Delivery.FAILED, "30005")

    async def test_a_receipt_and_the_bookkeeping_at_the_same_moment(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from())
        await answer(any_ledger, stored, *(says(str(n)) for n in range(6)))
        for n in range(6):
            message = await any_ledger.next_unsent(stored.conversation_id)
            assert message is not None
            await any_ledger.mark_sending(message.id)
            await asyncio.gather(
                any_ledger.mark_sent(message.id, f"SM-{n}"),
                any_ledger.store_receipt(receipt(Delivery.DELIVERED, provider_id=f"SM-{n}")),
            )
            assert (await message_now(any_ledger, message.id)).delivery is Delivery.DELIVERED

    async def test_an_inbound_message_is_never_taken_for_ours(self, any_ledger: Ledger) -> None:
        stored = await any_ledger.store_inbound(text_from(provider_id="SM-same"))
        assert await any_ledger.store_receipt(receipt(Delivery.FAILED, "1", "SM-same")) is False
        assert (await message_now(any_ledger, stored.message_id)).delivery is None


SEQUENCE = [
    Receipt(channel=Channel.SMS, provider_id="SM-out", state=Delivery.SENT),
    Receipt(channel=Channel.SMS, provider_id="SM-out", state=Delivery.SENT),
    Receipt(channel=Channel.SMS, provider_id="SM-out", state=Delivery.FAILED, error_code="30003"),
    Receipt(channel=Channel.SMS, provider_id="SM-out", state=Delivery.FAILED, error_code="30005"),
]


@pytest.mark.parametrize(
    ("more", "final"),
    [
        pytest.param([], (Delivery.FAILED, "30005"), id="never arrived"),
        pytest.param([receipt(Delivery.DELIVERED)], (Delivery.DELIVERED, ""), id="arrived after all"),
    ],
)
async def test_receipts_in_any_order_end_the_same(
    any_ledger: Ledger, more: list[Receipt], final: tuple[Delivery, str]
) -> None:
    """The bookkeeping (None) is one of the things that can come at any moment."""
    loop = asyncio.get_running_loop()
    count = 0

    async def in_this_order(order: list[Receipt | None]) -> None:
        nonlocal count
        count += 1
        stored = await any_ledger.store_inbound(text_from(f"+4416329600{count:02d}", f"in-{count}"))
        await answer(any_ledger, stored, says("hi"))
        message = await any_ledger.next_unsent(stored.conversation_id)
        assert message is not None
        await any_ledger.mark_sending(message.id)
        for item in order:
            if item is None:
                await any_ledger.mark_sent(message.id, f"SM-out-{count}")
            else:
                await any_ledger.store_receipt(replace(item, provider_id=f"SM-out-{count}"))
        now = await message_now(any_ledger, message.id)
        assert (now.delivery, now.error_code) == final

    @hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations([*SEQUENCE, *more, None]))
    def check(order: list[Receipt | None]) -> None:
        asyncio.run_coroutine_threadsafe(in_this_order(order), loop).result()

    await asyncio.to_thread(check)
    assert count >= 12
