"""What somebody who writes this would hear, for whoever looks after the words: concern with its reason, and the reply.

Asked by the editor's pages, over HTTP and with the token. Nothing is remembered, counted or logged.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.actions.find_support import find_support
from bot.actions.heard import Heard, read_text, text_of
from bot.actions.toolbox import NotCounted, Toolbox
from bot.concern.layers import Classifier, NoClassifier, read_layers
from channels.conversation import Channel

LONGEST: Final = 2000


class Trying:
    """POST {"text": ..., "language": ...} -> {"concerns": [...], "replies": [...], "asks": [...]}."""

    def __init__(self, tools: Toolbox, threads: Executor, classifier: Classifier | None = None) -> None:
        self._tools = replace(tools, counts=NotCounted())
        self._threads = threads
        self._classifier = classifier or NoClassifier()

    async def answer(self, request: Request) -> Response:
        """400 for a body that is not as above. The caller has looked at the token."""
        try:
            body = json.loads(await request.body())
            text, language = text_of(body["text"]), body.get("language")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return JSONResponse({"error": 'send {"text": "..."}'}, status_code=400)
        if not text or not (language is None or isinstance(language, str)):
            return JSONResponse({"error": "text: words of at most 2,000 letters"}, status_code=400)
        loop = asyncio.get_running_loop()
        return JSONResponse(await loop.run_in_executor(self._threads, self._try, text[:LONGEST], language))

    def _try(self, text: str, language: str | None) -> dict[str, Any]:
        (raised,) = read_layers([text], self._classifier)
        kinds = frozenset(str(one.concern) for one in raised)
        heard = Heard(text=read_text(text), channel=Channel.SMS, language=language, concerns=kinds)
        answer = find_support(heard, self._tools.within(language))
        return {
            "concerns": [{"kind": one.concern, "layer": one.layer, "reason": one.reason} for one in raised],
            "replies": [
                {"text": reply.text, "services": [f"{card.name} {card.phone}".strip() for card in reply.cards]}
                for reply in answer.replies
            ],
            "asks": [type(request).__name__ for request in answer.requests],
        }
