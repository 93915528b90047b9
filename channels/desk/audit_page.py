"""The audit trail, for whoever may read it, in words and names; ids and codes are the small print. Looking at it is in
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.responses import Response

from channels.desk.guard import Site
from channels.desk.sessions import Visit
from channels.desk.words import Words
from channels.ledger.records import AuditRecord

SHOWN: Final = 100
DETAILS: Final = {
    "escalation_opened": "reason",
    "invited": "role",
    "peer_added": "role",
    "role_changed": "role",
    "address_revealed": "reveal",
    "conversation_moved": "channel",
    "consent_withdrawn": "agreed",
    "saved_reply_changed": "language",
    "saved_reply_removed": "language",
}
"""The words in which the detail of an action is said."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row, to be read. `record` and `code` are what a program calls it."""

    at: datetime
    who: str
    what: str
    about: str
    record: str
    code: str


def line_of(words: Words, names: Mapping[str, str], row: AuditRecord) -> Line:
    about = [names[row.subject]] if row.subject in names and row.subject != row.actor else []
    group = DETAILS.get(row.action)
    detail = names.get(row.detail) or (words.say(group, row.detail) if group and row.detail else "")
    return Line(
        at=row.at,
        who=names.get(row.actor) or words.say("audit_who", row.actor),
        what=words.say("audit", row.action),
        about=", ".join((*about, *([detail] if detail else []))),
        record=row.subject,
        code=" ".join(part for part in (row.action, "" if detail else row.detail) if part),
    )


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
    lines = [line_of(site.words, names, row) for row in rows]
    return site.page_for(visit, "audit.html", lines=lines, whole=whole, older=older)
