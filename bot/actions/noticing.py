"""`POST /concerns`: what the concern classifier finds in one message, for the worker, before anything is answered.

    {"text": "..."}  ->  {"kinds": ["suicide"]}

The worker asks for every message and has its own patterns; this only adds to them. While the classifier is not there
the answer is 503, and the worker goes on with the patterns alone. It has a thread of its own: a search must not keep it
waiting.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.actions.access import is_allowed
from channels.conversation import Concern


class Reads(Protocol):
    """The part of bot.concern.reading.Reader that is used."""

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]: ...


class Noticing:
    """Answers from one thread. `open_reader` raises whatever keeps the classifier from being there."""

    def __init__(self, open_reader: Callable[[], Reads], token: str) -> None:
        self._open_reader = open_reader
        self._token = token
        self._reader: Reads | None = None
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="noticing")
        self._log = structlog.get_logger()

    async def open(self) -> None:
        """Load the classifier and read one message with it, so that the first person does not wait. Never raises."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._open)

    def _open(self) -> None:
        try:
            reader = self._open_reader()
            reader.read_all(["hello"])
        except Exception as error:
            self._log.warning("concern_classifier_missing", error=type(error).__name__)
            return
        self._reader = reader

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]:
        """As a layer of the concern check, for whoever tries a sentence: silent until it is there. Blocks."""
        if self._reader is None:
            return [{} for _ in texts]
        return self._threads.submit(self._reader.read_all, texts).result()

    async def answer(self, request: Request) -> Response:
        """401 without the token, 400 for what holds no text, 503 without a classifier, 500 when it failed."""
        if not is_allowed(request.headers.get("authorization", ""), self._token):
            return JSONResponse({"error": "unauthorised"}, status_code=401)
        text = await read_text(request)
        if text is None:
            return JSONResponse({"error": "text is missing: give the message as a string"}, status_code=400)
        if self._reader is None:
            return JSONResponse({"error": "no classifier: run python -m bot train-concern"}, status_code=503)
        loop = asyncio.get_running_loop()
        try:
            (found,) = await loop.run_in_executor(self._threads, self._reader.read_all, [text])
        except Exception as error:
            self._log.error("concern_classifier_failed", error=type(error).__name__)
            return JSONResponse({"error": "the classifier failed"}, status_code=500)
        return JSONResponse({"kinds": [str(kind) for kind in found]})


async def read_text(request: Request) -> str | None:
    """Half a character, which JSON can carry, becomes "?": the tokenizer would refuse it."""
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return None
    text = body.get("text") if isinstance(body, dict) else None
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else None
