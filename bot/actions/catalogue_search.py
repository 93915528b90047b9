"""POST /search: what a peer worker looks up beside a conversation, as cards. By the same token as the actions.

The words come in the body, never in an address; nothing of them is counted, kept or logged.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import Any, Final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.actions.access import is_allowed
from bot.actions.live_search import NotReady
from bot.actions.toolbox import Toolbox

MOST: Final = 6
LONGEST: Final = 400
"""Letters of a query that are looked at."""


@dataclass(frozen=True, kw_only=True)
class CatalogueSearch:
    """The newest published catalogue, searched with a peer worker's words."""

    tools: Toolbox
    threads: Executor
    token: str

    def route(self) -> Route:
        return Route("/search", self.answer, methods=["POST"], max_body_size=16_000)

    async def answer(self, request: Request) -> Response:
        """{"text", "near"} to {"cards"}. 401 without the token, 400 without words, 503 before the index is loaded."""
        if not is_allowed(request.headers.get("authorization", ""), self.token):
            return JSONResponse({"error": "unauthorised"}, status_code=401)
        asked = await read_question(request)
        if asked is None:
            return JSONResponse({"error": "text: say what to look for"}, status_code=400)
        try:
            cards = await asyncio.get_running_loop().run_in_executor(self.threads, self.find, *asked)
        except NotReady:
            return JSONResponse({"error": "the index is not loaded yet"}, status_code=503)
        except Exception as error:
            structlog.get_logger().error("search_failed", error=type(error).__name__)
            return JSONResponse({"error": "search failed"}, status_code=500)
        return JSONResponse({"cards": cards})

    def find(self, text: str, near: str | None) -> list[dict[str, Any]]:
        found = self.tools.finder.find(text, near=near, now=self.tools.now(), limit=MOST)
        maker = self.tools.make_cards(found.place)
        return [asdict(maker.make_card(match.service, why=match.reason)) for match in found.matches]


async def read_question(request: Request) -> tuple[str, str | None] | None:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return None
    text = body.get("text") if isinstance(body, dict) else None
    near = body.get("near") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text.strip():
        return None
    return text.strip()[:LONGEST], near if isinstance(near, str) and near else None
