"""The worker process: takes what the streams announce, answers, sends, and looks after what has stopped moving.

Any number of workers may run. Each can be killed at any moment: what it had begun is in the ledger, and another
worker, or the same one when it is back, goes on from there.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette

from channels.agreeing import Agreeing
from channels.answering import Answering, Answers
from channels.assistant import Assistant
from channels.attendance import Attendance
from channels.canary import Canary, CanarySender
from channels.company import Company
from channels.composing import Composer
from channels.concern import load_knowledge
from channels.confirming import Confirmer, Reports
from channels.conversation import Channel
from channels.crew import Crew
from channels.errors import ChannelsError, StreamsUnavailable
from channels.escalation import Escalations
from channels.following_up import FollowUp, FollowUpRules
from channels.gathering import Gathering, LookAgain
from channels.guard import Guard
from channels.health import Health
from channels.intake import Intake
from channels.ledger import Ledger, open_ledger
from channels.ledger.retention import Periods
from channels.never_no import NeverNo
from channels.noticing import Notices, Noticing, PatternsAlone
from channels.opening import Opening
from channels.pacing import Pacer
from channels.pieces import Pieces
from channels.planning import EVERY, Planner
from channels.reconciling import Lists, Reconciler
from channels.reporting import EVERY as REPORT_EVERY
from channels.reporting import EditorQueue, Reporter, Tells
from channels.safe_again import SafeAgain
from channels.senders import SmsSender, TelegramSender
from channels.sending import SEND_SECONDS, Sender, Sending
from channels.settings import WORKER_PORT_OFFSET, Settings
from channels.shifts import Shifts
from channels.slowing import Slowing
from channels.sms.twilio import Twilio
from channels.sms.vonage import Vonage
from channels.streams import Streams
from channels.sweeping import Sweeper, repeat
from channels.taking_back import TakingBack
from channels.teams import Teams
from channels.telegram import Telegram
from channels.turns import Turns
from channels.typing_signs import ShowsTyping, TypingSigns
from channels.valkey import Valkey
from channels.wording import Wording
from channels.worker_metrics import WorkerMetrics

RECLAIM_EVERY: Final = 2.0
BLOCK_MS: Final = 2000
DRAIN_SECONDS: Final = 10.0
CANARY_MARGIN: Final = 10.0
"""Seconds beyond the assistant's deadline, twice, after which a test message counts as not answered."""
PAUSE: Final = 0.5
"""Seconds before trying again what Redis or the ledger would not do."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a worker works with; tests put fakes in place of the assistant and the senders."""

    settings: Settings
    ledger: Ledger
    streams: Streams
    assistant: Answers
    senders: Mapping[Channel, Sender]
    inbox: Lists | None = None
    """The SMS provider's own list of what people sent, where it keeps one."""
    reports: Reports | None = None
    """The SMS provider, where it can be asked what became of a text."""
    editor: Tells | None = None
    """Who is told of mistakes in listings."""
    typing: Mapping[Channel, ShowsTyping] = field(default_factory=dict)
    """The channels that can show that somebody is typing."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    notices: Notices = field(default_factory=PatternsAlone)
    """The second layer of the concern check."""
    pieces: Pieces | None = None
    """How a thought in several messages looks; without it each message is answered by itself."""


class Worker:
    """Raises SettingsError when a setting it needs is wrong."""

    def __init__(self, parts: Parts, metrics: WorkerMetrics) -> None:
        settings, ledger, streams = parts.settings, parts.ledger, parts.streams
        wording = Wording.load(settings.country, settings.service_name)
        guard = Guard(rules=NeverNo.load(), wording=wording, on_mended=metrics.count_mended)
        wording.look = guard.mend_text
        teams = Teams.of(settings)
        escalations = Escalations(ledger, streams, wording, settings, teams=teams, clock=parts.clock)
        opening = Opening.load(settings, teams)
        attendance = Attendance(ledger=ledger, streams=streams, wording=wording, clock=parts.clock)
        company = Company(
            ledger=ledger, streams=streams, escalations=escalations, attendance=attendance, opening=opening,
            settings=settings, clock=parts.clock,
        )  # fmt: skip
        shifts = Shifts(ledger=ledger, streams=streams, escalations=escalations, clock=parts.clock)
        composer = Composer(
            ledger=ledger,
            wording=wording,
            opening=opening,
            attendance=attendance,
            clock=parts.clock,
            safe_again=SafeAgain.load(),
            own_number=settings.fallback_number,
        )
        follow_up_rules = FollowUpRules.load(parts.settings.concern_check_hours)
        answering = Answering(
            assistant=parts.assistant, composer=composer, guard=guard, follow_up=follow_up_rules,
            taking_back=TakingBack.load(), on_silence=metrics.count_silence,
        )  # fmt: skip
        self.follow_up = FollowUp(
            ledger=ledger, streams=streams, wording=wording, rules=follow_up_rules, zone=opening.service.zone,
            clock=parts.clock,
        )  # fmt: skip
        self.signs = TypingSigns(ledger=ledger, streams=streams, shown_by=parts.typing)
        self.escalations = escalations
        self._later = LookAgain(streams=streams)
        gathering = Gathering(ledger=ledger, pieces=parts.pieces, clock=parts.clock) if parts.pieces else None
        self.turns = turns = Turns(
            ledger=ledger, streams=streams, answering=answering, escalations=shifts, metrics=metrics,
            signs=self.signs, agreeing=Agreeing(ledger=ledger, streams=streams, wording=wording, teams=teams),
            slowing=Slowing(ledger=ledger, settings=settings, clock=parts.clock),
            notices=parts.notices, later=self._later, gathering=gathering,
        )  # fmt: skip
        pacers = {Channel.SMS: Pacer(settings.sms_per_second)} if settings.sms_per_second > 0 else {}
        sending = Sending(
            ledger=ledger, streams=streams, senders={Channel.CANARY: CanarySender(), **parts.senders}, metrics=metrics,
            clock=parts.clock, pacers=pacers,
        )  # fmt: skip
        turn_seconds = settings.assistant_deadline + settings.concern_deadline + 2.0
        self._streams = streams
        self._shards = range(settings.shards)
        self._reconcile_every = settings.reconcile_seconds
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.inbound = Crew(
            kind="inbound", streams=streams, work=turns.work_through, metrics=metrics, lock_seconds=turn_seconds
        )
        self.outbound = Crew(
            kind="outbound", streams=streams, work=sending.work_through, metrics=metrics, lock_seconds=SEND_SECONDS
        )
        self.sweeper = Sweeper(
            ledger=ledger, streams=streams, escalations=escalations, shifts=shifts, company=company,
            inbound=self.inbound, outbound=self.outbound, metrics=metrics, clock=parts.clock,
            every=settings.sweep_seconds, retention=Periods.of(settings),
        )  # fmt: skip
        self.planner = Planner(ledger=ledger, streams=streams, clock=parts.clock, never=follow_up_rules.never_offered)
        self._reconciler = self._reconciling(parts, metrics)
        self._confirmer = self._confirming(parts, metrics)
        self._reporter = Reporter(ledger=ledger, editor=parts.editor, clock=parts.clock) if parts.editor else None
        self.canary = Canary(
            intake=Intake(ledger, streams, metrics), ledger=ledger, streams=streams, metrics=metrics,
            every=settings.canary_seconds, patience=2 * settings.assistant_deadline + CANARY_MARGIN,
        )  # fmt: skip
        # Longer than any honest piece of work, or two workers would do the same.
        self._idle_ms = {"inbound": round(turn_seconds * 1000) + 3000, "outbound": round(SEND_SECONDS * 1000) + 3000}

    @staticmethod
    def _reconciling(parts: Parts, metrics: WorkerMetrics) -> Reconciler | None:
        every, retention = parts.settings.reconcile_seconds, timedelta(days=parts.settings.retention_days)
        if parts.inbox is None or every <= 0:
            return None
        return Reconciler(
            inbox=parts.inbox, ledger=parts.ledger, streams=parts.streams, metrics=metrics, clock=parts.clock,
            intake=Intake(parts.ledger, parts.streams, metrics), every=every, furthest=retention,
        )  # fmt: skip

    @staticmethod
    def _confirming(parts: Parts, metrics: WorkerMetrics) -> Confirmer | None:
        if parts.reports is None or parts.settings.reconcile_seconds <= 0:
            return None
        return Confirmer(
            provider=parts.reports, ledger=parts.ledger, streams=parts.streams, metrics=metrics, clock=parts.clock
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what has begun."""
        jobs = [
            asyncio.create_task(job)
            for job in (
                self._take(self.inbound, stop),
                self._take(self.outbound, stop),
                repeat(self._guarded(self._reclaim), RECLAIM_EVERY, stop),
                repeat(self._guarded(self.sweeper.sweep), self.sweeper.every, stop),
                repeat(self._guarded(self.follow_up.ask_due), self.sweeper.every, stop),
                repeat(self._guarded(self.planner.send_due), EVERY, stop),
            )
        ]
        if self._reconciler is not None:
            reconcile = self._guarded(self._reconciler.reconcile)
            jobs.append(asyncio.create_task(repeat(reconcile, self._reconciler.every, stop)))
        if self._confirmer is not None:
            confirm = self._guarded(self._confirmer.confirm)
            jobs.append(asyncio.create_task(repeat(confirm, self._reconcile_every, stop)))
        if self._reporter is not None:
            jobs.append(asyncio.create_task(repeat(self._guarded(self._reporter.tell), REPORT_EVERY, stop)))
        if self.canary.every > 0:
            sing = self._guarded(self.canary.sing)
            jobs.append(asyncio.create_task(repeat(sing, self.canary.every, stop, at_once=False)))
        jobs.append(asyncio.create_task(self.signs.follow(stop)))
        told = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({told, *jobs}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Said as well as done: a client may swallow a cancellation that comes while it connects.
            stop.set()
            for task in (told, *jobs):
                task.cancel()
            ended = await asyncio.gather(*jobs, return_exceptions=True)
            await asyncio.gather(self.inbound.drain(DRAIN_SECONDS), self.outbound.drain(DRAIN_SECONDS))
            await self._later.close()
        for problem in ended:
            if isinstance(problem, Exception):
                # Nobody foresaw it: end the process, and whoever supervises it starts a fresh one.
                raise problem

    async def _take(self, crew: Crew, stop: asyncio.Event) -> None:
        """An entry taken in the moment of stopping stays with the group and is claimed by another worker."""
        while not stop.is_set():
            if crew.full:
                await asyncio.sleep(PAUSE / 10)
                continue
            try:
                entries = await self._streams.take(crew.kind, self._name, self._shards, block_ms=BLOCK_MS)
            except StreamsUnavailable as problem:
                structlog.get_logger().warning("streams_away", kind=crew.kind, cause=str(problem))
                await asyncio.sleep(PAUSE)
                continue
            for entry in entries:
                crew.start(entry.conversation_id, entry)

    async def _reclaim(self) -> None:
        """Take over what a worker left that has died."""
        for crew in (self.inbound, self.outbound):
            for entry in await self._streams.reclaim(crew.kind, self._name, self._idle_ms[crew.kind]):
                crew.start(entry.conversation_id, entry)

    def _guarded(self, job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        """A job whose failure is told and tried again, rather than ending the process."""

        async def run() -> None:
            try:
                await job()
            except ChannelsError as problem:
                structlog.get_logger().warning("job_failed", problem=type(problem).__name__)

        return run


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises SettingsError, LedgerUnavailable."""
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    load_knowledge()
    metrics = WorkerMetrics()
    async with open_parts(settings, metrics) as parts:
        worker = Worker(parts, metrics)
        health = Health(
            ledger=parts.ledger, streams=parts.streams, metrics=metrics, also=lambda: {"canary": worker.canary.well}
        )
        server = health_server(settings, health)
        serving = asyncio.create_task(server.serve())
        structlog.get_logger().info("worker_started")
        try:
            await worker.run(stop)
        finally:
            server.should_exit = True
            await serving
            structlog.get_logger().info("worker_stopped")


@asynccontextmanager
async def open_parts(settings: Settings, metrics: WorkerMetrics) -> AsyncIterator[Parts]:
    """Everything that has to be opened, and closed again."""
    async with AsyncExitStack() as stack:
        ledger = await open_ledger(settings)
        stack.push_async_callback(ledger.close)
        redis_url = settings.redis_url.get_secret_value() or Valkey(settings.data_dir).url
        streams = Streams.connect(redis_url, settings.redis_prefix, settings.shards)
        stack.push_async_callback(streams.close)
        token = settings.rasa_token.get_secret_value()
        editor = EditorQueue(settings.editor_address, settings.reports_token.get_secret_value())
        stack.push_async_callback(editor.close)
        actions_token = settings.actions_token.get_secret_value()
        notices = Noticing(
            settings.action_server_url, actions_token, settings.concern_deadline, metrics.count_unnoticed
        )
        stack.push_async_callback(notices.close)
        assistant = Assistant(settings.assistant_url, token, settings.assistant_deadline, notices)
        stack.push_async_callback(assistant.close)
        senders: dict[Channel, Sender] = {}
        typing: dict[Channel, ShowsTyping] = {}
        if (twilio := Twilio.from_settings(settings)) is not None:
            stack.callback(twilio.close)
            senders[Channel.SMS] = SmsSender(twilio)
        if (vonage := Vonage.from_settings(settings)) is not None:
            stack.push_async_callback(vonage.close)
            senders[Channel.SMS] = SmsSender(vonage)
        if (telegram := Telegram.from_settings(settings)) is not None:
            stack.push_async_callback(telegram.close)
            sender = TelegramSender(telegram, ledger)
            senders[Channel.TELEGRAM] = typing[Channel.TELEGRAM] = sender
            stack.push_async_callback(sender.close)
        yield Parts(
            settings=settings, ledger=ledger, streams=streams, assistant=assistant, senders=senders,
            inbox=twilio, reports=twilio, editor=editor, typing=typing, notices=notices,
            pieces=Pieces.load(settings.pieces_seconds),
        )  # fmt: skip


class QuietServer(uvicorn.Server):
    """Leaves signals to the worker, which finishes what it has begun before anything is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def health_server(settings: Settings, health: Health) -> uvicorn.Server:
    return QuietServer(
        uvicorn.Config(
            Starlette(routes=health.routes()),
            host=settings.host,
            port=settings.port + WORKER_PORT_OFFSET,
            log_config=None,
            access_log=False,
            server_header=False,
        )
    )
