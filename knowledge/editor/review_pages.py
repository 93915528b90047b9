"""Looking at what others wrote: choosing between two versions, reviewing, publishing, history, rolling back."""

from __future__ import annotations

from starlette.responses import Response

from knowledge.editing.drafts import Draft, Gone, State
from knowledge.editing.forms import Form, write_form
from knowledge.editing.merging import merge
from knowledge.editing.overview import names_of
from knowledge.editing.publishing import NotYet
from knowledge.editor.sessions import Visit
from knowledge.editor.site import Site, see_other
from knowledge.errors import KnowledgeError

NO_DRAFT = "There is no draft of this listing. Somebody may have published or discarded it."


def show_merge(site: Site, visit: Visit) -> Response:
    """GET /listings/ID/merge/N: a save that was set aside, beside what others saved."""
    return _merge_page(site, visit)


def choose(site: Site, visit: Visit) -> Response:
    """POST: one of two for each field."""
    draft = site.drafts.open(visit.path("service_id"))
    if draft is None:
        return site.message(visit, NO_DRAFT, 409)
    choices = {str(name).removeprefix("choose-"): str(value) for name, value in visit.form.items()}
    try:
        if not site.drafts.choose(draft, visit.number("version"), choices, by=visit.editor.login):
            return _merge_page(site, visit, 422, refused="Choose one for each part.")
    except Gone as gone:
        return site.message(visit, str(gone), 409)
    return see_other(visit, "edit", "?said=saved", service_id=draft.service_id)


def _merge_page(site: Site, visit: Visit, status: int = 200, refused: str = "") -> Response:
    draft = site.drafts.open(visit.path("service_id"))
    saves = {each.version: each for each in site.drafts.versions(draft.id)} if draft else {}
    aside = saves.get(visit.number("version"))
    if draft is None or aside is None or not aside.aside:
        return site.message(visit, "Somebody has chosen already. Open the listing again.", 404)
    teller, kept = site.teller(), saves[draft.version]
    merged = merge(aside.base, aside.form, draft.form)
    rows = [
        {
            "field": conflict.field,
            "label": site.words.labels[conflict.field],
            "base": teller.say(conflict.field, conflict.base),
            "mine": teller.say(conflict.field, conflict.mine),
            "theirs": teller.say(conflict.field, conflict.theirs),
        }
        for conflict in merged.conflicts
    ]
    return site.page(
        visit,
        "merge.html",
        status,
        refused=refused,
        draft=draft,
        aside=aside,
        rows=rows,
        aside_name=site.name_of(aside.saved_by),
        kept=kept,
        kept_name=site.name_of(kept.saved_by),
        together=teller.changes(draft.form, merged.form),
    )


def show_review(site: Site, visit: Visit) -> Response:
    """GET /listings/ID/review: what a draft changes, and what may be done with it."""
    draft = site.drafts.open(visit.path("service_id"))
    return _review_page(site, visit, draft) if draft else site.message(visit, NO_DRAFT, 404)


def decide(site: Site, visit: Visit) -> Response:
    """POST: publish, send back, or discard the draft that was shown."""
    service_id, wanted = visit.path("service_id"), visit.said("then")
    draft = site.drafts.open(service_id)
    if draft is None:
        return site.message(visit, NO_DRAFT, 409)
    if visit.said("based_on") != draft.based_on:
        return _review_page(site, visit, draft, 409, refused="Somebody saved meanwhile. Look at it again.")
    try:
        address = _decide(site, visit, draft, wanted)
    except (NotYet, Gone) as refusal:
        return _review_page(site, visit, site.drafts.open(service_id) or draft, 409, refused=str(refusal))
    except KnowledgeError as failure:  # written, but the index could not be built: it will be, and the page says so
        return site.message(visit, f"Published, but not live yet: {failure}", 503)
    return address


def _decide(site: Site, visit: Visit, draft: Draft, wanted: str) -> Response:
    """Do it, and where to go then. Raises NotYet, Gone, and KnowledgeError when the index cannot be built."""
    if wanted == "publish":
        site.publisher.publish_draft(draft, visit.editor)
        return see_other(visit, "publications", "?said=published")
    if wanted == "discard":
        site.drafts.move(draft, State.DISCARDED, by=visit.editor.login)
        return see_other(visit, "catalogue")
    if wanted == "review":
        site.publisher.send_for_review(draft, visit.editor)
    elif wanted == "back":
        site.drafts.move(draft, State.DRAFT, by=visit.editor.login, note=" ".join(visit.said("note").split())[:500])
    return see_other(visit, "review", service_id=draft.service_id)


def _review_page(site: Site, visit: Visit, draft: Draft, status: int = 200, refused: str = "") -> Response:
    teller = site.teller()
    _revision, live = site.drafts.live_form(draft.service_id)
    listing = site.store.listing(draft.service_id)
    _service, problems = site.check(draft.form, draft.service_id)
    versions = [each for each in site.drafts.versions(draft.id) if not each.aside]
    return site.page(
        visit,
        "review.html",
        status,
        refused=refused,
        draft=draft,
        changes=teller.changes(live, draft.form),
        published=listing is not None and listing.published,
        problems=problems,
        asides=site.drafts.asides(draft.id),
        why_not=site.publisher.may_publish(draft, visit.editor),
        writers=sorted(map(site.name_of, site.drafts.writers(draft.id))),
        moved_by=site.name_of(draft.moved_by),
        versions=[(each, site.name_of(each.saved_by)) for each in versions],
        sign_offs=site.sign_offs.of(draft.service_id, draft.form),
        labels=site.words.labels,
    )


def show_history(site: Site, visit: Visit) -> Response:
    """GET /listings/ID/history: every revision, with who, when and what changed."""
    service_id = visit.path("service_id")
    revisions = site.store.revisions(service_id)
    if not revisions:
        return site.message(visit, "There is no listing with that name.", 404)
    teller = site.teller()
    forms: list[Form | None] = [*(write_form(each.service) for each in revisions), None]
    rows = []
    for listing, form, before in zip(revisions, forms[:-1], forms[1:], strict=True):
        changes = teller.changes(before, form) if before and form else ()
        rows.append(
            {"listing": listing, "who": site.name_of(listing.updated_by), "changes": changes, "first": not before}
        )
    return site.page(visit, "history.html", rows=rows, service=revisions[0].service)


def restore(site: Site, visit: Visit) -> Response:
    """POST /listings/ID/restore: an earlier revision becomes a draft; when it was last checked stays as it is."""
    service_id, revision = visit.path("service_id"), visit.said("revision")
    draft = site.drafts.open(service_id)
    number, live = site.drafts.live_form(service_id)
    now = draft.form if draft else live
    try:
        earlier = site.drafts.form_at(service_id, f"r{revision}")
        form = {**earlier, "assured_date": now["assured_date"], "assured_by": now["assured_by"]}
        based_on = draft.based_on if draft else f"r{number}"
        saved = site.drafts.save(service_id, form, based_on=based_on, by=visit.editor.login)
    except Gone as gone:
        return site.message(visit, str(gone), 409)
    if saved.draft is None:
        return see_other(visit, "service", "?said=same", service_id=service_id)
    return see_other(visit, "edit", "?said=saved", service_id=service_id)


def show_publications(site: Site, visit: Visit) -> Response:
    """GET /published: what went in front of people, newest first."""
    said = {"published": "Published: it is live.", "rolled": "Rolled back: what was there before is live again."}
    return _publications_page(site, visit, said=said.get(visit.said("said"), ""))


def roll_back(site: Site, visit: Visit) -> Response:
    """POST /published/N/roll-back"""
    try:
        site.publisher.roll_back(visit.number("number"), visit.editor)
    except (NotYet, Gone) as refusal:
        return _publications_page(site, visit, 409, refused=str(refusal))
    except KnowledgeError as failure:
        return site.message(visit, f"Rolled back, but not live yet: {failure}", 503)
    return see_other(visit, "publications", "?said=rolled")


def _publications_page(site: Site, visit: Visit, status: int = 200, *, said: str = "", refused: str = "") -> Response:
    publications = site.publisher.publications()
    names = names_of(site.store, [made.service_id for made in publications])
    rows = [
        {
            "made": made,
            "name": names.get(made.service_id, made.service_id),
            "writers": [site.name_of(login) for login in made.written_by],
            "publisher": site.name_of(made.published_by),
            "undone_by": site.name_of(made.rolled_back_by) if made.rolled_back_by else "",
        }
        for made in publications
    ]
    return site.page(visit, "publications.html", status, rows=rows, said=said, refused=refused)
