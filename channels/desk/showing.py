"""A picture or another file that somebody sent, shown to the peer worker who asks for it. Nothing is kept of it."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from channels.conversation import Sender
from channels.desk.access import ID, open_conversation
from channels.desk.guard import Site, missing
from channels.desk.sessions import Visit
from channels.media import MediaUnavailable, is_fetchable

SHUT: Final = {
    # Even a picture that is more than a picture can run, load and frame nothing.
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


async def show_media(site: Site, visit: Visit) -> Response:
    """GET /desk/conversations/ID/media/MESSAGE/NUMBER. Who looked is in the audit, before anything is fetched."""
    opened = await open_conversation(site, visit)
    named = visit.request.path_params
    if opened is None or not ID.fullmatch(named["message"]) or not re.fullmatch(r"[0-9]", named["number"]):
        return missing(site, visit)
    message = await site.ledger.message(named["message"])
    number = int(named["number"])
    if message is None or message.conversation_id != opened.conversation.id or message.sender is not Sender.PERSON:
        return missing(site, visit)
    if message.seq <= opened.reads_after:
        return missing(site, visit)
    if number >= len(message.media) or not is_fetchable(message.media[number]) or site.media is None:
        return missing(site, visit)
    await site.ledger.audit(visit.peer.id, "media_viewed", message.id, str(number))
    try:
        file = await site.media.fetch(message.channel, message.media[number])
    except MediaUnavailable as problem:
        return site.refuse(visit.request, 502, f"media_{problem.reason}", limit=f"{site.settings.media_megabytes:g}")
    how = "inline" if file.shown else "attachment"
    disposition = {"Content-Disposition": f'{how}; filename="{file.name}"'}
    return Response(file.content, media_type=file.content_type, headers={**SHUT, **disposition})
