"""Two gateway processes and two workers on one ledger and one Valkey, with a phone network that a scenario drives."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from channels.conversation import Channel, Reply, Turn
from channels.intake import Intake
from channels.ledger import Ledger, open_ledger
from channels.ledger.records import MessageRecord
from channels.reconciling import Reconciler
from channels.senders import SmsSender
from channels.settings import Settings
from channels.sms.twilio import Twilio
from channels.streams import Streams
from channels.worker import Parts, Worker
from channels.worker_metrics import WorkerMetrics
from tests.bench.carrier import OUR_NUMBER, Carrier
from tests.integration.serving import eventually, free_port, serving
from tests.worker_builders import FakeAssistant

ROOT = Path(__file__).resolve().parents[2]
GATEWAYS = WORKERS = 2
ANSWER = "Text PERSON any time. You said: "
START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Rig:
    """`ledger` and `streams` are for looking on; gateways and workers have their own connections."""

    settings: Settings
    ledger: Ledger
    streams: Streams
    carrier: Carrier

    async def conversation(self, number: str) -> list[MessageRecord]:
        person = await self.ledger.person_at(Channel.SMS, number)
        if person is None:
            return []
        conversation = await self.ledger.conversation_of(person.id)
        return await self.ledger.messages(conversation.id, limit=100_000)

    async def at_rest(self) -> bool:
        """Nothing waits any more: no text for an answer, no answer for its way out."""
        waiting = await self.ledger.stalled(timedelta(days=-1))
        return not waiting.inbound and not waiting.outbound

    @asynccontextmanager
    async def working(self, assistant: FakeAssistant) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            workers = [Worker(await self._parts(stack, assistant), WorkerMetrics()) for _ in range(WORKERS)]
            stop = asyncio.Event()
            tasks = [asyncio.create_task(worker.run(stop)) for worker in workers]
            try:
                yield
            finally:
                stop.set()
                await asyncio.gather(*tasks)

    async def _parts(self, stack: AsyncExitStack, assistant: FakeAssistant) -> Parts:
        ledger, streams, twilio = await open_ledger(self.settings), connect(self.settings), Twilio(self.settings)
        stack.push_async_callback(ledger.close)
        stack.push_async_callback(streams.close)
        stack.callback(twilio.close)
        senders = {Channel.SMS: SmsSender(twilio)}
        return Parts(settings=self.settings, ledger=ledger, streams=streams, assistant=assistant, senders=senders)

    def reconciler(self, twilio: Twilio) -> Reconciler:
        metrics = WorkerMetrics()
        return Reconciler(
            inbox=twilio, ledger=self.ledger, streams=self.streams, metrics=metrics, clock=lambda: datetime.now(UTC),
            intake=Intake(self.ledger, self.streams, metrics), every=60.0, furthest=timedelta(days=90),
        )  # fmt: skip


def connect(settings: Settings) -> Streams:
    return Streams.connect(settings.redis_url.get_secret_value(), settings.redis_prefix, settings.shards)


def echo(chance: random.Random) -> FakeAssistant:
    """Answers after a moment that is different each time, so that whatever can overtake does."""

    async def answering(message: MessageRecord) -> Turn:
        await asyncio.sleep(chance.random() * 0.02)
        return Turn(replies=(Reply(text=ANSWER + message.text),))

    return FakeAssistant(answering=answering)


@asynccontextmanager
async def open_rig(settings: Settings, redis_url: str, seed: int, gateways: int = GATEWAYS) -> AsyncIterator[Rig]:
    """`settings` name a migrated ledger. The gateways have started when this yields."""
    changed = {
        "demo": False, "public_url": "https://help.example", "redis_url": SecretStr(redis_url),
        "twilio_account_sid": "AC0123456789abcdef0123456789abcdef", "twilio_auth_token": SecretStr("token-of-the-rig"),
        "twilio_from": OUR_NUMBER, "sms_per_second": 0.0, "reconcile_seconds": 0.0,
    }  # fmt: skip
    api = free_port()
    settings = settings.model_copy(update={**changed, "twilio_api_url": f"http://127.0.0.1:{api}"})
    ports = [free_port() for _ in range(gateways)]
    carrier = Carrier(
        settings=settings, gateways=[f"http://127.0.0.1:{port}" for port in ports], chance=random.Random(seed)
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(carrier.close)
        await stack.enter_async_context(serving(carrier.app(), api))
        for port in ports:
            await stack.enter_async_context(_gateway(settings, port))
        await asyncio.gather(*(eventually(lambda at=at: _answers(at), START_SECONDS) for at in carrier.gateways))
        ledger, streams = await open_ledger(settings), connect(settings)
        stack.push_async_callback(ledger.close)
        stack.push_async_callback(streams.close)
        yield Rig(settings=settings, ledger=ledger, streams=streams, carrier=carrier)


@asynccontextmanager
async def _gateway(settings: Settings, port: int) -> AsyncIterator[None]:
    """A web process of its own, as `python -m channels app` starts it."""
    given = {
        name: getattr(value, "get_secret_value", lambda value=value: str(value))()
        for name in settings.model_fields_set
        if (value := getattr(settings, name)) is not None
    }
    environment = {"PATH": os.environ["PATH"], **{f"NWD_{name.upper()}": value for name, value in given.items()}}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "channels", "app", cwd=ROOT, env={**environment, "NWD_PORT": str(port)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _answers(address: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{address}/health")).status_code == 200
    except httpx.HTTPError:
        return False
