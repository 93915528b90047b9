"""Signing in and out."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from channels.demo import DEMO_PASSWORD, DEMO_PEERS, DEMO_TEAMS
from channels.desk.attempts import WINDOW, Attempts
from channels.desk.guard import SIGN_IN, Site, answer, posted
from channels.desk.second_step import ask_for_second, needs_second
from channels.desk.sessions import Visit, from_elsewhere, way_back
from channels.ledger.records import PeerRecord
from channels.pages import place_of
from channels.passwords import hash_password, password_matches

AT_ONCE: Final = 2
"""Passwords looked at at the same time: each takes memory and a processor for tens of milliseconds."""

LONGEST_PASSWORD: Final = 1000


class Door:
    """The one page of the desk for people who are not signed in yet."""

    def __init__(self, site: Site, attempts: Attempts | None = None) -> None:
        self._site = site
        self._attempts = attempts or site.attempts
        self._looking = asyncio.Semaphore(AT_ONCE)
        self._nobody = ""

    async def show(self, request: Request) -> Response:
        """GET /desk/sign-in"""
        return await answer(self._site, request, lambda: self._show(request))

    async def enter(self, request: Request) -> Response:
        """POST /desk/sign-in with login, password and to."""
        return await answer(self._site, request, lambda: self._enter(request))

    async def _show(self, request: Request) -> Response:
        said = "sign_in_again" if await self._has_ended(request) else ""
        said = "signed_out" if "bye" in request.query_params else said
        return self._page(request, 200, said=self._site.words.say("said", said) if said else "")

    async def _has_ended(self, request: Request) -> bool:
        """Whether this browser was signed in and is not any more: said, so that nobody wonders what they did wrong."""
        sessions = self._site.sessions
        return sessions.cookie in request.cookies and await sessions.visit(request, active=False) is None

    async def _enter(self, request: Request) -> Response:
        if from_elsewhere(request, self._site.settings):
            return self._site.refuse(request, 403, "stale_form")
        login, password = posted(request, "login").strip(), posted(request, "password")
        client = place_of(request)
        if not self._attempts.begin(login, client):
            structlog.get_logger().warning("sign_in_slowed")
            return self._too_many(request)
        peer = await self._check(login, password)
        if peer is None:
            return self._page(request, 403, said=self._site.words.say("refused", "wrong_password"))
        self._attempts.succeed(login, client)
        if await needs_second(self._site, peer):
            return await ask_for_second(self._site, peer, way_back(posted(request, "to")))
        visit = await self._site.sessions.open(request, peer)
        response = RedirectResponse(way_back(posted(request, "to")), 303)
        self._site.sessions.give(response, visit)
        return response

    async def _check(self, login: str, password: str) -> PeerRecord | None:
        """The peer worker, if login and password go together. Takes as long when they do not."""
        sensible = login.isprintable() and len(login) <= LONGEST_PASSWORD
        peer = await self._site.ledger.peer_by_login(login) if sensible else None
        async with self._looking:
            # Before looking at who it is, so that the first unknown login takes no longer than the first known one.
            self._nobody = self._nobody or await asyncio.to_thread(hash_password, "of a login that nobody has")
            known = (peer.password_hash if peer else "") or self._nobody
            matches = await asyncio.to_thread(password_matches, known, password[:LONGEST_PASSWORD])
        return peer if matches and peer and peer.password_hash and not peer.ended else None

    def _too_many(self, request: Request) -> Response:
        said = self._site.words.say("refused", "too_many", minutes=int(WINDOW // 60))
        response = self._page(request, 429, said=said)
        response.headers["Retry-After"] = str(int(WINDOW))
        return response

    def _page(self, request: Request, status: int, *, said: str) -> Response:
        is_demo = self._site.sessions.is_demo(request)
        return self._site.page(
            request,
            "sign_in.html",
            status,
            said=said,
            wrong=status != 200,
            login=posted(request, "login") if request.method == "POST" else "",
            to=way_back(posted(request, "to") if request.method == "POST" else request.query_params.get("to", "")),
            organisation=self._site.settings.oidc_name if self._site.settings.oidc_issuer else "",
            demo_people=DEMO_PEERS if is_demo else (),
            demo_partners=frozenset(DEMO_TEAMS),
            demo_password=DEMO_PASSWORD if is_demo else "",
        )


async def leave(site: Site, visit: Visit) -> Response:
    """POST /desk/sign-out"""
    await site.sessions.close(visit.request)
    response = RedirectResponse(f"{SIGN_IN}?bye", 303)
    site.sessions.take(response)
    return response
