"""The web process: webhooks, web chat, desk and, in demo mode, the simulated phones, put together here.

Everything that has to be opened is opened when the server starts and closed when it stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, NamedTuple

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channels import desk, simulator
from channels.attendance import Attendance
from channels.catalogue import SearchClient
from channels.ending import cut_short
from channels.errors import SendFailed, where
from channels.escalation import Escalations
from channels.gateway import Gateway, Quarantine
from channels.guard import Guard
from channels.health import Health
from channels.intake import Intake
from channels.landing import Landing
from channels.ledger import Ledger, open_ledger
from channels.mailing import Mailer
from channels.media import MediaFetcher
from channels.metrics import Metrics
from channels.never_no import NeverNo
from channels.organisation import Organisation
from channels.pages import SecurityHeaders, static_routes
from channels.polling import Poller
from channels.settings import Settings
from channels.sms.twilio import Twilio
from channels.sms.vonage import Vonage
from channels.streams import Streams
from channels.teams import Teams
from channels.telegram import Telegram
from channels.updates import Updates
from channels.valkey import Valkey
from channels.webchat import WebChat
from channels.wording import Wording

LARGEST_BODY: Final = 1_000_000
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds before telling Telegram again where we are."""
STOP_SECONDS: Final = 3
"""How long open pages and requests under way may take when the server stops."""


class Parts(NamedTuple):
    settings: Settings
    wording: Wording
    ledger: Ledger
    streams: Streams


def run(settings: Settings) -> None:
    """Serve until a signal comes. No access log: addresses of pages say who talks to us."""
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def create_app(settings: Settings) -> Starlette:
    """The application; its parts are opened by the server's lifespan and not before."""
    wording = Wording.load(settings.country, settings.service_name)
    landing = Landing(settings=settings, wording=wording)
    return Starlette(
        lifespan=partial(_open_parts, settings, landing),
        middleware=[
            Middleware(SecurityHeaders, exit_to=settings.exit_url),
            Middleware(LastResort, answer=landing.broken),
        ],
        exception_handlers={404: landing.missing},
        max_body_size=LARGEST_BODY,
    )


@asynccontextmanager
async def _open_parts(settings: Settings, landing: Landing, app: Starlette) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        ledger = await open_ledger(settings)
        stack.push_async_callback(ledger.close)
        redis_url = settings.redis_url.get_secret_value() or Valkey(settings.data_dir).url
        streams = Streams.connect(redis_url, settings.redis_prefix, settings.shards)
        stack.push_async_callback(streams.close)
        app.router.routes[:] = [
            *landing.routes(),
            *static_routes(),
            *await _channel_routes(Parts(settings, landing.wording, ledger, streams), stack),
            *_desk_routes(Parts(settings, landing.wording, ledger, streams), stack),
        ]
        yield


async def _channel_routes(parts: Parts, stack: AsyncExitStack) -> list[BaseRoute]:
    settings, wording, ledger, streams = parts
    metrics = Metrics(settings.known_sources)
    wording.look = Guard(rules=NeverNo.load(), wording=wording, on_mended=metrics.count_mended).mend_text
    intake = Intake(ledger, streams, metrics)
    twilio, telegram = Twilio.from_settings(settings), Telegram.from_settings(settings)
    if twilio is not None:
        stack.callback(twilio.close)
    if (vonage := Vonage.from_settings(settings)) is not None:
        stack.push_async_callback(vonage.close)
    updates = None
    if telegram is not None:
        stack.push_async_callback(telegram.close)
        updates = Updates(telegram=telegram, intake=intake, ledger=ledger, streams=streams, wording=wording)
    gateway = Gateway(ledger=ledger, intake=intake, metrics=metrics, twilio=twilio, telegram=updates, vonage=vonage)
    if updates is not None:
        await stack.enter_async_context(_listening(updates, gateway.quarantine, settings))
    chat = WebChat(
        ledger=ledger,
        streams=streams,
        intake=intake,
        settings=settings,
        wording=wording,
        texts=twilio or vonage,
        mail=Mailer.from_settings(settings),
        attendance=Attendance(ledger=ledger, streams=streams, wording=wording),
    )
    routes = [
        *Health(ledger=ledger, streams=streams, metrics=metrics).routes(),
        *gateway.routes(),
        *chat.routes(),
    ]
    if settings.demo:
        phones = await simulator.Simulator.open(settings)
        stack.push_async_callback(phones.close)
        routes += simulator.routes(phones, settings)
    return routes


def _desk_routes(parts: Parts, stack: AsyncExitStack) -> list[BaseRoute]:
    settings, wording, ledger, streams = parts
    escalations = Escalations(ledger, streams, wording, settings, teams=Teams.of(settings))
    media = MediaFetcher(settings)
    stack.push_async_callback(media.close)
    catalogue = SearchClient(settings)
    stack.push_async_callback(catalogue.close)
    return desk.routes(
        ledger=ledger,
        streams=streams,
        escalations=escalations,
        settings=settings,
        media=media,
        catalogue=catalogue,
        organisation=Organisation(settings) if settings.oidc_issuer else None,
    )


@asynccontextmanager
async def _listening(updates: Updates, quarantine: Quarantine, settings: Settings) -> AsyncIterator[None]:
    """Ask Telegram for updates, or tell it where to bring them: it wants an https address."""
    jobs: list[Coroutine[Any, Any, None]] = []
    if settings.telegram_polling:
        jobs.append(Poller(telegram=updates.telegram, updates=updates, on_unreadable=quarantine).run())
    elif not settings.demo and settings.base_url.startswith("https://"):
        jobs.append(_until_done(updates.telegram.set_up, "telegram_webhook"))
    if jobs:
        jobs.append(_until_done(updates.telegram.set_menu, "telegram_menu"))
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        await cut_short(tasks)
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_done(act: Callable[[], Awaitable[None]], name: str) -> None:
    """Again and again while trying again can help: Telegram may be away when we start."""
    log, pause = structlog.get_logger(), FIRST_PAUSE
    while True:
        try:
            await act()
        except SendFailed as problem:
            log.error(f"{name}_not_set", code=problem.code)
            if not problem.retryable:
                return
            await asyncio.sleep(max(pause, problem.retry_after or 0.0))
            pause = min(LONGEST_PAUSE, pause * 2)
        else:
            log.info(f"{name}_set")
            return


class LastResort:
    """Catches what nobody caught, before a server's own log prints it with all that is in it."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def noticing(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noticing)
        except Exception as error:
            structlog.get_logger().error("page_failed", problem=type(error).__name__, where=where(error))
            if not started:
                response = await self.answer(Request(scope, receive))
                await response(scope, receive, send)
