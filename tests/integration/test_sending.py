"""Messages to people: in order, and once as far as the provider lets us. Real ledger and streams, fake providers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.conversation import Channel, Choice, Delivery, Holder, Inbound, Receipt, Sender
from channels.errors import SendFailed
from channels.ledger import Ledger
from channels.ledger.records import Draft, MessageRecord, Outcome
from channels.pacing import Pacer
from channels.sending import LONGEST_TRYING, LOOKED_BACK, MOST_TRIES, Sending, pause_before
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics
from tests import patience
from tests.worker_builders import FakeProvider, cut_short

BUSY = SendFailed("20429", "Asked to slow down.", retryable=True)
STOPPED = SendFailed("21610", "This person has texted STOP.", retryable=False)


class Post:
    """A conversation on one channel, and the sending of what is queued in it."""

    def __init__(self, ledger: Ledger, streams: Streams, channel: Channel) -> None:
        self.ledger, self.channel, self.provider = ledger, channel, FakeProvider(can_look_up=channel is Channel.SMS)
        self.now = lambda: datetime.now(UTC)
        self.values: dict[str, Any] = {
            "ledger": ledger, "streams": streams, "senders": {channel: self.provider}, "metrics": WorkerMetrics(),
            "clock": lambda: self.now(),
        }  # fmt: skip
        self.conversation_id = ""

    def sending(self, **changes: Any) -> Sending:
        return Sending(**{**self.values, **changes})

    async def queue(self, *texts: str, choices: tuple[Choice, ...] = ()) -> None:
        stored = await self.ledger.store_inbound(
            Inbound(channel=self.channel, address="+441632960001", provider_id="in-1", text="hello")
        )
        self.conversation_id = stored.conversation_id
        drafts = [Draft(sender=Sender.ASSISTANT, text=text, choices=choices) for text in texts]
        await self.ledger.append(stored.conversation_id, drafts)

    async def send(self, **changes: Any) -> None:
        await self.sending(**changes).work_through(self.conversation_id)

    async def messages(self) -> list[MessageRecord]:
        return [
            message
            for message in await self.ledger.messages(self.conversation_id)
            if message.sender is not Sender.PERSON
        ]

    async def states(self) -> list[Delivery | None]:
        return [message.delivery for message in await self.messages()]

    async def interrupt(self) -> None:
        """The provider has accepted the message; the worker dies before it can write that down."""
        self.provider.answers.clear()
        task = asyncio.create_task(self.send())
        await self.provider.accepted.wait()
        await cut_short(task)
        self.provider.answers.set()

    def later(self, **delta: float) -> None:
        moment = datetime.now(UTC) + timedelta(**delta)
        self.now = lambda: moment


@pytest.fixture
def post(ledger: Ledger, streams: Streams) -> Post:
    return Post(ledger, streams, Channel.SMS)


@pytest.fixture
def telegram_post(ledger: Ledger, streams: Streams) -> Post:
    return Post(ledger, streams, Channel.TELEGRAM)


async def test_sends_in_order_and_keeps_the_providers_ids(post: Post) -> None:
    await post.queue("one", "two", "three")
    await post.send()
    assert post.provider.sent == [("+441632960001", text) for text in ("one", "two", "three")]
    assert [message.provider_id for message in await post.messages()] == ["SM1", "SM2", "SM3"]
    assert await post.states() == [Delivery.SENT] * 3


async def test_sending_again_sends_nothing(post: Post) -> None:
    await post.queue("one")
    await post.send()
    await post.send()
    assert post.provider.texts == ["one"]


async def test_after_stop_nothing_goes_however_much_still_waits(post: Post) -> None:
    await post.queue()
    stop = (await post.ledger.messages(post.conversation_id))[0]
    done = Outcome(message_id=stop.id, expected_holder=Holder.BOT, kind="opted_out", do_not_text_first=True)
    assert await post.ledger.commit(done)
    await post.queue(*(f"text {number}" for number in range(LOOKED_BACK + 5)))
    await post.send()
    assert post.provider.texts == []
    assert set(await post.states()) == {Delivery.FAILED}


async def test_a_keyboard_goes_with_its_message(telegram_post: Post) -> None:
    more = Choice(title="More", payload="more")
    await telegram_post.queue("one", choices=(more,))
    await telegram_post.send()
    assert telegram_post.provider.choices == [(more,)]


async def test_a_busy_provider_is_tried_again_later_and_nothing_overtakes(post: Post) -> None:
    await post.queue("one", "two")
    post.provider.failures = [BUSY]
    await post.send()
    assert post.provider.sent == []
    assert await post.states() == [Delivery.QUEUED, Delivery.QUEUED]
    assert await post.ledger.next_unsent(post.conversation_id) is None
    await post.ledger.mark_failed((await post.messages())[0].id, "20429", "", datetime.now(UTC))
    await post.send()
    assert post.provider.texts == ["one", "two"]


async def test_a_final_failure_shows_why_and_lets_the_next_one_go(post: Post) -> None:
    await post.queue("one", "two")
    post.provider.failures = [STOPPED]
    await post.send()
    first, second = await post.messages()
    assert (first.delivery, first.error_code, first.error_text) == (Delivery.FAILED, "21610", STOPPED.explanation)
    assert (second.delivery, post.provider.texts) == (Delivery.SENT, ["two"])


async def test_trying_ends_after_four_hours_where_the_desk_can_see_it(post: Post) -> None:
    await post.queue("one")
    post.provider.failures = [BUSY]
    post.later(seconds=LONGEST_TRYING.total_seconds() + 1)
    await post.send()
    assert await post.states() == [Delivery.FAILED]


async def test_trying_ends_after_the_most_tries(post: Post) -> None:
    await post.queue("one")
    message = (await post.messages())[0]
    for _ in range(MOST_TRIES - 1):
        assert await post.ledger.mark_sending(message.id)
        await post.ledger.mark_failed(message.id, "20429", "", datetime.now(UTC))
    post.provider.failures = [BUSY]
    await post.send()
    assert await post.states() == [Delivery.FAILED]


async def test_interrupted_between_sending_and_noting_it_a_text_is_looked_up_and_not_sent_twice(post: Post) -> None:
    await post.queue("one", "two")
    await post.interrupt()
    assert await post.states() == [Delivery.SENDING, Delivery.QUEUED]
    post.later(seconds=60)
    await post.send()
    assert post.provider.texts == ["one", "two"]
    assert [message.provider_id for message in await post.messages()] == ["SM1", "SM2"]


async def test_interrupted_before_the_provider_had_it_a_text_is_sent(post: Post) -> None:
    await post.queue("one")
    assert await post.ledger.mark_sending((await post.messages())[0].id)
    post.later(seconds=60)
    await post.send()
    assert post.provider.texts == ["one"]
    assert await post.states() == [Delivery.SENT]


async def test_telegram_cannot_be_asked_so_better_twice_than_never(telegram_post: Post) -> None:
    await telegram_post.queue("one")
    await telegram_post.interrupt()
    telegram_post.later(seconds=60)
    await telegram_post.send()
    assert telegram_post.provider.texts == ["one", "one"]
    assert await telegram_post.states() == [Delivery.SENT]


async def test_the_same_words_sent_before_are_not_taken_for_this_message(post: Post) -> None:
    await post.queue("You are next in line.", "You are next in line.")
    post.provider.failures = []
    await post.ledger.mark_sending((await post.messages())[0].id)
    await post.ledger.mark_sent((await post.messages())[0].id, "SM1")
    post.provider.sent.append(("+441632960001", "You are next in line."))
    await post.ledger.mark_sending((await post.messages())[1].id)
    post.later(seconds=60)
    await post.send()
    assert len(post.provider.sent) == 2
    assert [message.provider_id for message in await post.messages()] == ["SM1", "SM2"]


async def test_what_another_worker_is_just_sending_is_left_to_it(post: Post) -> None:
    await post.queue("one", "two")
    assert await post.ledger.mark_sending((await post.messages())[0].id)
    await post.send()
    assert post.provider.sent == []
    assert await post.states() == [Delivery.SENDING, Delivery.QUEUED]


async def test_a_provider_that_hangs_counts_as_busy_and_is_asked_before_the_next_try(post: Post) -> None:
    await post.queue("one")
    post.provider.answers.clear()
    await post.send(patience=0.1)
    (message,) = await post.messages()
    assert (message.delivery, message.error_code) == (Delivery.QUEUED, "timeout")
    post.provider.answers.set()
    await post.ledger.mark_failed(message.id, "timeout", "", datetime.now(UTC))
    await post.send()
    assert post.provider.texts == ["one"]
    assert await post.states() == [Delivery.SENT]


async def test_a_channel_that_is_not_set_up_shows_on_the_desk(post: Post) -> None:
    await post.queue("one")
    await post.send(senders={})
    (message,) = await post.messages()
    assert (message.delivery, message.error_code) == (Delivery.FAILED, "not_set_up")


async def test_to_somebody_whose_number_is_erased_nothing_is_sent(post: Post) -> None:
    await post.queue("one")
    conversation = await post.ledger.conversation(post.conversation_id)
    await post.ledger.forget(conversation.person_id)
    await post.send()
    await post.ledger.append(post.conversation_id, [Draft(sender=Sender.PEER, text="are you there")])
    await post.send()
    assert post.provider.texts == ["one"]


async def test_on_the_web_the_page_is_told_to_look(ledger: Ledger, streams: Streams) -> None:
    web = Post(ledger, streams, Channel.WEB)
    await web.queue("one", "two")
    async with streams.watch(web.conversation_id) as watch:
        await web.send(senders={})
        assert await watch.wait(patience.SECONDS) == web.conversation_id
    assert await web.states() == [Delivery.SENT] * 2


async def test_two_workers_send_each_message_once(post: Post) -> None:
    await post.queue(*(f"number {number}" for number in range(10)))
    await asyncio.gather(post.send(), post.send())
    await post.send()
    assert sorted(post.provider.texts) == sorted({f"number {number}" for number in range(10)})


@pytest.mark.parametrize(
    ("tries", "asked_for", "seconds"),
    [(1, None, 5), (2, None, 10), (4, None, 40), (7, None, 300), (48, None, 300), (1, 60.0, 60), (7, 1.0, 300)],
    ids=[
        "first",
        "second",
        "fourth",
        "at most 5 minutes",
        "last",
        "what the provider asks for",
        "never less than ours",
    ],
)
def test_pauses_grow(tries: int, asked_for: float | None, seconds: float) -> None:
    assert pause_before(tries, asked_for).total_seconds() == seconds


# -- how fast, and who first


async def test_a_concern_goes_before_what_others_wait_for(ledger: Ledger, streams: Streams) -> None:
    """Eight routine texts have begun to wait for their turn when the urgent one is taken."""
    pacer, provider = Pacer(8), FakeProvider()
    sending = Sending(
        ledger=ledger, streams=streams, senders={Channel.SMS: provider}, metrics=WorkerMetrics(),
        clock=lambda: datetime.now(UTC), pacers={Channel.SMS: pacer},
    )  # fmt: skip
    queued = []
    for number in range(9):
        sent = Inbound(channel=Channel.SMS, address=f"+4416329600{number:02}", provider_id=f"SM-in-{number}")
        stored = await ledger.store_inbound(sent)
        words = f"text {number}" if number < 8 else "urgent"
        await ledger.append(stored.conversation_id, [Draft(sender=Sender.NOTICE, text=words, urgent=number == 8)])
        queued.append(stored.conversation_id)
    for _ in range(8):
        await pacer.turn()
    await asyncio.gather(*(sending.work_through(conversation_id) for conversation_id in queued))
    assert len(provider.texts) == 9
    assert provider.texts.index("urgent") <= 4


async def test_a_failed_receipt_is_not_followed_by_another_try(post: Post) -> None:
    """Twilio had taken it, so it may yet arrive, whatever the code says of trying again."""
    await post.queue("one")
    await post.send()
    await post.ledger.store_receipt(
        Receipt(channel=post.channel, provider_id="SM1", state=Delivery.FAILED, error_code="30003")
    )
    post.later(hours=1)
    await post.send()
    assert await post.states() == [Delivery.FAILED]
    assert post.provider.texts == ["one"]
