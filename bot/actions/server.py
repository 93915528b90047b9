"""The HTTP side: Rasa calls POST /webhook for each action, the worker POST /concerns for each message, the editor POST
/try; GET /ready says whether the index is loaded.

rasa_sdk's own server answers an error with the whole tracker in the body, which Rasa then logs. Here
an error is the action's name and nothing else, in the answer and in the log: no words of a person.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import structlog
from rasa_sdk.executor import ActionExecutor
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.actions.access import is_allowed
from bot.actions.catalogue_search import CatalogueSearch
from bot.actions.live_search import LiveSearch
from bot.actions.naming import Naming
from bot.actions.noticing import Noticing
from bot.actions.shells import Shell
from bot.actions.toolbox import Toolbox
from bot.actions.trying import Trying

OPEN_RETRY_SECONDS = 2.0
REFRESH_SECONDS = 0.5
"""A look at the published version costs one read of a small file; more often than this would tell nobody anything."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Runs actions for whoever knows the token."""

    executor: ActionExecutor
    token: str
    search: LiveSearch
    threads: Executor
    trying: Trying | None = None

    async def answer(self, request: Request) -> Response:
        """One action call. 401 without the token; 400 for what is no action call; 500 when the action failed."""
        if not is_allowed(request.headers.get("authorization", ""), self.token):
            return JSONResponse({"error": "unauthorised"}, status_code=401)
        call = await read_call(request)
        if call is None:
            return JSONResponse({"error": "not an action call"}, status_code=400)
        name = call["next_action"]
        if name not in self.executor.actions:
            return JSONResponse({"error": "no such action"}, status_code=404)
        try:
            result = await self.executor.run(call)
            return JSONResponse(result.model_dump())
        except Exception as error:
            structlog.get_logger().error("action_failed", action=name, error=type(error).__name__, at=last_line(error))
            return JSONResponse({"error": "action failed", "action_name": name}, status_code=500)

    async def try_message(self, request: Request) -> Response:
        """What somebody who writes this would hear. 401 without the token, 404 if not offered, 500 if it fails."""
        if not is_allowed(request.headers.get("authorization", ""), self.token):
            return JSONResponse({"error": "unauthorised"}, status_code=401)
        if self.trying is None:
            return JSONResponse({"error": "not offered here"}, status_code=404)
        if not self.search.ready:
            return JSONResponse({"error": "the index is not there yet"}, status_code=503)
        try:
            return await self.trying.answer(request)
        except Exception as error:
            structlog.get_logger().error("trying_failed", error=type(error).__name__, at=last_line(error))
            return JSONResponse({"error": "trying failed"}, status_code=500)

    async def show_ready(self, request: Request) -> Response:
        """Whether the index is loaded; with `?about=index` also its age and whether the catalogue has moved on."""
        if not self.search.ready:
            return JSONResponse({"ready": False}, status_code=503)
        about: dict[str, Any] = {}
        if request.query_params.get("about") == "index":
            about = await asyncio.get_running_loop().run_in_executor(self.threads, self.search.about)
        return JSONResponse({"ready": True, **about})


async def read_call(request: Request) -> dict[str, Any] | None:
    """The action call, or None. Without a domain (Rasa leaves it out when told to) the executor would refuse."""
    try:
        call = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(call, dict) or not isinstance(call.get("next_action"), str):
        return None
    tracker = call.get("tracker")
    if not isinstance(tracker, dict) or not isinstance(tracker.get("sender_id"), str):
        return None
    call.setdefault("domain", {})
    return call


def last_line(error: BaseException) -> str:
    """Where it happened, without what it said: an error's text may hold a person's words."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "?"


def open_in_background(
    search: LiveSearch,
    threads: Executor,
    pause: float = OPEN_RETRY_SECONDS,
    refresh: float = REFRESH_SECONDS,
    noticing: Noticing | None = None,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """A lifespan that loads the index in the worker thread, trying until there is one, and then keeps it the newest.

    Newer ones are loaded in a thread beside the worker's, so that no answer waits. The classifier opens beside it.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async def keep_serving() -> None:
            loop = asyncio.get_running_loop()
            while True:
                if search.ready:
                    await asyncio.to_thread(search.refresh)
                else:
                    await loop.run_in_executor(threads, search.open)
                await asyncio.sleep(refresh if search.ready else pause)

        jobs = [asyncio.create_task(keep_serving())]
        if noticing is not None:
            jobs.append(asyncio.create_task(noticing.open()))
        yield
        for job in jobs:
            job.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await job

    return lifespan


def build_app(
    shells: list[Shell],
    *,
    token: str,
    search: LiveSearch,
    threads: Executor,
    noticing: Noticing | None = None,
    trying: Trying | None = None,
    tools: Toolbox | None = None,
) -> Starlette:
    """The ASGI app. Actions are registered as instances: nothing is found by scanning.

    `noticing` adds /concerns, and `tools` add /search and /needs.
    """
    executor = ActionExecutor()
    for shell in shells:
        executor.register_action(shell)
    webhook = Webhook(executor=executor, token=token, search=search, threads=threads, trying=trying)
    routes = [
        Route("/try", webhook.try_message, methods=["POST"]),
        Route("/webhook", webhook.answer, methods=["POST"]),
        Route("/ready", webhook.show_ready, methods=["GET"]),
    ]
    if noticing is not None:
        routes.append(Route("/concerns", noticing.answer, methods=["POST"]))
    if tools is not None:
        routes.append(CatalogueSearch(tools=tools, threads=threads, token=token).route())
        routes.append(Naming(tools=tools, threads=threads, token=token).route())
    return Starlette(routes=routes, lifespan=open_in_background(search, threads, noticing=noticing))
