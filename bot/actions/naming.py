"""POST /needs: what a very long message is about, by its needs, read from one end to the other.

Rasa is sent only the start and the end of such a message; the worker asks here about the whole of it, and sends the
needs along. By the same token as the actions; nothing of the words is counted, kept or logged.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.actions.access import is_allowed
from bot.actions.live_search import NotReady
from bot.actions.long_messages import find_in_parts
from bot.actions.noticing import read_text
from bot.actions.toolbox import Toolbox

MOST_PIECES: Final = 60
"""Of about 150 letters each; in a message of more than that, the first and the last ones."""


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Reads with the search of the newest published catalogue."""

    tools: Toolbox
    threads: Executor
    token: str

    def route(self) -> Route:
        return Route("/needs", self.answer, methods=["POST"], max_body_size=200_000)

    async def answer(self, request: Request) -> Response:
        """{"text"} to {"needs"}. 401 without the token, 400 for what holds no text, 503 before the index is loaded."""
        if not is_allowed(request.headers.get("authorization", ""), self.token):
            return JSONResponse({"error": "unauthorised"}, status_code=401)
        text = await read_text(request)
        if text is None:
            return JSONResponse({"error": "text is missing: give the message as a string"}, status_code=400)
        try:
            needs = await asyncio.get_running_loop().run_in_executor(self.threads, self.name, text)
        except NotReady:
            return JSONResponse({"error": "the index is not loaded yet"}, status_code=503)
        except Exception as error:
            structlog.get_logger().error("naming_failed", error=type(error).__name__)
            return JSONResponse({"error": "naming failed"}, status_code=500)
        return JSONResponse({"needs": needs})

    def name(self, text: str) -> list[str]:
        return list(find_in_parts(text, self.tools, MOST_PIECES))
