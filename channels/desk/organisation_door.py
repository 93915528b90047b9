"""Signing in through the organisation. It says who somebody is; what they may do here is ours to say."""

from __future__ import annotations

import hmac
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from channels.desk.guard import SIGN_IN, Site, answer
from channels.desk.second_step import LASTS, keep_step, step_cookie
from channels.ledger.records import PeerRecord
from channels.organisation import Identity, Organisation, OrganisationSilent

AWAY: Final = "organisation"
LONGEST_CODE: Final = 4000


def routes(site: Site, organisation: Organisation | None) -> list[Route]:
    """None where there is no such sign-in."""
    if organisation is None:
        return []
    door = OrganisationDoor(site, organisation)
    return [
        Route("/desk/sign-in/organisation", door.leave, methods=["GET"]),
        Route("/desk/sign-in/organisation/back", door.come_back, methods=["GET"]),
    ]


class OrganisationDoor:
    """There and back."""

    def __init__(self, site: Site, organisation: Organisation) -> None:
        self._site = site
        self._organisation = organisation

    async def leave(self, request: Request) -> Response:
        """GET /desk/sign-in/organisation"""
        return await answer(self._site, request, lambda: self._leave(request))

    async def come_back(self, request: Request) -> Response:
        """GET /desk/sign-in/organisation/back?code=...&state=..."""
        return await answer(self._site, request, lambda: self._come_back(request))

    async def _leave(self, request: Request) -> Response:
        try:
            leave = await self._organisation.leave()
        except OrganisationSilent as silent:
            return self._refuse(request, silent)
        token = await self._site.ledger.accounts.begin_step(AWAY, leave.kept, LASTS)
        return keep_step(self._site, RedirectResponse(leave.address, 303), token, from_elsewhere=True)

    async def _come_back(self, request: Request) -> Response:
        token = request.cookies.get(step_cookie(self._site), "")
        step = await self._site.ledger.accounts.step(token, AWAY) if token else None
        if step is None or not await self._site.ledger.accounts.end_step(token):
            return RedirectResponse(SIGN_IN, 303)
        state, code = (request.query_params.get(name, "")[:LONGEST_CODE] for name in ("state", "code"))
        if not code or not hmac.compare_digest(state.encode(), str(step.body["state"]).encode()):
            return self._refuse(request, OrganisationSilent("another state"))
        try:
            identity = await self._organisation.identify(code, step.body)
        except OrganisationSilent as silent:
            return self._refuse(request, silent)
        peer = await self._peer_of(identity)
        if peer is None:
            return self._refuse(request, OrganisationSilent("nobody here"))
        visit = await self._site.sessions.open(request, peer)
        # Our cookie does not come along with a redirect that began elsewhere; with the press of a link it does.
        response = self._site.page(request, "arrived.html", who=peer.name)
        response.delete_cookie(step_cookie(self._site), path="/")
        self._site.sessions.give(response, visit)
        return response

    async def _peer_of(self, identity: Identity) -> PeerRecord | None:
        """Whose account it is: linked before, or one whose login is the email address that the issuer vouches for."""
        ledger = self._site.ledger
        peer = await ledger.accounts.by_subject(identity.issuer, identity.subject)
        if peer is None and identity.email:
            peer = await ledger.peer_by_login(identity.email)
            if peer is not None and not peer.ended:
                await ledger.accounts.link_subject(peer.id, identity.issuer, identity.subject)
        return None if peer is None or peer.ended else peer

    def _refuse(self, request: Request, why: OrganisationSilent) -> Response:
        structlog.get_logger().warning("organisation_sign_in_refused", reason=str(why))
        return self._site.refuse(request, 403, "organisation")
