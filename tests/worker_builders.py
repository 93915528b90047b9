"""Fakes for what is outside the worker, and short ways to run one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from channels import ending
from channels.conversation import Channel, Choice, Concern, Inbound, Reply, Sender, ServiceCard, Turn
from channels.errors import AssistantSilent, SendFailed, StreamsUnavailable
from channels.ledger import Ledger
from channels.ledger.records import ConversationRecord, MessageRecord, PersonRecord, Stored
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from channels.worker import Parts, Worker
from channels.worker_metrics import WorkerMetrics
from tests import patience

WORDING = Wording.load()
RENT = ServiceCard(service_id="svc-rent", name="Rent Rescue drop-in", phone="01632 960112")
DEBT = ServiceCard(service_id="svc-debt", name="Wrenbridge Debt Line", phone="0808 157 0011")
PERSON = Choice(title="Talk to a person", payload="person")
LIST = Turn(replies=(Reply(text="These can help:", cards=(RENT, DEBT), choices=(PERSON,)),))


@dataclass(kw_only=True)
class FakeAssistant:
    """Answers with `turn`, or as `answering` says; remembers what it was asked."""

    turn: Turn | None = None
    answering: Callable[[MessageRecord], Awaitable[Turn]] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(
        self,
        conversation: ConversationRecord,
        message: MessageRecord,
        payload: str | None = None,
        *,
        waiting: bool = False,
        concerns: Collection[Concern] = (),
    ) -> Turn:
        known = {"text": message.text, "payload": payload, "waiting": waiting, "concerns": set(concerns)}
        self.asked.append({**known, "episode": conversation.episode, "language": message.language})
        if self.answering is not None:
            return await self.answering(message)
        return self.turn or Turn(replies=(Reply(text=f"You said: {message.text}"),))


@dataclass(kw_only=True)
class FakeProvider:
    """Takes messages, keeps them in order, and can be asked for them. `failures` are raised first, one a call."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    choices: list[tuple[Choice, ...]] = field(default_factory=list)
    failures: list[SendFailed] = field(default_factory=list)
    can_look_up: bool = True
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: a message is accepted, but the answer does not come."""

    def __post_init__(self) -> None:
        self.answers.set()

    async def send(self, person: PersonRecord, message: MessageRecord) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((person.address, message.text))
        self.choices.append(message.choices)
        number = len(self.sent)
        self.accepted.set()
        await self.answers.wait()
        return f"SM{number}"

    async def find_sent(self, person: PersonRecord, message: MessageRecord, since: datetime) -> str | None:
        if not self.can_look_up:
            return None
        for number, (address, text) in enumerate(self.sent, start=1):
            if (address, text) == (person.address, message.text):
                return f"SM{number}"
        return None

    @property
    def texts(self) -> list[str]:
        """Without the offer that the guard adds to words that hold nobody to reach: tests here are about the rest."""
        return [without_offer(text) for _, text in self.sent]


@dataclass(kw_only=True)
class Bench:
    """A ledger, streams and fakes; `write` is what a person does, `working` runs a worker meanwhile."""

    settings: Settings
    ledger: Ledger
    streams: Streams
    assistant: FakeAssistant = field(default_factory=FakeAssistant)
    sms: FakeProvider = field(default_factory=FakeProvider)
    telegram: FakeProvider = field(default_factory=lambda: FakeProvider(can_look_up=False))
    written: int = 0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def quick(cls, settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
        """With a sweeper and a deadline that tests can wait for."""
        hurried = settings.model_copy(update={"sweep_seconds": 0.5, "assistant_deadline": 2.0, "sms_per_second": 0.0})
        return cls(settings=hurried, ledger=ledger, streams=streams)

    def worker(self, **changes: Any) -> Worker:
        senders = {Channel.SMS: self.sms, Channel.TELEGRAM: self.telegram}
        parts: dict[str, Any] = {
            "settings": self.settings, "ledger": self.ledger, "streams": self.streams, "assistant": self.assistant,
            "senders": senders, "clock": self.clock, **changes,
        }  # fmt: skip
        return Worker(Parts(**parts), WorkerMetrics())

    @asynccontextmanager
    async def working(self, workers: int = 1, **changes: Any) -> AsyncIterator[None]:
        stop = asyncio.Event()
        with suppress(StreamsUnavailable):
            await self.streams.present("somebody-at-the-desk", 3600)
        tasks = [asyncio.create_task(self.worker(**changes).run(stop)) for _ in range(workers)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def write(self, text: str = "cant pay my rent", *, channel: Channel = Channel.SMS, **more: Any) -> Stored:
        """Store a message and announce it, as the gateway does."""
        stored = await self.store(text, channel=channel, **more)
        await self.streams.announce_inbound(stored.shard, stored.conversation_id)
        return stored

    async def store(self, text: str = "cant pay my rent", *, channel: Channel = Channel.SMS, **more: Any) -> Stored:
        self.written += 1
        values = {"address": "+441632960001", "provider_id": f"SM-in-{self.written}", **more}
        return await self.ledger.store_inbound(Inbound(channel=channel, text=text, **values))

    async def until_quiet(self, conversation_id: str, seconds: float = patience.SECONDS) -> list[MessageRecord]:
        """Wait until every message is answered and every reply sent, and give them all."""
        async with asyncio.timeout(seconds):
            async with self.streams.watch(conversation_id) as watch:
                while True:
                    messages = await self.ledger.messages(conversation_id)
                    if messages and all(is_settled(message) for message in messages):
                        return messages
                    await watch.wait(0.1)

    async def outcome_of(self, stored: Stored) -> str:
        message = await self.ledger.message(stored.message_id)
        assert message is not None
        return message.outcome if message.answered else "not answered"


async def talk(bench: Bench, *texts: str, **more: Any) -> list[MessageRecord]:
    """Write, and wait for each answer; gives the whole conversation, with whatever followed from an answer."""
    conversation_id = ""
    async with bench.working():
        for text in texts:
            conversation_id = (await bench.write(text, **more)).conversation_id
            await bench.until_quiet(conversation_id)
    return await bench.ledger.messages(conversation_id)


def said(messages: list[MessageRecord]) -> list[str]:
    """What we said, the service and the assistant."""
    return [without_offer(message.text) for message in messages if message.sender is not Sender.PERSON]


def without_offer(text: str) -> str:
    offer = WORDING.say("reply_person")
    return "" if text == offer else text.removesuffix(f"\n{offer}")


def silence(cause: str = "timeout") -> Callable[[MessageRecord], Awaitable[Turn]]:
    async def answering(message: MessageRecord) -> Turn:
        raise AssistantSilent(cause)

    return answering


def is_settled(message: MessageRecord) -> bool:
    if message.sender is Sender.PERSON:
        return message.answered
    return message.delivery in ("sent", "delivered", "failed")


async def cut_short(task: asyncio.Task[Any]) -> None:
    """End a task as a dying process would: at once."""
    await ending.cut_short([task])
    with suppress(asyncio.CancelledError):
        await task
