"""Who a browser is, as far as we know: a random number in a cookie that ends with the browser session,
or after 30 days without a visit if the person asked for that.

The ledger gets a hash of it: whoever reads the ledger cannot step into a conversation.
A chat framed by another site has a cookie of its own. Over https it is partitioned: the browser keeps one for each
site that frames us, so a person is never followed from one site to another.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from channels.webchat.embedding import is_embedded

COOKIE: Final = "nwd_visit"
FRAMED_COOKIE: Final = "nwd_framed"
COOKIE_PATH: Final = "/chat"
KEPT_SECONDS: Final = 30 * 24 * 3600
KEPT_MARK: Final = ".kept"
"""Ends the value of a cookie that the person asked to have kept: a browser does not say how long it keeps one."""
SECRET_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}")
CLIENT_ID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """One browser session. `fresh` when the browser did not send the cookie: it is new, or it keeps no cookies."""

    secret: str
    fresh: bool = False
    embedded: bool = False
    kept: bool = False

    @classmethod
    def of(cls, request: Request) -> Visitor:
        embedded = is_embedded(request)
        given = request.cookies.get(FRAMED_COOKIE if embedded else COOKIE, "")
        secret = given.removesuffix(KEPT_MARK)
        if SECRET_FORM.fullmatch(secret):
            return cls(secret=secret, embedded=embedded, kept=secret != given)
        return cls(secret=secrets.token_urlsafe(16), fresh=True, embedded=embedded)

    @property
    def address(self) -> str:
        """The address the ledger knows this visitor by."""
        return "visitor-" + sha256(self.secret.encode()).hexdigest()[:32]

    def provider_id(self, client_message_id: str, words: str) -> str:
        """The same message sent twice has the same id.

        The words count too: a browser's "back" brings an old form with an old id, to be filled in anew.
        """
        known = client_message_id if CLIENT_ID_FORM.fullmatch(client_message_id) else secrets.token_hex(16)
        mark = hmac.new(self.secret.encode(), f"{known}\0{words}".encode(errors="replace"), sha256).hexdigest()
        return f"{self.address}:{mark[:32]}"

    def remember(self, response: Response, *, secure: bool) -> None:
        """Nothing to do for a cookie that is there, except to let a kept one start its 30 days again."""
        if self.fresh or self.kept:
            self.write(response, secure=secure)

    def write(self, response: Response, *, secure: bool) -> None:
        value = self.secret + (KEPT_MARK if self.kept else "")
        seconds = KEPT_SECONDS if self.kept else None
        _set_cookie(response, value, framed=self.embedded, secure=secure, seconds=seconds)


def forget_visitor(request: Request, response: Response, *, secure: bool) -> None:
    _set_cookie(response, "", framed=is_embedded(request), secure=secure, seconds=0)


def _set_cookie(response: Response, value: str, *, framed: bool, secure: bool, seconds: int | None = None) -> None:
    """Written by hand: Python's own cookies learn "Partitioned" in 3.14.

    Lax: a person who follows a link from another site comes back to their own conversation. In a frame that would
    keep the cookie from us, and without it nobody could; but SameSite=None is taken over https only. A framed page
    over plain http therefore works on the same site alone (development), and elsewhere says that it cannot.
    """
    across = framed and secure
    parts = [f"{FRAMED_COOKIE if framed else COOKIE}={value}", f"Path={COOKIE_PATH}", "HttpOnly"]
    parts += [] if seconds is None else [f"Max-Age={seconds}"]
    parts += ["Secure"] if secure else []
    parts += ["SameSite=None", "Partitioned"] if across else ["SameSite=Lax"]
    response.headers.append("set-cookie", "; ".join(parts))
