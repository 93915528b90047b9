"""Whether this process can do its work, and what it has counted. Neither says anything about anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from channels.errors import LedgerUnavailable, StreamsUnavailable
from channels.metrics import Metrics

PATIENCE_SECONDS: Final = 2.0


class Pinged(Protocol):
    async def ping(self) -> None: ...


class Streaming(Pinged, Protocol):
    async def depth(self) -> dict[str, int]: ...


@dataclass(kw_only=True)
class Health:
    ledger: Pinged
    streams: Streaming
    metrics: Metrics
    also: Callable[[], Mapping[str, bool]] = dict
    """More that is worth knowing, but no reason to start this process again."""

    def routes(self) -> list[BaseRoute]:
        return [Route("/health", self.health), Route("/metrics", self.show_metrics)]

    async def health(self, _request: Request) -> Response:
        """200 when the ledger and Redis both answer, else 503; either way, which of them did."""
        ledger, redis = await asyncio.gather(_answers(self.ledger), _answers(self.streams))
        status = 200 if ledger and redis else 503
        return JSONResponse({"ledger": ledger, "redis": redis, **self.also()}, status_code=status)

    async def show_metrics(self, _request: Request) -> Response:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                self.metrics.show_depth(await self.streams.depth())
        except (StreamsUnavailable, TimeoutError):
            pass  # The counters are still worth having; /health says that Redis is away.
        return Response(self.metrics.render(), media_type=CONTENT_TYPE_LATEST)


async def _answers(part: Pinged) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await part.ping()
    except (LedgerUnavailable, StreamsUnavailable, TimeoutError):
        return False
    return True
