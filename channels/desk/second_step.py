"""After the right password: the code of an authenticator app, or a recovery code. And passkeys, which need neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from channels.authenticator import matching_step, tidy_recovery_code
from channels.desk.guard import SIGN_IN, Site, answer, posted
from channels.desk.sessions import from_elsewhere, way_back
from channels.ledger.accounts import Step
from channels.ledger.factors import FactorKind
from channels.ledger.records import PeerRecord
from channels.passkeys import PasskeyRefused, Place, ask_to_sign_in, credential_of, read_sign_in

SECOND: Final = f"{SIGN_IN}/second"
LASTS: Final = timedelta(minutes=5)
MOST_TRIES: Final = 5
"""Wrong codes before the password is asked for again, which is itself counted."""
FIRST_STEP_DONE: Final = "known"
PASSKEY_ASKED: Final = "passkey"


def place_here(site: Site, request: Request) -> Place:
    """Where a passkey belongs: the public address; in a demo without one, the name this machine was asked by."""
    address = site.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return Place.of(address)


def step_cookie(site: Site) -> str:
    return f"{site.sessions.cookie}-step"


async def ask_for_second(site: Site, peer: PeerRecord, to: str) -> Response:
    """On to the second step; nobody is signed in yet."""
    token = await site.ledger.accounts.begin_step(FIRST_STEP_DONE, {"to": to}, LASTS, peer.id)
    return keep_step(site, RedirectResponse(SECOND, 303), token)


def keep_step(site: Site, response: Response, token: str, *, from_elsewhere: bool = False) -> Response:
    """`from_elsewhere`: the next step comes from another site, which strict cookies do not survive."""
    secure = site.settings.base_url.startswith("https://")
    same_site: Literal["lax", "strict"] = "lax" if from_elsewhere else "strict"
    age = int(LASTS.total_seconds())
    response.set_cookie(
        step_cookie(site), token, max_age=age, httponly=True, samesite=same_site, secure=secure, path="/"
    )
    return response


async def needs_second(site: Site, peer: PeerRecord) -> bool:
    """Whether somebody has an authenticator app: whoever has one is asked for it."""
    return any(each.kind is FactorKind.TOTP for each in await site.ledger.factors.of(peer.id))


class SecondDoor:
    """Pages between the password and the desk."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET /desk/sign-in/second"""
        return await answer(self._site, request, lambda: self._show(request))

    async def enter(self, request: Request) -> Response:
        """POST /desk/sign-in/second with code"""
        return await answer(self._site, request, lambda: self._enter(request))

    async def ask_passkey(self, request: Request) -> Response:
        """POST /desk/sign-in/passkey/options: what the browser asks its passkeys."""
        return await answer(self._site, request, lambda: self._ask_passkey(request))

    async def enter_by_passkey(self, request: Request) -> Response:
        """POST /desk/sign-in/passkey with credential (JSON) and to"""
        return await answer(self._site, request, lambda: self._enter_by_passkey(request))

    async def _show(self, request: Request) -> Response:
        if not request.cookies.get(step_cookie(self._site)):
            return RedirectResponse(SIGN_IN, 303)
        return self._site.page(request, "second_step.html", said="")

    async def _enter(self, request: Request) -> Response:
        if from_elsewhere(request, self._site.settings):
            return self._site.refuse(request, 403, "stale_form")
        token = request.cookies.get(step_cookie(self._site), "")
        step = await self._site.ledger.accounts.step(token, FIRST_STEP_DONE) if token else None
        if step is None or step.peer is None or step.tries > MOST_TRIES:
            await self._site.ledger.accounts.end_step(token)
            return self._again(request, "step_over")
        if not await self._proves(step.peer, posted(request, "code")):
            await self._site.ledger.audit(step.peer.id, "second_step_failed", step.peer.id)
            said = self._site.words.say("refused", "wrong_code")
            return self._site.page(request, "second_step.html", 403, said=said)
        return await self._finish(request, token, step)

    async def _proves(self, peer: PeerRecord, code: str) -> bool:
        app = await self._site.ledger.factors.app(peer.id, confirmed=True)
        step = matching_step(app.secret, code, datetime.now(UTC)) if app else None
        if app is not None and step is not None:
            return await self._site.ledger.factors.use_app(peer.id, app, step)
        return await self._site.ledger.factors.use_recovery_code(peer.id, tidy_recovery_code(code))

    async def _finish(self, request: Request, token: str, step: Step) -> Response:
        assert step.peer is not None
        if not await self._site.ledger.accounts.end_step(token):
            return self._again(request, "step_over")
        return await self._let_in(request, step.peer, str(step.body.get("to", "")))

    async def _let_in(self, request: Request, peer: PeerRecord, to: str) -> Response:
        visit = await self._site.sessions.open(request, peer)
        response = RedirectResponse(way_back(to), 303)
        response.delete_cookie(step_cookie(self._site), path="/")
        self._site.sessions.give(response, visit)
        return response

    async def _ask_passkey(self, request: Request) -> Response:
        if from_elsewhere(request, self._site.settings):
            return Response(status_code=403)
        asked = ask_to_sign_in(place_here(self._site, request))
        body = {"challenge": asked.challenge}
        token = await self._site.ledger.accounts.begin_step(PASSKEY_ASKED, body, LASTS)
        return keep_step(self._site, JSONResponse({"options": asked.options}), token)

    async def _enter_by_passkey(self, request: Request) -> Response:
        if from_elsewhere(request, self._site.settings):
            return self._site.refuse(request, 403, "stale_form")
        token = request.cookies.get(step_cookie(self._site), "")
        step = await self._site.ledger.accounts.step(token, PASSKEY_ASKED) if token else None
        if step is None or not await self._site.ledger.accounts.end_step(token):
            return self._again(request, "step_over")
        peer = await self._peer_of(request, str(step.body["challenge"]), posted(request, "credential"))
        if peer is None:
            return self._again(request, "passkey")
        return await self._let_in(request, peer, posted(request, "to"))

    async def _peer_of(self, request: Request, challenge: str, credential: str) -> PeerRecord | None:
        """Whose passkey answered the challenge, if it is one of ours and works here."""
        try:
            passkey = await self._site.ledger.factors.passkey(credential_of(credential))
            if passkey is None:
                return None
            here = place_here(self._site, request)
            count = read_sign_in(here, challenge, credential, public_key=passkey.public_key)
        except PasskeyRefused:
            return None
        if not await self._site.ledger.factors.use_passkey(passkey, count):
            await self._site.ledger.audit(passkey.peer_id, "passkey_count_went_back", passkey.peer_id)
            return None
        peer = await self._site.ledger.peer(passkey.peer_id)
        return None if peer is None or peer.ended else peer

    def _again(self, request: Request, why: str) -> Response:
        said = self._site.words.say("refused", why)
        values = {"login": "", "to": "/desk", "demo_people": (), "demo_password": "", "organisation": ""}
        response = self._site.page(request, "sign_in.html", 403, said=said, wrong=True, **values)
        response.delete_cookie(step_cookie(self._site), path="/")
        return response
