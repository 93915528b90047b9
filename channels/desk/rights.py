"""Somebody asks what we hold of them, or that it be erased or kept: for whoever may, from a number or a conversation.

The number goes in a form, never in an address; who looked, exported, held or erased is in the audit.
"""

from __future__ import annotations

import json
from typing import Any, Final

import phonenumbers
from starlette.responses import RedirectResponse, Response

from channels.conversation import Channel
from channels.desk.access import ID
from channels.desk.guard import Site, missing, posted
from channels.desk.sessions import Visit
from channels.errors import NotFound
from channels.ledger.records import PersonRecord

HERE: Final = "/desk/rights"
LONGEST_REASON: Final = 500
ERASE_WORD: Final = "erase"


async def show_search(site: Site, visit: Visit) -> Response:
    """GET /desk/rights: whom it is about."""
    return site.page_for(visit, "rights_search.html", refused="")


async def find(site: Site, visit: Visit) -> Response:
    """POST /desk/rights with channel and address."""
    channel, typed = posted(visit.request, "channel"), posted(visit.request, "address").strip()
    person = None
    if channel in (Channel.SMS, Channel.TELEGRAM):
        address = _as_number(typed, site.settings.country) if channel == Channel.SMS else typed
        person = await site.ledger.person_at(Channel(channel), address) if address else None
    if person is None:
        return site.page_for(visit, "rights_search.html", 404, refused=site.words.say("refused", "nobody_there"))
    return RedirectResponse(f"{HERE}/{person.id}", 303)


async def show(site: Site, visit: Visit) -> Response:
    """GET /desk/rights/ID: what is held, and what can be done."""
    person = await _person(site, visit)
    if person is None:
        return missing(site, visit)
    await site.ledger.audit(visit.peer.id, "person_viewed", person.id)
    said = visit.request.query_params.get("said", "")
    return await _page(site, visit, person, said=site.words.groups["rights"].get(said, ""))


async def export(site: Site, visit: Visit) -> Response:
    """POST .../export with as: json (a file) or page (to read or print)."""
    person = await _person(site, visit)
    if person is None:
        return missing(site, visit)
    told = await site.ledger.rights.export(visit.peer.id, person.id)
    if posted(visit.request, "as") == "json":
        name = {"Content-Disposition": 'attachment; filename="what-we-hold.json"'}
        return Response(json.dumps(told, ensure_ascii=False, indent=1), media_type="application/json", headers=name)
    return site.page_for(visit, "rights_export.html", told=told)


async def hold(site: Site, visit: Visit) -> Response:
    """POST .../hold with reason; an empty one lifts the hold."""
    person = await _person(site, visit)
    if person is None:
        return missing(site, visit)
    reason = " ".join(posted(visit.request, "reason").split())[:LONGEST_REASON]
    if posted(visit.request, "lift"):
        await site.ledger.rights.lift(visit.peer.id, person.id)
        return RedirectResponse(f"{HERE}/{person.id}?said=lifted", 303)
    if not reason:
        return await _page(site, visit, person, 422, refused=site.words.say("refused", "hold_without_reason"))
    await site.ledger.rights.hold(visit.peer.id, person.id, reason)
    return RedirectResponse(f"{HERE}/{person.id}?said=held", 303)


async def erase(site: Site, visit: Visit) -> Response:
    """POST .../erase with confirm: the word that the page asks for."""
    person = await _person(site, visit)
    if person is None:
        return missing(site, visit)
    if posted(visit.request, "confirm").strip().lower() != ERASE_WORD:
        return await _page(site, visit, person, 422, refused=site.words.say("refused", "confirm", word=ERASE_WORD))
    if await site.ledger.rights.hold_of(person.id) is not None:
        return await _page(site, visit, person, 409, refused=site.words.say("refused", "held"))
    conversation = await site.ledger.conversation_of(person.id)
    await site.ledger.forget(person.id, visit.peer.id)
    await site.streams.changed(conversation.id)
    return site.page_for(visit, "rights_search.html", refused="", said=site.words.say("rights", "erased"))


async def _page(site: Site, visit: Visit, person: PersonRecord, status: int = 200, **values: Any) -> Response:
    held = await site.ledger.held(person.id)
    kept = await site.ledger.rights.hold_of(person.id)
    names = {peer.id: peer.name for peer in await site.ledger.peers()}
    known = {"person": person, "held": held, "kept": kept, "names": names, "word": ERASE_WORD}
    return site.page_for(visit, "rights.html", status, **{**known, "said": "", "refused": "", **values})


async def _person(site: Site, visit: Visit) -> PersonRecord | None:
    person_id = visit.request.path_params["person"]
    if not ID.fullmatch(person_id):
        return None
    try:
        return await site.ledger.person(person_id)
    except NotFound:
        return None


def _as_number(typed: str, country: str) -> str:
    """As it is in the ledger (E.164), or nothing."""
    try:
        number = phonenumbers.parse(typed[:40], country)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
