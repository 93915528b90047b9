"""What stands before every page: signed in, and for a form, one of ours. Handlers never look at cookies or tokens.

Handlers are plain functions that run in threads, because SQL and search block.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from knowledge.asked import Asked
from knowledge.catalogue import Service
from knowledge.editing.accounts import DEMO_EDITORS, Accounts
from knowledge.editing.changes import Teller
from knowledge.editing.drafts import Drafts, Gone
from knowledge.editing.forms import Form, Problem
from knowledge.editing.imports import Imports
from knowledge.editing.live import Live
from knowledge.editing.preview import Preview
from knowledge.editing.publishing import Publisher
from knowledge.editing.reports import Reports
from knowledge.editing.sign_offs import SignOffs
from knowledge.editing.words import Words
from knowledge.editor.finder import Finder
from knowledge.editor.sessions import Recogniser, Visit, from_elsewhere
from knowledge.exchange.register import Register
from knowledge.settings import Settings
from knowledge.store import SEED, Listing, Store

SIGN_IN: Final = "/sign-in"
MOST_FIELDS: Final = 400
LARGEST_FORM: Final = 256_000


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the pages work with. `labels` are the needs by id."""

    settings: Settings
    templates: Jinja2Templates
    store: Store
    accounts: Accounts
    sessions: Recogniser
    labels: dict[str, str]
    finder: Finder
    words: Words
    drafts: Drafts
    publisher: Publisher
    preview: Preview
    reports: Reports
    sign_offs: SignOffs
    asked: Asked
    live: Live
    imports: Imports
    register: Register
    check: Callable[[Form, str], tuple[Service, tuple[Problem, ...]]]
    """The listing that a form describes, and everything to be said about it."""

    def teller(self) -> Teller:
        """Says forms in words, with the names that organisations have now."""
        return Teller(words=self.words, needs=self.labels, owners={owner.id: owner for owner in self.store.owners()})

    def waits_for(self, listing: Listing) -> tuple[str, ...]:
        """Why nobody is offered an imported listing yet, as its import found; empty for what is published."""
        entry = None if listing.published else self.register.entry(listing.service.id)
        return entry.reasons if entry else ()

    def name_of(self, login: str) -> str:
        """Who a login is, for people."""
        if login in {"", SEED}:
            return "the files it came from" if login else "the listing itself"
        editor = self.accounts.find(login)
        return editor.name if editor else login

    def today(self) -> date:
        """Where the service is."""
        return datetime.now(ZoneInfo(self.settings.timezone)).date()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def page(self, visit: Visit, template: str, status: int = 200, **words: Any) -> Response:
        """A page of somebody who is signed in: their name at the top, their token in its forms."""
        shown = {"me": visit.editor, "form_token": visit.form_token, "said": "", "refused": "", **words}
        if self.settings.demo:
            shown["others"] = [(name, login) for name, login in DEMO_EDITORS if login != visit.editor.login]
        return self.templates.TemplateResponse(visit.request, template, shown, status_code=status)

    def message(self, visit: Visit, text: str, status: int) -> Response:
        return self.page(visit, "message.html", status, message=text)

    def plain(self, request: Request, template: str, status: int = 200, **words: Any) -> Response:
        """A page for somebody who is not signed in."""
        return self.templates.TemplateResponse(request, template, words, status_code=status)

    def nothing_here(self, request: Request) -> Response:
        """The same for what is not there and for what is for editors alone."""
        return self.plain(request, "message.html", 404, message="There is no such page.")


Handler: TypeAlias = Callable[[Site, Visit], Response]


def page_route(path: str, handler: Handler, *, name: str, method: str = "GET", readers: bool = False) -> Route:
    """A page that nobody reaches without a session and, for a POST, a form of ours; `readers` may see it too."""

    async def endpoint(request: Request) -> Response:
        form = await read_form(request) if request.method == "POST" else FormData()
        return await run_in_threadpool(_admit, request.app.state.site, handler, request, form, readers)

    return Route(path, endpoint, name=name, methods=[method], max_body_size=LARGEST_FORM)


def upload_route(path: str, handler: Handler, *, name: str, largest: int, too_large: Handler) -> Route:
    """A page that a file is sent to. Its body is read only for somebody who is signed in, and only if it is not too
    large; `too_large` answers else.
    """

    async def endpoint(request: Request) -> Response:
        site: Site = request.app.state.site
        if from_elsewhere(request):
            return site.plain(request, "refused.html", 403)
        visit = await run_in_threadpool(site.sessions.visit, request)
        if visit is None:
            return _sign_in_first(site, request)
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > largest:
            return await run_in_threadpool(too_large, site, visit)
        async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
            return await run_in_threadpool(_admit, site, handler, request, form)

    return Route(path, endpoint, name=name, methods=["POST"])


async def read_form(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=MOST_FIELDS)


def see_other(visit: Visit, name: str, query: str = "", **path: object) -> Response:
    """To another page, after something was done."""
    return RedirectResponse(visit.request.url_for(name, **path).path + query, 303)


def _admit(site: Site, handler: Handler, request: Request, form: FormData, readers: bool = False) -> Response:
    if request.method == "POST" and from_elsewhere(request):
        return site.plain(request, "refused.html", 403)
    visit = site.sessions.visit(request)
    if visit is None:
        return _sign_in_first(site, request)
    visit = replace(visit, form=form)
    if request.method == "POST" and not same(visit.said("form_token"), visit.form_token):
        return site.plain(request, "refused.html", 403)
    try:
        allowed = readers or visit.editor.may_edit
        response = handler(site, visit) if allowed else site.nothing_here(request)
    except Gone as gone:
        response = site.message(visit, str(gone), 409)
    if visit.new_token:
        site.sessions.give(response, visit)
    return response


def _sign_in_first(site: Site, request: Request) -> Response:
    """To the sign-in page and back here. A form that was sent meanwhile is still in the browser's history."""
    if request.method == "GET":
        return RedirectResponse(f"{SIGN_IN}?to={quote(request.url.path)}", 303)
    return site.plain(request, "refused.html", 401)


def same(said: str, expected: str) -> bool:
    """Compared without telling by the time it takes how much of it was right."""
    return hmac.compare_digest(said.encode(), expected.encode())
