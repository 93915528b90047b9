"""Headers that every page carries: nothing is loaded from elsewhere, nothing is kept or passed on."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from knowledge.exchange.api import PREFIX

HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
}
NO_STORE = "no-store"
KEPT = ("/static/", f"{PREFIX}/")


class SecurityHeaders:
    """Adds HEADERS to every response, and forbids keeping anything but the style sheet and public data."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if not scope["path"].startswith(KEPT):
                    headers["cache-control"] = NO_STORE
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
