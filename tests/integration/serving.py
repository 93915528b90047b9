"""A real web server on a free port, for what only shows over real HTTP."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from tests import patience


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(app: ASGIApp, port: int, **tls: str) -> AsyncIterator[str]:
    """The address of the application, served in this very event loop. `tls`: uvicorn's ssl_certfile and ssl_keyfile."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=1, **tls)
    )
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started or task.done())
    yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def eventually(condition: Callable[[], Awaitable[object] | object], seconds: float = patience.SECONDS) -> object:
    """The first true value of the condition. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        value = await value if isinstance(value, Awaitable) else value
        if value:
            return value
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.02)
