"""Telling an open page that something changed, so that it fetches that part again.

    GET /desk/events?conversation=ID        event: queue | event: ID | event: beat        data says nothing

An event carries no news itself: one that is lost is made good by the next, or by the page looking on its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from starlette.responses import Response, StreamingResponse

from channels.desk.access import find_escalation, standing_of
from channels.desk.guard import Site
from channels.desk.queue import PRESENT_SECONDS
from channels.desk.sessions import Visit
from channels.errors import StreamsUnavailable
from channels.escalation import QUEUE

LONGEST: Final = 300.0
"""Seconds that one stream lasts. The browser opens the next by itself, and is asked again who it is."""

AGAIN_MS: Final = 2000
SHORTEST_BEAT: Final = 0.2


async def listen(site: Site, visit: Visit) -> Response:
    """GET /desk/events"""
    names = [QUEUE]
    wanted = visit.request.query_params.get("conversation", "")
    if wanted:
        escalation = await find_escalation(site, visit, wanted)
        if escalation is None or standing_of(escalation, visit) is None:
            return Response(status_code=404)
        names.append(wanted)
    # A proxy that collects answers before it passes them on would keep the news to itself.
    unbuffered = {"X-Accel-Buffering": "no"}
    return StreamingResponse(stream(site, visit, names), media_type="text/event-stream", headers=unbuffered)


async def stream(site: Site, visit: Visit, names: list[str]) -> AsyncIterator[str]:
    """A beat comes a few times within a lease: an open page answers it with a sign of life even when it is hidden."""
    loop = asyncio.get_running_loop()
    end = loop.time() + LONGEST
    beat = max(SHORTEST_BEAT, site.settings.lease_seconds / 3)
    async with site.streams.watch(*names) as watch:
        yield f"retry: {AGAIN_MS}\n\n"
        while loop.time() < end:
            name = await watch.wait(beat)
            if name is None:
                with suppress(StreamsUnavailable):
                    await site.streams.present(visit.peer.id, PRESENT_SECONDS)
            yield event(name or "beat")


def event(name: str) -> str:
    return f"event: {name}\ndata: changed\n\n"
