"""Somebody's own account: password, authenticator app, passkeys, recovery codes, and where they are signed in.

What lets somebody in is changed only with the password they have, so that a desk left open gives nothing away.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup
from starlette.responses import JSONResponse, RedirectResponse, Response

from channels.authenticator import (
    enrolment_address,
    enrolment_picture,
    matching_step,
    new_recovery_codes,
    new_secret,
)
from channels.desk.guard import Site, posted
from channels.desk.second_step import LASTS, keep_step, place_here, step_cookie
from channels.desk.sessions import Visit
from channels.escalation import QUEUE
from channels.ledger.factors import FactorKind, Passkey
from channels.passkeys import PasskeyRefused, ask_to_register, read_registration
from channels.passwords import PasswordTooShort, hash_password, password_matches

HERE: Final = "/desk/account"
PASSKEY_TO_MAKE: Final = "passkey_to_make"
LONGEST_NAME: Final = 40


async def show(site: Site, visit: Visit) -> Response:
    """GET /desk/account"""
    said = visit.request.query_params.get("said", "")
    return await page(site, visit, said=site.words.groups["account"].get(said, ""))


async def page(site: Site, visit: Visit, status: int = 200, **values: Any) -> Response:
    peer = visit.peer
    factors = await site.ledger.factors.of(peer.id)
    known = {
        "apps": [each for each in factors if each.kind is FactorKind.TOTP],
        "passkeys": [each for each in factors if each.kind is FactorKind.PASSKEY],
        "recovery_left": sum(each.kind is FactorKind.RECOVERY for each in factors),
        "sessions": await site.ledger.accounts.sessions(peer.id, visit.token),
        "must": site.settings.second_factor == "required" and not _has_second(factors),
        "now": site.now(),
        "has_password": bool(peer.password_hash),
        "single_keys": (await site.ledger.care.of(peer.id)).single_keys,
    }
    empty = {"said": "", "refused": "", "secret": "", "picture": "", "codes": ()}
    return site.page_for(visit, "account.html", status, **{**known, **empty, **values})


def _has_second(factors: list[Any]) -> bool:
    return any(each.kind in (FactorKind.TOTP, FactorKind.PASSKEY) for each in factors)


async def stay(site: Site, visit: Visit) -> Response:
    """POST /desk/stay: a use of the session like any other, from a page that has warned of its idle end."""
    return Response(status_code=204)


async def use_keys(site: Site, visit: Visit) -> Response:
    """POST .../keys: whether single letters do something on the desk for them."""
    await site.ledger.care.use_single_keys(visit.peer.id, bool(posted(visit.request, "on")))
    return RedirectResponse(f"{HERE}?said=keys", 303)


async def change_password(site: Site, visit: Visit) -> Response:
    """POST .../password with password (the one they have) and new_password. Signs out everywhere else."""
    if not await _knows_password(site, visit):
        return await _refused(site, visit, "own_password")
    try:
        fresh = await asyncio.to_thread(hash_password, posted(visit.request, "new_password"))
    except PasswordTooShort as problem:
        return await page(site, visit, 422, refused=str(problem))
    await site.ledger.change_password(visit.peer.id, fresh)
    await site.streams.changed(QUEUE)
    again = await site.sessions.open(visit.request, visit.peer)
    response = RedirectResponse(f"{HERE}?said=password", 303)
    site.sessions.give(response, again)
    return response


async def start_app(site: Site, visit: Visit) -> Response:
    """POST .../app with password: a secret to scan, which counts once a code of it was typed."""
    if not await _knows_password(site, visit):
        return await _refused(site, visit, "own_password")
    secret = new_secret()
    await site.ledger.factors.start_app(visit.peer.id, secret)
    return await _show_secret(site, visit, secret)


async def confirm_app(site: Site, visit: Visit) -> Response:
    """POST .../app/confirm with code"""
    app = await site.ledger.factors.app(visit.peer.id, confirmed=False)
    if app is None:
        return await _refused(site, visit, "step_over")
    step = matching_step(app.secret, posted(visit.request, "code"), datetime.now(UTC))
    if step is None or not await site.ledger.factors.use_app(visit.peer.id, app, step):
        return await _show_secret(site, visit, app.secret, refused=site.words.say("refused", "wrong_code"))
    return await _fresh_codes(site, visit, said=site.words.say("account", "app"))


async def make_recovery_codes(site: Site, visit: Visit) -> Response:
    """POST .../recovery with password: eight codes, shown this once."""
    if not await _knows_password(site, visit):
        return await _refused(site, visit, "own_password")
    return await _fresh_codes(site, visit, said=site.words.say("account", "recovery"))


async def ask_for_passkey(site: Site, visit: Visit) -> Response:
    """POST .../passkeys/options with password: what the browser needs to make one."""
    if not await _knows_password(site, visit):
        return JSONResponse({"refused": site.words.say("refused", "own_password")}, 403)
    known = [each.credential_id for each in await site.ledger.factors.passkeys(visit.peer.id)]
    peer = visit.peer
    here = place_here(site, visit.request)
    asked = ask_to_register(here, site.settings.service_name, (peer.id, peer.login, peer.name), known)
    body = {"challenge": asked.challenge}
    token = await site.ledger.accounts.begin_step(PASSKEY_TO_MAKE, body, LASTS, peer.id)
    return keep_step(site, JSONResponse({"options": asked.options}), token)


async def add_passkey(site: Site, visit: Visit) -> Response:
    """POST .../passkeys with credential (JSON) and name"""
    token = visit.request.cookies.get(step_cookie(site), "")
    step = await site.ledger.accounts.step(token, PASSKEY_TO_MAKE) if token else None
    theirs = step is not None and step.peer is not None and step.peer.id == visit.peer.id
    if step is None or not theirs or not await site.ledger.accounts.end_step(token):
        return await _refused(site, visit, "step_over")
    here, challenge = place_here(site, visit.request), str(step.body["challenge"])
    try:
        made = read_registration(here, challenge, posted(visit.request, "credential"))
    except PasskeyRefused:
        return await _refused(site, visit, "passkey")
    name = " ".join(posted(visit.request, "name").split())[:LONGEST_NAME] or site.words.say("account", "passkey_name")
    passkey = Passkey(
        id="",
        peer_id=visit.peer.id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        count=made.count,
    )
    if not await site.ledger.factors.add_passkey(passkey, name):
        return await _refused(site, visit, "passkey")
    return RedirectResponse(f"{HERE}?said=passkey", 303)


async def remove_factor(site: Site, visit: Visit) -> Response:
    """POST .../factors/remove with factor and password"""
    if not await _knows_password(site, visit):
        return await _refused(site, visit, "own_password")
    await site.ledger.factors.remove(visit.peer.id, posted(visit.request, "factor"))
    return RedirectResponse(f"{HERE}?said=removed", 303)


async def sign_out_elsewhere(site: Site, visit: Visit) -> Response:
    """POST .../sign-out-elsewhere"""
    await site.ledger.accounts.close_sessions(visit.peer.id, keep=visit.token)
    # Open pages look again at once, and find that they are nobody's.
    await site.streams.changed(QUEUE)
    return RedirectResponse(f"{HERE}?said=elsewhere", 303)


async def _knows_password(site: Site, visit: Visit) -> bool:
    """Whether the form holds it. Who has none proved who they are with what they signed in with."""
    if not visit.peer.password_hash:
        return True
    if not site.attempts.begin(visit.peer.login, "account"):
        return False
    said = posted(visit.request, "password")[:1000]
    right = await asyncio.to_thread(password_matches, visit.peer.password_hash, said)
    if right:
        site.attempts.succeed(visit.peer.login, "account")
    return right


async def _show_secret(site: Site, visit: Visit, secret: str, **values: Any) -> Response:
    address = enrolment_address(secret, visit.peer.login, site.settings.service_name)
    # Drawn here from our own address: nothing of it was typed by anybody.
    picture = Markup(enrolment_picture(address))  # noqa: S704
    return await page(site, visit, secret=secret, picture=picture, **values)


async def _fresh_codes(site: Site, visit: Visit, said: str) -> Response:
    codes = new_recovery_codes()
    await site.ledger.factors.set_recovery_codes(visit.peer.id, codes)
    return await page(site, visit, said=said, codes=codes)


async def _refused(site: Site, visit: Visit, key: str) -> Response:
    return await page(site, visit, 403, refused=site.words.say("refused", key))
