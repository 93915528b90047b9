"""The simulator's pages: plain forms, kept up to date by the same script as the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import phonenumbers
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates

from channels.gsm7 import segments
from channels.pages import cross_site, open_templates
from channels.settings import Settings
from channels.simulator.lines import ACCOUNTS, PHONES, Line, line_at
from channels.simulator.misbehave import LABELS, SENDS
from channels.simulator.network import Simulator
from channels.simulator.store import PhoneStore

LONGEST_MESSAGE: Final = 20_000
LARGEST_FORM: Final = 1_000_000
KINDS: Final = {"phone": "sms", "telegram": "telegram"}


def routes(simulator: Simulator, settings: Settings) -> list[BaseRoute]:
    """Nothing at all outside demo mode."""
    if not settings.demo:
        return []
    pages = Pages(simulator=simulator, settings=settings)
    line = "/simulator/{kind}/{number:int}"
    return [
        *simulator.twilio.routes(),
        *simulator.telegram.routes(),
        Route("/simulator", pages.index),
        Route("/simulator/misbehave/{kind}", pages.misbehave, methods=["POST"], max_body_size=LARGEST_FORM),
        Route(line, pages.show),
        Route(f"{line}/log", pages.show_log),
        Route(f"{line}/events", pages.stream),
        Route(f"{line}/messages", pages.write, methods=["POST"], max_body_size=LARGEST_FORM),
        Route(f"{line}/press", pages.press, methods=["POST"], max_body_size=LARGEST_FORM),
        Route(f"{line}/block", pages.block, methods=["POST"], max_body_size=LARGEST_FORM),
    ]


@dataclass(kw_only=True)
class Pages:
    simulator: Simulator
    settings: Settings
    templates: Jinja2Templates = field(init=False)

    def __post_init__(self) -> None:
        self.templates = open_templates(self.settings, Path(__file__).parent / "templates")
        self.templates.env.filters["segments"] = segments

    async def index(self, request: Request) -> Response:
        misbehave = self.simulator.misbehave
        networks = [
            ("sms", "Text messages", misbehave["sms"], LABELS),
            ("telegram", "Telegram", misbehave["telegram"], {**LABELS, "drop_callbacks": ""}),
        ]
        context = {"phones": PHONES, "accounts": ACCOUNTS, "networks": networks, "sends": SENDS}
        return self.templates.TemplateResponse(request, "simulator.html", context)

    async def misbehave(self, request: Request) -> Response:
        """Make a network misbehave as the form says, or behave again."""
        if cross_site(request):
            raise HTTPException(403)
        network = self.simulator.misbehave.get(request.path_params["kind"])
        if network is None:
            raise HTTPException(404)
        form = await request.form(max_fields=20, max_files=0)
        if "behave" in form:
            network.behave()
        else:
            network.set_from(form)
        return RedirectResponse("/simulator#misbehave", status_code=303)

    async def show(self, request: Request) -> Response:
        return self.templates.TemplateResponse(request, "phone.html", await self._context(_line(request)))

    async def show_log(self, request: Request) -> Response:
        return self.templates.TemplateResponse(request, "phone_log.html", await self._context(_line(request)))

    async def stream(self, request: Request) -> Response:
        return EventSourceResponse(_events(self.simulator.store, _line(request)), ping=20)

    async def write(self, request: Request) -> Response:
        line, form = await self._form(request)
        words = form.get("text", "").replace("\r\n", "\n")[:LONGEST_MESSAGE]
        if words.strip():
            await self.simulator.write(line, words)
        return _back(request, line)

    async def press(self, request: Request) -> Response:
        line, form = await self._form(request)
        message = form.get("message", "")
        if message.isdecimal() and line.kind == "telegram":
            await self.simulator.telegram.press(line, int(message), form.get("data", ""))
        return _back(request, line)

    async def block(self, request: Request) -> Response:
        """Block the bot, or stop blocking it. A phone does the same with STOP and START."""
        line, _ = await self._form(request)
        if line.kind == "telegram":
            blocked = not await self.simulator.store.unblock(line.key)
            if blocked:
                await self.simulator.store.block(line.key)
            await self.simulator.telegram.change_block(line, blocked)
        return _back(request, line)

    async def _form(self, request: Request) -> tuple[Line, dict[str, str]]:
        if cross_site(request):
            raise HTTPException(403)
        form = await request.form(max_fields=20, max_files=0)
        return _line(request), {name: value for name, value in form.items() if isinstance(value, str)}

    async def _context(self, line: Line) -> dict[str, object]:
        bubbles = await self.simulator.store.of_line(line.key)
        return {
            "line": line,
            "bubbles": bubbles,
            "blocked": await self.simulator.store.is_blocked(line.key),
            "our_number": as_dialled(self.settings.twilio_from),
        }


def as_dialled(number: str) -> str:
    """+441632960000 as somebody in the country reads it: 01632 960000."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def _line(request: Request) -> Line:
    line = line_at(KINDS.get(request.path_params["kind"], ""), request.path_params["number"])
    if line is None:
        raise HTTPException(404)
    return line


def _back(request: Request, line: Line) -> Response:
    if "application/json" in request.headers.get("accept", ""):
        return PlainTextResponse("", status_code=204)
    return RedirectResponse(f"{line.page}#end", status_code=303)


async def _events(store: PhoneStore, line: Line) -> AsyncIterator[ServerSentEvent]:
    async with store.watch(line.key) as changed:
        while True:
            await changed.wait()
            changed.clear()
            yield ServerSentEvent(event="changed", data="{}")
