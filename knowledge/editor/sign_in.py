"""Signing in and out."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from knowledge.editing.accounts import DEMO_EDITORS, DEMO_PASSWORD, Editor
from knowledge.editor.sessions import Sessions, Visit, from_elsewhere
from knowledge.editor.site import LARGEST_FORM, SIGN_IN, Site, read_form

MOST_FAILURES: Final = 10
WINDOW: Final = 15 * 60.0
"""Seconds after the first failure of a series."""
MOST_REMEMBERED: Final = 2_000
LONGEST_PASSWORD: Final = 1000
WAY_BACK: Final = re.compile(r"/(?!/)[a-z0-9/_-]{0,200}")
WRONG: Final = "That login and password do not go together. Try again."
TOO_MANY: Final = "There were many tries with this login from here. Wait 15 minutes, then try again."


class Attempts:
    """Failed sign-ins by login and address, in memory: a password cannot be guessed, nobody is locked out from afar."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._series: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def begin(self, login: str, address: str) -> bool:
        """Count a try before its password is looked at, so that many at once count too. False for one too many."""
        with self._lock:
            began, count = self._series.get((login, address), (self._clock(), 0))
            if self._clock() - began >= WINDOW:
                began, count = self._clock(), 0
            if count >= MOST_FAILURES:
                return False
            self._series[(login, address)] = (began, count + 1)
            if len(self._series) > MOST_REMEMBERED:
                self._series.popitem(last=False)
            return True

    def succeed(self, login: str, address: str) -> None:
        with self._lock:
            self._series.pop((login, address), None)


class Door:
    """The one page for people who are not signed in yet."""

    def __init__(self, attempts: Attempts | None = None) -> None:
        self._attempts = attempts or Attempts()
        self._looking = threading.Semaphore(2)

    def routes(self) -> list[Route]:
        return [
            Route(SIGN_IN, self.show, methods=["GET"], name="sign_in"),
            Route(SIGN_IN, self.enter, methods=["POST"], max_body_size=LARGEST_FORM),
        ]

    async def show(self, request: Request) -> Response:
        return _page(request, to=request.query_params.get("to", ""))

    async def enter(self, request: Request) -> Response:
        return await run_in_threadpool(self._enter, request, await read_form(request))

    def _enter(self, request: Request, form: FormData) -> Response:
        site: Site = request.app.state.site
        login, password, to = (_word(form, name) for name in ("login", "password", "to"))
        login = login.strip().lower()
        address = request.client.host if request.client else ""
        if from_elsewhere(request):
            return site.plain(request, "refused.html", 403)
        if not self._attempts.begin(login, address):
            return _page(request, 429, said=TOO_MANY, login=login, to=to)
        editor = self._check(site, login, password)
        if editor is None:
            return _page(request, 403, said=WRONG, login=login, to=to)
        self._attempts.succeed(login, address)
        visit = site.sessions.open(request, editor)
        response = RedirectResponse(way_back(to), 303)
        site.sessions.give(response, visit)
        return response

    def _check(self, site: Site, login: str, password: str) -> Editor | None:
        """A password that everybody can read in the demo opens nothing once the demo is off."""
        with self._looking:
            editor = site.accounts.check(login, password[:LONGEST_PASSWORD])
        return None if password == DEMO_PASSWORD and not site.settings.demo else editor


def leave(site: Site, visit: Visit) -> Response:
    """POST /sign-out"""
    response = RedirectResponse(f"{SIGN_IN}?bye", 303)
    site.sessions.close(visit.request, response)
    return response


def way_back(wanted: str) -> str:
    """Where to go after signing in: a page of ours, whatever was asked for."""
    return wanted if WAY_BACK.fullmatch(wanted) else "/"


def _page(request: Request, status: int = 200, *, said: str = "", login: str = "", to: str = "") -> Response:
    site: Site = request.app.state.site
    is_demo = isinstance(site.sessions, Sessions) and site.sessions.is_demo(request)
    bye = "bye" in request.query_params and not said
    words = {"said": said, "login": login, "to": way_back(to), "bye": bye}
    people = {"people": DEMO_EDITORS if is_demo else (), "password": DEMO_PASSWORD if is_demo else ""}
    return site.plain(request, "sign_in.html", status, **words, **people)


def _word(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else ""
