"""A peer worker says that something in a listing is wrong: from its card, in a choice of words."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from channels.desk.access import open_conversation
from channels.desk.guard import Site, missing, posted
from channels.desk.sessions import Visit

SERVICE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
SOURCE: Final = "peer"


async def report(site: Site, visit: Visit) -> Response:
    """POST .../report with service and wrong. It is kept before anybody is thanked; a worker tells the editors."""
    opened = await open_conversation(site, visit)
    if opened is None:
        return missing(site, visit)
    service, wrong = posted(visit.request, "service"), posted(visit.request, "wrong")
    kept = wrong in site.words.groups["wrong"] and bool(SERVICE.fullmatch(service))
    if kept:
        await site.ledger.listing_reports.add(service, wrong, SOURCE)
    back = f"/desk/conversations/{opened.conversation.id}"
    return site.page_for(visit, "reported.html", 200 if kept else 422, kept=kept, back=back)
