"""One sign-in for desk and editor: whoever is signed in at the desk and may edit or read need not sign in here again.

A browser shows both the same cookie, because they are one host. We show its value to the desk, which says who that is
and whether they may edit and publish. The editor's own accounts stay beside it.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

import httpx
import structlog
from starlette.requests import Request
from starlette.responses import Response

from knowledge.editing.accounts import Accounts, Editor, Role
from knowledge.editor.sessions import Sessions, Visit, form_token
from knowledge.settings import Settings

PATIENCE: Final = 3.0
"""Seconds. Without an answer the own sign-in is there."""
FRESH: Final = 5.0
"""Seconds for which an answer of the desk holds: so long after signing out there, a page here may still open."""
MOST_REMEMBERED: Final = 500


@dataclass(frozen=True, kw_only=True)
class _Known:
    editor: Editor | None
    until: float


class DeskSessions(Sessions):
    """The editor's own sessions first, then those of the desk."""

    def __init__(self, accounts: Accounts, settings: Settings, client: httpx.Client | None = None) -> None:
        super().__init__(accounts, settings)
        self._desk = f"{settings.desk_address}/desk/staff-session"
        self._bearer = {"Authorization": f"Bearer {settings.staff_token.get_secret_value()}"}
        self._cookies = ("__Host-nwd-desk", f"nwd-desk-{settings.port}")
        self._client = client or httpx.Client(timeout=PATIENCE, trust_env=False)
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def visit(self, request: Request) -> Visit | None:
        if request.cookies.get(self.cookie):
            own = super().visit(request)
            if own is not None:
                return own
        token = self._token(request)
        editor = self._ask(token) if token else None
        if editor is None:
            return super().visit(request)
        return Visit(request=request, editor=editor, form_token=form_token(token))

    def close(self, request: Request, response: Response) -> None:
        """Of both: somebody who signs out here means it."""
        super().close(request, response)
        token = self._token(request)
        if token:
            self._known.pop(_key(token), None)
            self._post({"session": token, "end": "yes"})

    def _token(self, request: Request) -> str:
        return next((found for name in self._cookies if (found := request.cookies.get(name, ""))), "")

    def _ask(self, token: str) -> Editor | None:
        now, key = time.monotonic(), _key(token)
        known = self._known.get(key)
        if known is None or known.until < now:
            known = _Known(editor=self._read(self._post({"session": token})), until=now + FRESH)
            self._known[key] = known
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return known.editor

    def _read(self, answer: httpx.Response | None) -> Editor | None:
        if answer is None or answer.status_code != httpx.codes.OK:
            return None
        said: dict[str, Any] = answer.json()
        role = Role.PUBLISHER if said["publishes"] else Role.EDITOR if said["edits"] else Role.READER
        return self._accounts.know(login=str(said["login"]), name=str(said["name"]), role=role)

    def _post(self, form: dict[str, str]) -> httpx.Response | None:
        try:
            answer = self._client.post(self._desk, data=form, headers=self._bearer)
        except httpx.HTTPError as problem:
            structlog.get_logger().warning("desk_sign_in_silent", reason=type(problem).__name__)
            return None
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            structlog.get_logger().warning("desk_sign_in_refused", fix="NWD_STAFF_TOKEN differs between the two")
        return answer


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
