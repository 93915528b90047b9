"""The audit trail, for whoever may read it. Looking at it is in it."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from channels.desk.guard import Site
from channels.desk.sessions import Visit

SHOWN: Final = 100


async def show(site: Site, visit: Visit) -> Response:
    """GET /desk/audit; `?before=ID` shows older rows."""
    said = visit.request.query_params.get("before", "")
    before = int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None
    if before is None:
        await site.ledger.audit(visit.peer.id, "audit_viewed", visit.peer.id)
    rows = await site.ledger.audit_log(SHOWN, before=before)
    names = {peer.id: peer.name for peer in await site.ledger.peers()}
    whole = await site.ledger.verify_audit() if before is None else None
    older = rows[-1].id if len(rows) == SHOWN and rows[-1].id > 1 else None
    return site.page_for(visit, "audit.html", rows=rows, names=names, whole=whole, older=older, zone=site.zone)
