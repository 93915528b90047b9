"""Telling an open page that something changed, so that it fetches that part again.

    GET /desk/events?conversation=ID        event: queue | event: ID | event: beat        data says nothing
                            event: writing (the person) | event: replying (data: a colleague's name)

An event of the first kind carries no news itself: one that is lost is made good by the next, or by the page looking on
its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from starlette.responses import Response, StreamingResponse

from channels.desk.access import find_escalation, find_standing
from channels.desk.conversations import REPLYING
from channels.desk.guard import Site
from channels.desk.queue import PRESENT_SECONDS
from channels.desk.sessions import Visit, from_elsewhere
from channels.errors import LedgerUnavailable, StreamsUnavailable
from channels.escalation import QUEUE
from channels.streams import WRITING

LONGEST: Final = 300.0
"""Seconds that one stream lasts. The browser opens the next by itself, and is asked again who it is."""

AGAIN_MS: Final = 2000
SHORTEST_BEAT: Final = 0.2


async def listen(site: Site, visit: Visit) -> Response:
    """GET /desk/events; a cookie alone, which a page of another site can make a browser send, opens no stream."""
    if from_elsewhere(visit.request, site.settings):
        return Response(status_code=403)
    names = [QUEUE]
    wanted = visit.request.query_params.get("conversation", "")
    if wanted:
        escalation = await find_escalation(site, visit, wanted)
        introduction = await site.ledger.introductions.current(escalation.id) if escalation else None
        if escalation is None or await find_standing(site, visit, escalation, introduction) is None:
            return Response(status_code=404)
        names += [wanted, f"{WRITING}:{wanted}", f"{REPLYING}:*"]
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
                if not await is_signed_in(site, visit):
                    return
                with suppress(StreamsUnavailable):
                    await site.streams.present(visit.peer.id, PRESENT_SECONDS)
            if told := await event_of(site, visit, name or "beat", names):
                yield told


async def is_signed_in(site: Site, visit: Visit) -> bool:
    """Whether the session is still one: whoever signed out everywhere is not at the desk because a page is open."""
    try:
        return await site.sessions.peer_of(visit.token, active=False) is not None
    except LedgerUnavailable:
        return True


async def event_of(site: Site, visit: Visit, name: str, names: list[str]) -> str:
    """The event for a piece of news; nothing for a colleague who writes elsewhere, or for oneself."""
    kind, _, about = name.partition(":")
    if kind == WRITING:
        return event(WRITING)
    if kind != REPLYING:
        return event(name)
    conversation_id, _, peer_id = about.partition(".")
    peer = await site.ledger.peer(peer_id) if conversation_id in names and peer_id != visit.peer.id else None
    return event(REPLYING, peer.name) if peer else ""


def event(name: str, data: str = "changed") -> str:
    """A colleague's first name is all that an event ever carries."""
    return f"event: {name}\ndata: {' '.join(data.split())}\n\n"
