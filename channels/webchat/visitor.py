"""Who a browser is, as far as we know: a random number in a cookie that ends with the browser session.

The ledger gets a hash of it: whoever reads the ledger cannot step into a conversation.
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

COOKIE: Final = "nwd_visit"
COOKIE_PATH: Final = "/chat"
SECRET_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}")
CLIENT_ID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """One browser session. `fresh` when the browser did not send the cookie: it is new, or it keeps no cookies."""

    secret: str
    fresh: bool = False

    @classmethod
    def of(cls, request: Request) -> Visitor:
        given = request.cookies.get(COOKIE, "")
        if SECRET_FORM.fullmatch(given):
            return cls(secret=given)
        return cls(secret=secrets.token_urlsafe(16), fresh=True)

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
        if self.fresh:
            # Lax: a person who follows a link from another site comes back to their own conversation.
            response.set_cookie(COOKIE, self.secret, path=COOKIE_PATH, httponly=True, samesite="lax", secure=secure)


def forget_visitor(response: Response) -> None:
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="lax")
