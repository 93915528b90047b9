"""Who is signed in, for the editor, which knows nothing of our ledger: one sign-in for both.

The editor shows the cookie it was sent and its own token; it learns a login, a first name and what they may do.
"""

from __future__ import annotations

import hmac
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.desk.guard import Site, answer, posted
from channels.roles import Permission, may

PATH: Final = "/desk/staff-session"


class StaffSession:
    """One address, for one caller."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """POST /desk/staff-session with `Authorization: Bearer NWD_STAFF_TOKEN` and the cookie's value as `session`.

        With `end` the session is ended. Whoever answers people may read the listings and try messages, so they are told
        of too. 404 for an unknown session and for somebody who may do neither; 401 for a caller who is not the editor.
        """
        return await answer(self._site, request, lambda: self._show(request))

    async def _show(self, request: Request) -> Response:
        token = self._site.settings.staff_token.get_secret_value()
        said = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token or not hmac.compare_digest(said.encode(), token.encode()):
            return Response(status_code=401)
        session = posted(request, "session")
        if posted(request, "end"):
            await self._site.ledger.close_session(session)
            return Response(status_code=204)
        peer = await self._site.sessions.peer_of(session, active=True)
        if peer is None:
            return Response(status_code=404)
        edits = may(peer.role, Permission.EDIT)
        if not edits and not may(peer.role, Permission.ANSWER):
            return Response(status_code=404)
        publishes = may(peer.role, Permission.PUBLISH)
        return JSONResponse({"login": peer.login, "name": peer.name, "edits": edits, "publishes": publishes})
