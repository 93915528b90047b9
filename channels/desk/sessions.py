"""Who is looking: server-side sessions in a cookie that scripts cannot read and other sites cannot send.

A session ends 12 hours after its last use, 24 hours after it began, and at once on signing out, with a changed
password and with the end of somebody's access. The token in a
form is derived from the session's own, so it proves that the form came from a page of that session.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from channels.demo import DEMO_PEERS
from channels.ledger import Ledger
from channels.ledger.accounts import UsedSession
from channels.ledger.records import PeerRecord
from channels.pages import cross_site
from channels.settings import Settings

IDLE: Final = timedelta(hours=12)
LONGEST: Final = timedelta(hours=24)
WARNED: Final = timedelta(minutes=15)
"""Before either end an open page says so."""
SESSION: Final = "desk-session"
"""The header of every answer that tells an open page the seconds until both ends."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request by somebody who is signed in. `form_token` goes into every form of the answer."""

    request: Request
    peer: PeerRecord
    token: str
    form_token: str
    ends: tuple[datetime, datetime]
    """When the session is over, and when it is over if nothing is done with it until then."""
    is_new: bool = False
    """The session began with this request: its cookie still has to be set."""
    home: bool = False
    """They are of whoever runs the service. Looked up only for roles to which it makes a difference."""


class Sessions:
    """Opens, recognises and ends sessions."""

    def __init__(
        self, ledger: Ledger, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._ledger = ledger
        self._secure = settings.base_url.startswith("https://")
        # Browsers share cookies between ports: two services on one machine must not sign each other out.
        self.cookie = "__Host-nwd-desk" if self._secure else f"nwd-desk-{settings.port}"
        self._demo = settings.demo
        self._clock = clock

    async def visit(self, request: Request, *, active: bool) -> Visit | None:
        """Who sent this, or None. What an open page does by itself (not `active`) keeps nobody signed in."""
        token = request.cookies.get(self.cookie, "")
        used = await self._used(token, active=active)
        if used is None:
            return None
        ends = used.ends_at, used.idle_at
        return Visit(request=request, peer=used.peer, token=token, form_token=form_token(token), ends=ends)

    async def peer_of(self, token: str, *, active: bool) -> PeerRecord | None:
        """Whose session it is. None once it was not used for IDLE, in this process or any other."""
        used = await self._used(token, active=active)
        return used.peer if used else None

    async def _used(self, token: str, *, active: bool) -> UsedSession | None:
        if not token:
            return None
        return await self._ledger.accounts.use_session(token, now=self._clock(), idle=IDLE, active=active)

    async def open(self, request: Request, peer: PeerRecord) -> Visit:
        """A new session, never the old one under a new name. The one this browser had ends."""
        await self.close(request)
        token = await self._ledger.open_session(peer.id, LONGEST)
        ends = self._clock() + LONGEST, self._clock() + IDLE
        return Visit(request=request, peer=peer, token=token, form_token=form_token(token), ends=ends, is_new=True)

    async def close(self, request: Request) -> None:
        token = request.cookies.get(self.cookie, "")
        if token:
            await self._ledger.close_session(token)

    def give(self, response: Response, visit: Visit) -> None:
        """Put the session's cookie on an answer; the browser drops it when it closes."""
        response.set_cookie(self.cookie, visit.token, httponly=True, samesite="strict", secure=self._secure, path="/")

    def take(self, response: Response) -> None:
        response.delete_cookie(self.cookie, httponly=True, samesite="strict", secure=self._secure, path="/")

    async def demo_visit(self, request: Request, login: str) -> Visit | None:
        """Sign in one of the demo's made-up peer workers, for somebody who sits at this machine; else None."""
        if not self.is_demo(request) or login not in {known for _, known, _ in DEMO_PEERS}:
            return None
        peer = await self._ledger.peer_by_login(login)
        return await self.open(request, peer) if peer else None

    def is_demo(self, request: Request) -> bool:
        """Demo mode, asked for from this very machine by its own name: not through a proxy, not by a strange host."""
        client = request.client.host if request.client else ""
        named = urlsplit(f"//{request.headers.get('host', '')}").hostname
        forwarded = any(name in request.headers for name in FORWARDED)
        return self._demo and client in LOOPBACK and named in LOOPBACK and not forwarded


def form_token(token: str) -> str:
    """What a form of this session carries. It cannot be turned back into the session's token."""
    return hmac.new(token.encode("utf-8", "replace"), b"form of the desk", hashlib.sha256).hexdigest()


def seconds_left(visit: Visit, now: datetime) -> tuple[int, int]:
    over, idle = (max(0, round((end - now).total_seconds())) for end in visit.ends)
    return over, idle


def from_elsewhere(request: Request, settings: Settings) -> bool:
    """Whether a browser says that another site sent this. Whoever says nothing still needs the form's token."""
    return cross_site(request, settings.base_url)


WAY_BACK: Final = re.compile(
    r"/desk(/(conversations/[0-9a-z_-]{1,64}|account|audit|colleagues|debrief|replies|reports|rights|wall))?"
)


def way_back(wanted: str) -> str:
    """Where to go after signing in: a page of the desk, whatever was asked for."""
    return wanted if WAY_BACK.fullmatch(wanted) else "/desk"
