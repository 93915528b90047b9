"""Who works here: inviting somebody, what they may do, the end of their access; and where an invitation leads."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from channels.desk.acting import chosen
from channels.desk.guard import SIGN_IN, Site, answer, posted
from channels.desk.sessions import Visit, from_elsewhere
from channels.desk.words import Words
from channels.errors import ChannelsError
from channels.escalation import QUEUE
from channels.passwords import PasswordTooShort, hash_password
from channels.roles import grantable

HERE: Final = "/desk/colleagues"
JOIN: Final = "/desk/join"
LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,79}")
LONGEST_NAME: Final = 40
LONGEST_CODE: Final = 3
"""Letters of a language's code as devices say it: pl, cy."""


async def show(site: Site, visit: Visit) -> Response:
    """GET /desk/colleagues"""
    said = visit.request.query_params.get("said", "")
    return await _page(site, visit, said=site.words.groups["account"].get(said, ""))


async def invite(site: Site, visit: Visit) -> Response:
    """POST .../invite with name and role: a link to hand over, shown this once."""
    name = " ".join(posted(visit.request, "name").split())[:LONGEST_NAME]
    if not name:
        return await _page(site, visit, 422, refused=site.words.say("refused", "no_name"))
    try:
        token = await site.ledger.accounts.invite(visit.peer, name, posted(visit.request, "role"))
    except ChannelsError:
        return await _refused(site, visit)
    return await _page(site, visit, link=f"{site.settings.base_url}{JOIN}?code={token}", invited=name)


async def withdraw(site: Site, visit: Visit) -> Response:
    """POST .../withdraw with invitation"""
    await site.ledger.accounts.withdraw(visit.peer, posted(visit.request, "invitation"))
    return RedirectResponse(f"{HERE}?said=withdrawn", 303)


async def change(site: Site, visit: Visit) -> Response:
    """POST .../change with peer, and what: role, teams, end, restore or reset (all their second factors), which
    asks first and is done with `sure`."""
    peer_id, what = posted(visit.request, "peer"), posted(visit.request, "what")
    accounts = site.ledger.accounts
    try:
        if what == "role":
            await accounts.change_role(visit.peer, peer_id, posted(visit.request, "role"))
        elif what == "teams":
            spoken, unknown = languages_of(site.words, posted(visit.request, "languages"))
            if unknown:
                said = site.words.say("refused", "unknown_language", word=unknown)
                return await _page(site, visit, 422, refused=said)
            await _change_teams(site, visit, peer_id, spoken)
        elif what == "end":
            await accounts.end_access(visit.peer, peer_id)
        elif what == "restore":
            await accounts.restore_access(visit.peer, peer_id)
        elif what == "reset":
            whose = await site.ledger.peer(peer_id)
            if whose is None or whose.id == visit.peer.id or whose.role not in grantable(visit.peer.role):
                return await _refused(site, visit)
            if not posted(visit.request, "sure"):
                return await _page(site, visit, resetting=whose)
            await accounts.reset_factors(visit.peer, peer_id)
        else:
            return await _refused(site, visit)
    except ChannelsError:
        return await _refused(site, visit)
    await site.streams.changed(QUEUE)
    return RedirectResponse(f"{HERE}?said={what}", 303)


def languages_of(words: Words, typed: str) -> tuple[frozenset[str], str]:
    """Codes of what was typed by name or as code, without English; and the first word that is neither, or nothing."""
    codes = {name.lower(): code for code, name in words.groups["language"].items()}
    said = re.findall(r"[^\W\d_]+", typed.lower())
    known = [codes.get(word, word) for word in said if word in codes or len(word) <= LONGEST_CODE]
    unknown = next((word for word in said if word not in codes and len(word) > LONGEST_CODE), "")
    return frozenset(known) - {"en"}, unknown


async def _change_teams(site: Site, visit: Visit, peer_id: str, spoken: frozenset[str]) -> None:
    """Which teams somebody is in, and what they speak besides English. Raises ChannelsError.

    Whoever is put in a team of another organisation has nobody any more who did not say yes to it.
    """
    peer = await site.ledger.peer(peer_id)
    teams = site.escalations.teams.named(chosen(visit, "team"))
    if peer is None or peer.role not in grantable(visit.peer.role) or len(teams) != len(chosen(visit, "team")):
        raise ChannelsError("team: not known, or not theirs to change")
    theirs = frozenset(team.id for team in teams)
    await site.ledger.queue.change_duty(
        peer_id, lambda duty: replace(duty, teams=theirs, languages=spoken), visit.peer.id
    )
    await site.escalations.end_unshared()


async def _page(site: Site, visit: Visit, status: int = 200, **values: Any) -> Response:
    roles = grantable(visit.peer.role)
    peers = await site.ledger.peers()
    known = {
        "colleagues": [(peer, peer.id != visit.peer.id and peer.role in roles) for peer in peers],
        "invitations": await site.ledger.accounts.open_invitations(),
        "roles": roles,
        "teams": site.escalations.teams.all,
        "otherwise": site.escalations.teams.get(site.escalations.teams.otherwise),
        "duties": await site.ledger.queue.duties(),
    }
    empty = {"said": "", "refused": "", "link": "", "invited": "", "resetting": None}
    return site.page_for(visit, "colleagues.html", status, **{**known, **empty, **values})


async def _refused(site: Site, visit: Visit) -> Response:
    return await _page(site, visit, 403, refused=site.words.say("refused", "rank"))


class Joining:
    """Where an invitation leads: a login and a password of their own."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET /desk/join?code=..."""
        return await answer(self._site, request, lambda: self._show(request))

    async def enter(self, request: Request) -> Response:
        """POST /desk/join with code, login and password"""
        return await answer(self._site, request, lambda: self._enter(request))

    async def _show(self, request: Request) -> Response:
        return await self._page(request, request.query_params.get("code", ""))

    async def _enter(self, request: Request) -> Response:
        site, code = self._site, posted(request, "code")
        if from_elsewhere(request, site.settings):
            return site.refuse(request, 403, "stale_form")
        if await site.ledger.accounts.invitation(code) is None:
            return await self._page(request, code, 403)
        login = posted(request, "login").strip().lower()
        if not LOGIN.fullmatch(login):
            return await self._page(request, code, 422, refused=site.words.say("refused", "login"), login=login)
        try:
            hashed = await asyncio.to_thread(hash_password, posted(request, "password")[:1000])
        except PasswordTooShort as problem:
            return await self._page(request, code, 422, refused=str(problem), login=login)
        try:
            peer = await site.ledger.accounts.accept(code, login, hashed)
        except ChannelsError:
            return await self._page(request, code, 409, refused=site.words.say("refused", "login_taken"), login=login)
        visit = await site.sessions.open(request, peer)
        response = RedirectResponse("/desk/account?said=welcome", 303)
        site.sessions.give(response, visit)
        return response

    async def _page(self, request: Request, code: str, status: int = 200, **values: Any) -> Response:
        invitation = await self._site.ledger.accounts.invitation(code) if code else None
        if invitation is None:
            said = self._site.words.say("refused", "invitation")
            return self._site.page(request, "refused.html", 403 if status == 200 else status, said=said, unsent="")
        known = {"invitation": invitation, "code": code, "refused": "", "login": "", "sign_in": SIGN_IN}
        return self._site.page(request, "join.html", status, **{**known, **values})
