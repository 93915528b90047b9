"""Who is looking. The pages know a `Visit` and nothing of cookies, so another sign-in can take this one's place.

The seam: `Recogniser`. A sign-in shared with the desk needs a class with these four methods, given to `create_app`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from knowledge.editing.accounts import DEMO_EDITORS, Accounts, Editor
from knowledge.settings import Settings

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")
HIGHEST_ROW: Final = 2**31


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request by an editor who is signed in. `form_token` goes into every form of the answer."""

    request: Request
    editor: Editor
    form_token: str
    form: FormData = field(default_factory=FormData)
    new_token: str = ""
    """The session began with this request: its cookie still has to be set."""

    def said(self, name: str) -> str:
        """A field of the form or, in a GET, of the address; empty when it is missing or a file."""
        source = self.form if self.request.method == "POST" else self.request.query_params
        value = source.get(name, "")
        return value.encode("utf-8", "replace").decode().replace("\0", "").strip() if isinstance(value, str) else ""

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        """Of a row, from the address; 0, which no row has, for one that no database could hold."""
        asked = int(self.request.path_params[name])
        return asked if asked < HIGHEST_ROW else 0


class Recogniser(Protocol):
    """What the pages need of a sign-in."""

    def visit(self, request: Request) -> Visit | None: ...

    def open(self, request: Request, editor: Editor) -> Visit: ...

    def give(self, response: Response, visit: Visit) -> None: ...

    def close(self, request: Request, response: Response) -> None: ...


class Sessions:
    """Sessions of editor accounts, in a cookie that scripts cannot read and other sites cannot send."""

    def __init__(self, accounts: Accounts, settings: Settings) -> None:
        self._accounts = accounts
        self._settings = settings
        # Browsers share cookies between ports: two services on one machine must not sign each other out.
        self.cookie = f"nwd-editor-{settings.editor_port}"

    def visit(self, request: Request) -> Visit | None:
        """Who sent this. In the demo the first page signs somebody in by itself: Robin, or who `?as=` names."""
        token = request.cookies.get(self.cookie, "")
        editor = self._accounts.session(token) if token else None
        known = Visit(request=request, editor=editor, form_token=form_token(token)) if editor else None
        if request.url.path != "/" or request.method != "GET":
            return known
        wanted = request.query_params.get("as", "" if known else DEMO_EDITORS[0][1])
        if not wanted or (known and known.editor.login == wanted) or not self.is_demo(request):
            return known
        made_up = self._accounts.find(wanted) if wanted in {login for _name, login in DEMO_EDITORS} else None
        return self.open(request, made_up) if made_up else known

    def open(self, request: Request, editor: Editor) -> Visit:
        """A new session, never the old one under a new name. The one this browser had ends."""
        if old := request.cookies.get(self.cookie, ""):
            self._accounts.close_session(old)
        token = self._accounts.open_session(editor.login)
        return Visit(request=request, editor=editor, form_token=form_token(token), new_token=token)

    def give(self, response: Response, visit: Visit) -> None:
        """Put a new session's cookie on an answer; the browser drops it when it closes."""
        secure = visit.request.url.scheme == "https" or visit.request.headers.get("x-forwarded-proto") == "https"
        response.set_cookie(self.cookie, visit.new_token, httponly=True, samesite="strict", secure=secure, path="/")

    def close(self, request: Request, response: Response) -> None:
        self._accounts.close_session(request.cookies.get(self.cookie, ""))
        response.delete_cookie(self.cookie, httponly=True, samesite="strict", path="/")

    def is_demo(self, request: Request) -> bool:
        """Demo mode, asked for from this very machine by its own name: not through a proxy, not by a strange host."""
        client = request.client.host if request.client else ""
        named = urlsplit(f"//{request.headers.get('host', '')}").hostname
        forwarded = any(name in request.headers for name in FORWARDED)
        return self._settings.demo and client in LOOPBACK and named in LOOPBACK and not forwarded


def form_token(token: str) -> str:
    """What a form of this session carries. It cannot be turned back into the session's token."""
    return hmac.new(token.encode("utf-8", "replace"), b"form of the editor", hashlib.sha256).hexdigest()


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site sent this. Whoever says nothing still needs the form's token."""
    return request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
