"""The form of a listing: what is typed is always kept, what is wrong is said beside it. New listings begin here too."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.responses import Response

from knowledge.catalogue import Organisation
from knowledge.editing.drafts import Draft, Gone, Saved
from knowledge.editing.forms import ROWS, Form, Problem, blank_form, read_posted
from knowledge.editing.preview import Tried
from knowledge.editing.publishing import NotYet
from knowledge.editing.readability import reading_age
from knowledge.editing.rendering import Moment, render_details, render_list, render_telegram, web_facts
from knowledge.editing.rules import READ
from knowledge.editor.sessions import Visit
from knowledge.editor.site import Site, see_other
from knowledge.errors import KnowledgeError, StoreError

LONGEST_SENTENCE: Final = 500
FIRST_REPLY: Final = 3
"""Services in a first reply."""
LONGEST_ID: Final = 48
"""Letters: an id travels in the button of a chat, which is 64 bytes."""
BLANK_ROWS: Final[dict[str, dict[str, Any]]] = {
    name: {cell: [] if cell == "days" else False if cell == "sms" else "" for cell in cells}
    for name, cells in ROWS.items()
}


def show_form(site: Site, visit: Visit) -> Response:
    """GET /listings/ID/edit: the open draft, or the listing as it is."""
    service_id = visit.path("service_id")
    draft = site.drafts.open(service_id)
    if draft:
        draft = site.drafts.catch_up(draft)
        said = {"merged": "Saved, together with what somebody else changed meanwhile.", "saved": "Saved."}
        return _form_page(site, visit, draft.form, draft=draft, said=said.get(visit.said("said"), ""))
    revision, form = site.drafts.live_form(service_id)
    if not revision:
        return site.message(visit, "There is no listing with that name.", 404)
    return _form_page(site, visit, form, based_on=f"r{revision}")


def save_form(site: Site, visit: Visit) -> Response:
    """POST: keep it, whatever it says; then show it, try a sentence with it, or send it for review."""
    service_id, based_on = visit.path("service_id"), visit.said("based_on")
    try:
        form = read_posted(visit.form, site.drafts.form_at(service_id, based_on))
        if visit.said("checked_today"):
            form |= {"assured_date": site.today().isoformat(), "assured_by": visit.editor.name}
        listing = site.store.listing(service_id)
        begin = visit.said("then") == "review" and listing is not None and not listing.published
        saved = site.drafts.save(service_id, form, based_on=based_on, by=visit.editor.login, begin=begin)
    except Gone as gone:
        return site.message(visit, str(gone), 409)
    if saved.aside is not None:
        return see_other(visit, "merge", service_id=service_id, version=saved.aside)
    if visit.said("then") == "try":
        shown = saved.draft.form if saved.draft else form
        sentence, near = visit.said("sentence")[:LONGEST_SENTENCE], visit.said("near")[:100]
        return _form_page(site, visit, shown, draft=saved.draft, based_on=based_on, sentence=sentence, near=near)
    return _go_on(site, visit, saved)


def _go_on(site: Site, visit: Visit, saved: Saved) -> Response:
    """After a save: to its review if that was asked for, else back to the form."""
    service_id = visit.path("service_id")
    if saved.draft is None:
        return see_other(visit, "service", service_id=service_id)
    if visit.said("then") != "review":
        return see_other(visit, "edit", "?said=merged" if saved.taken else "?said=saved", service_id=service_id)
    try:
        site.publisher.send_for_review(saved.draft, visit.editor)
    except (NotYet, Gone) as refusal:
        draft = site.drafts.open(service_id) or saved.draft
        return _form_page(site, visit, draft.form, 422, draft=draft, refused=str(refusal))
    return see_other(visit, "review", service_id=service_id)


def sign_off(site: Site, visit: Visit) -> Response:
    """POST /listings/ID/sign-off: somebody with lived experience read the texts as they stand."""
    service_id = visit.path("service_id")
    draft = site.drafts.open(service_id)
    form = draft.form if draft else site.drafts.live_form(service_id)[1]
    who = visit.said("who")
    if not who:
        refused = "Who read it: write a person or a group, as they want to be named."
        based_on = "" if draft else f"r{site.drafts.live_form(service_id)[0]}"
        return _form_page(site, visit, form, 422, draft=draft, based_on=based_on, refused=refused)
    site.sign_offs.record(service_id, form, who=who, by=visit.editor.login)
    return see_other(visit, "edit", service_id=service_id)


def show_new(site: Site, visit: Visit) -> Response:
    """GET /listings/new"""
    return _new_page(site, visit)


def begin_new(site: Site, visit: Visit) -> Response:
    """POST: a draft with a name, and who runs it."""
    name, owner = " ".join(visit.said("name").split()), visit.said("organisation")
    if not name:
        return _new_page(site, visit, 422, {"name": "Write what people call it."})
    if owner not in {each.id for each in site.store.owners()}:
        return _new_page(site, visit, 422, {"organisation": "Choose who runs it, or add a new organisation."})
    service_id = _free_id(site, f"svc-{slug(name)}")
    form: Form = {**blank_form(), "name": name, "organisation": owner}
    site.drafts.save(service_id, form, based_on="r0", by=visit.editor.login)
    return see_other(visit, "edit", service_id=service_id)


def show_new_owner(site: Site, visit: Visit) -> Response:
    """GET /organisations/new"""
    return site.page(visit, "new_owner.html", problems={}, typed={"name": "", "description": "", "website": ""})


def add_owner(site: Site, visit: Visit) -> Response:
    """POST: nobody sees an organisation before a listing of it is published."""
    typed = {name: " ".join(visit.said(name).split()) for name in ("name", "description", "website")}
    problems = {}
    if not typed["name"]:
        problems["name"] = "Write what people call it."
    if typed["website"] and not typed["website"].startswith("https://"):
        problems["website"] = "Begin with https://"
    made = Organisation(id=f"org-{slug(typed['name'])}"[:LONGEST_ID].rstrip("-"), **typed)
    if not problems:
        try:
            site.store.add_owner(made)
        except StoreError as taken:
            problems["name"] = str(taken)
    if problems:
        return site.page(visit, "new_owner.html", 422, problems=problems, typed=typed)
    return see_other(visit, "new", f"?organisation={made.id}")


def slug(name: str) -> str:
    """ "Café Ünder" -> "cafe-under"."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_ID - 8].rstrip("-") or "listing"


def moment_of(site: Site) -> Moment:
    return Moment(now=site.now(), zone=site.settings.timezone, stale_days=site.settings.stale_days)


def _free_id(site: Site, wanted: str) -> str:
    service_id, number = wanted, 1
    while site.store.listing(service_id) or site.drafts.open(service_id):
        number += 1
        service_id = f"{wanted}-{number}"
    return service_id


def _new_page(site: Site, visit: Visit, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    typed = {"name": visit.said("name"), "organisation": visit.said("organisation")}
    return site.page(visit, "new.html", status, problems=problems or {}, typed=typed, owners=site.store.owners())


def _form_page(
    site: Site, visit: Visit, form: Form, status: int = 200, *, draft: Draft | None = None, **words: str
) -> Response:
    """The form with everything beside it. Without a draft yet, nothing is complained about that is live already."""
    service_id = visit.path("service_id")
    service, problems = site.check(form, service_id)
    by_field: dict[str, list[Problem]] = {}
    for problem in problems:
        by_field.setdefault(problem.field, []).append(problem)
    sentence = words.get("sentence", "")
    shown = {
        "service_id": service_id,
        "form": form,
        "draft": draft,
        "based_on": draft.based_on if draft else words.get("based_on", ""),
        "problems": problems if draft else (),
        "by_field": by_field,
        "asides": site.drafts.asides(draft.id) if draft else (),
        "blank": BLANK_ROWS,
        "words": site.words,
        "needs": sorted(site.labels.items(), key=lambda item: item[1]),
        "owners": site.store.owners(),
        "ages": {field: reading_age(form[field]) for field in READ},
        "sign_offs": site.sign_offs.of(service_id, form),
        "schedules": site.teller().say("schedules", form["schedules"]),
        "details": render_details(service, moment_of(site)) if service.name else None,
        "facts": web_facts(service, moment_of(site)),
        "telegram": render_telegram([service]),
        "service": service,
        "sentence": sentence,
        "near": words.get("near", ""),
        "time": f"{site.now().astimezone(ZoneInfo(site.settings.timezone)):%A %H:%M}",
        **_looked(site, service_id, form, sentence, words.get("near", "")),
    }
    return site.page(visit, "edit.html", status, **shown, said=words.get("said", ""), refused=words.get("refused", ""))


def _looked(site: Site, service_id: str, form: Form, sentence: str, near: str) -> dict[str, Any]:
    """What a search makes of the draft. Without an index the form still works, and the page says what to run."""
    try:
        hints = site.preview.suggest_needs(form)
        if not sentence:
            return {"hints": hints, "tried": None, "reply": None, "search_missing": ""}
        service, _problems = site.check(form, service_id)
        tried: Tried = site.preview.find(service, sentence, near=near, now=site.now())
        first = [match.service for match in tried.found.matches[:FIRST_REPLY]]
        return {"hints": hints, "tried": tried, "reply": render_list(first), "search_missing": ""}
    except KnowledgeError as missing:
        return {"hints": (), "tried": None, "reply": None, "search_missing": str(missing)}
