"""The chat's pages. Every one of them works as a plain page; the script asks for the same things in smaller pieces."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import phonenumbers
import structlog
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates

from channels.conversation import Channel, Holder, Inbound
from channels.errors import LedgerUnavailable
from channels.intake import Intake
from channels.opening import Opening
from channels.pages import cross_site, open_templates, place_of
from channels.settings import Settings
from channels.teams import Teams
from channels.webchat import view
from channels.webchat.cards import call_address
from channels.webchat.copies import Copies, Mail, Texts
from channels.webchat.embedding import allow_framing, embed_context, widget_script
from channels.webchat.forms import from_elsewhere, from_script, number_in, text_in
from channels.webchat.my_list import ListPages
from channels.webchat.reader import Attends, ChatLedger, Reader, utc_now
from channels.webchat.returning import Guesses
from channels.webchat.stream import Watcher, events
from channels.webchat.visitor import Visitor, forget_visitor
from channels.wording import Wording

LONGEST_MESSAGE: Final = 20_000
LARGEST_FORM: Final = 1_000_000
"""In bytes: 20,000 letters of any script, as a form sends them."""

Page = Callable[[Request], Awaitable[Response]]


@dataclass(kw_only=True)
class WebChat:
    ledger: ChatLedger
    streams: Watcher
    intake: Intake
    settings: Settings
    wording: Wording
    templates: Jinja2Templates = field(init=False)
    reader: Reader = field(init=False)
    guesses: Guesses = field(default_factory=Guesses)
    clock: Callable[[], datetime] = utc_now
    texts: Texts | None = None
    mail: Mail | None = None
    """Ways to send a copy of somebody's list; without one its form is not shown."""
    attendance: Attends | None = None
    """Who is at the desk; without it the page says nothing of that."""

    def __post_init__(self) -> None:
        self.templates = open_templates(self.settings, Path(__file__).parent / "templates")
        self.templates.env.filters["call_address"] = call_address
        hours = Opening.load(self.settings, Teams.of(self.settings)).of(Channel.WEB)
        self.reader = Reader(
            ledger=self.ledger, hours=hours, wording=self.wording, clock=self.clock, attendance=self.attendance,
            reads=self.streams,
        )  # fmt: skip

    def routes(self) -> list[BaseRoute]:
        pages: tuple[tuple[str, str, Page], ...] = (
            ("/chat", "GET", self.show),
            ("/chat/log", "GET", self.show_log),
            ("/chat/messages", "POST", self.take),
            ("/chat/events", "GET", self.stream),
            ("/chat/typing", "POST", self.show_typing),
            ("/chat/leave", "POST", self.leave),
            ("/chat/return", "GET", self.show_return),
            ("/chat/return/keep", "POST", self.keep),
            ("/chat/return/code", "POST", self.make_code),
            ("/chat/return/use", "POST", self.use_code),
            ("/chat/safety", "GET", self.show_safety),
            ("/chat/widget.js", "GET", widget_script),
            *self._list_pages().pages(),
        )
        return [
            Route(path, self._guarded(page), methods=[method], max_body_size=LARGEST_FORM)
            for path, method, page in pages
        ]

    def _list_pages(self) -> ListPages:
        copies = Copies(
            ledger=self.ledger, wording=self.wording, settings=self.settings, texts=self.texts, mail=self.mail
        )
        return ListPages(reader=self.reader, copies=copies, templates=self.templates, context=self._context)

    async def show(self, request: Request) -> Response:
        visitor = Visitor.of(request)
        before = number_in(request.query_params.get("before"))
        talk = await self.reader.talk(visitor, before=before)
        return self._page(request, visitor, talk, past=before > 1)

    async def show_log(self, request: Request) -> Response:
        """What came after message `after`, and who the person is talking to now."""
        visitor, after = Visitor.of(request), number_in(request.query_params.get("after"))
        talk = await self.reader.talk(visitor, after=after)
        # The page that asks has set the cookie already: a browser without it keeps none, or has left meanwhile.
        context = {"talk": talk, "no_cookies": visitor.fresh and not after, "sent": False, **self._context(request)}
        return self.templates.TemplateResponse(request, "log.html", context)

    async def take(self, request: Request) -> Response:
        """A message or a press. The script gets 204; a plain form goes back to the page."""
        if cross_site(request, self.settings.base_url):
            return from_elsewhere()
        visitor = Visitor.of(request)
        form = await request.form(max_fields=20, max_files=0)
        text = text_in(form, "text").replace("\r\n", "\n")
        if len(text) > LONGEST_MESSAGE:
            return self._page(request, visitor, await self.reader.talk(visitor), draft=text, status=413)
        text, payload = await self.reader.pressed(visitor, text_in(form, "payload")) or (text, None)
        if text.strip() or payload:
            await self.intake.receive(
                Inbound(
                    channel=Channel.WEB,
                    address=visitor.address,
                    provider_id=visitor.provider_id(text_in(form, "client_message_id"), f"{payload or ''}\0{text}"),
                    text=text,
                    payload=payload,
                    language=_language(request),
                )
            )
        response = Response(status_code=204)
        if not from_script(request):
            response = RedirectResponse(_back_to_chat(visitor), status_code=303)
        visitor.remember(response, secure=self._secure)
        return response

    async def stream(self, request: Request) -> Response:
        """204 tells the browser not to ask again: there is no conversation to follow yet."""
        if cross_site(request, self.settings.base_url):
            return from_elsewhere()
        visitor = Visitor.of(request)
        conversation = await self.reader.conversation(visitor)
        if conversation is None:
            return Response(status_code=204)
        after = number_in(request.headers.get("last-event-id") or request.query_params.get("after"))

        async def look() -> view.Talk:
            return await self.reader.talk(visitor, after=after, glance=True)

        return EventSourceResponse(events(self.streams, conversation.id, look, after), ping=20)

    async def show_typing(self, request: Request) -> Response:
        """Something is being written, not what: shown to the peer worker who is with them, and kept nowhere."""
        if cross_site(request, self.settings.base_url):
            return from_elsewhere()
        conversation = await self.reader.conversation(Visitor.of(request))
        if conversation is not None and conversation.holder is Holder.PEER:
            await self.streams.writing(conversation.id)
        return Response(status_code=204)

    async def leave(self, request: Request) -> Response:
        """Forget which conversation this browser had. Its words stay where they are: FORGET ME erases those."""
        quiet = "quiet" in request.query_params
        response = Response(status_code=204) if quiet else RedirectResponse(self.settings.exit_url, status_code=303)
        response.headers["Clear-Site-Data"] = '"cache"'
        if not cross_site(request, self.settings.base_url):
            forget_visitor(request, response, secure=self._secure)
        return response

    async def show_return(self, request: Request) -> Response:
        return await self._return_page(request)

    async def keep(self, request: Request) -> Response:
        """Keep the chat on this device, or no longer."""
        if cross_site(request, self.settings.base_url):
            return from_elsewhere()
        form = await request.form(max_fields=20, max_files=0)
        visitor = replace(Visitor.of(request), kept=text_in(form, "keep") == "yes")
        response = await self._return_page(request, visitor, said="kept" if visitor.kept else "not_kept")
        visitor.write(response, secure=self._secure)
        return response

    async def make_code(self, request: Request) -> Response:
        if cross_site(request, self.settings.base_url):
            return from_elsewhere()
        visitor = Visitor.of(request)
        conversation = await self.reader.conversation(visitor)
        if conversation is None:
            return await self._return_page(request, visitor, said="nothing_yet")
        code = await self.ledger.make_return_code(conversation.person_id, visitor.secret)
        return await self._return_page(request, visitor, code=f"{code[:3]} {code[3:]}")

    async def use_code(self, request: Request) -> Response:
        """Go on here with a chat from another device. Whatever was said on this one stays behind, unmerged."""
        if cross_site(request, self.settings.base_url):
            return from_elsewhere()
        here = place_of(request)
        form = await request.form(max_fields=20, max_files=0)
        if self.guesses.too_many(here):
            return await self._return_page(request, said="too_many", status=429)
        secret = await self.ledger.use_return_code(text_in(form, "code")[:40])
        if secret is None:
            self.guesses.count(here)
            return await self._return_page(request, said="wrong", status=422)
        if not secret:  # a code from a text or from Telegram is a message like any other: the worker reads it
            return await self._carry_on(request, text_in(form, "code")[:40])
        visitor = replace(Visitor.of(request), secret=secret, fresh=False, kept=False)
        response = RedirectResponse(_back_to_chat(visitor), status_code=303)
        visitor.write(response, secure=self._secure)
        return response

    async def _carry_on(self, request: Request, code: str) -> Response:
        visitor = Visitor.of(request)
        known = visitor.provider_id("", code)
        await self.intake.receive(Inbound(channel=Channel.WEB, address=visitor.address, provider_id=known, text=code))
        response = RedirectResponse(_back_to_chat(visitor), status_code=303)
        visitor.remember(response, secure=self._secure)
        return response

    async def _return_page(
        self, request: Request, visitor: Visitor | None = None, *, code: str = "", said: str = "", status: int = 200
    ) -> Response:
        visitor = visitor or Visitor.of(request)
        begun = await self.reader.conversation(visitor) is not None
        sms, telegram = self.settings.twilio_from or self.settings.vonage_from, self.settings.telegram_token
        elsewhere = {"text_to": _in_groups(sms), "telegram": bool(telegram.get_secret_value())}
        context = {"begun": begun, "kept": visitor.kept, "code": code, "said": said, **elsewhere}
        context |= self._context(request)
        return self.templates.TemplateResponse(request, "return.html", context, status_code=status)

    async def show_safety(self, request: Request) -> Response:
        """What "Leave this page" does and, as honestly, what it cannot do."""
        context = {"days": self.settings.retention_days, **self._context(request)}
        return self.templates.TemplateResponse(request, "staying_safe.html", context)

    def _page(
        self,
        request: Request,
        visitor: Visitor,
        talk: view.Talk,
        *,
        draft: str = "",
        past: bool = False,
        status: int = 200,
    ) -> Response:
        """`past`: an earlier part of the conversation, which does not grow while it is read."""
        context = {
            "talk": talk,
            "draft": draft,
            "past": past,
            "longest": LONGEST_MESSAGE,
            "no_cookies": visitor.fresh and "first" in request.query_params,
            "sent": True,
            **self._context(request),
        }
        response = self.templates.TemplateResponse(request, "chat.html", context, status_code=status)
        visitor.remember(response, secure=self._secure)
        return response

    def _context(self, request: Request) -> dict[str, str]:
        crisis = {"emergency": self.wording.crisis.emergency, "lines": self.wording.lines(limit=2)}
        return {**crisis, **embed_context(request, self.settings)}

    @property
    def _secure(self) -> bool:
        return self.settings.base_url.startswith("https://")

    def _guarded(self, page: Page) -> Page:
        """When the ledger is away the person hears that nothing was kept, and who is there now."""

        async def guarded(request: Request) -> Response:
            try:
                response = await page(request)
            except LedgerUnavailable:
                structlog.get_logger().error("ledger_unavailable", channel=Channel.WEB)
                response = await self._away(request)
            allow_framing(request, response, self.settings)
            return response

        return guarded

    async def _away(self, request: Request) -> Response:
        if from_script(request):
            return PlainTextResponse("Not sent.", status_code=503)
        draft = text_in(await request.form(), "text") if request.method == "POST" else ""
        context = {"draft": draft[:LONGEST_MESSAGE], **self._context(request)}
        return self.templates.TemplateResponse(request, "away.html", context, status_code=503)


def _back_to_chat(visitor: Visitor) -> str:
    asked = [*(["first=1"] if visitor.fresh else []), *(["embed=1"] if visitor.embedded else [])]
    return f"/chat{'?' if asked else ''}{'&'.join(asked)}#end"


def _language(request: Request) -> str | None:
    """The browser's first language, without its region: "cy-GB,en;q=0.8" is "cy"."""
    found = re.match(r"\s*([A-Za-z]{2,3})\b", request.headers.get("accept-language", ""))
    return found[1].lower() if found else None


def _in_groups(number: str) -> str:
    """Our number as people read it: '+44 7700 900001'."""
    try:
        read = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
