"""The published catalogue for other programs, in the shape of Open Referral UK 3.0. It only reads.

`/` says what this is; `/services`, `/service_at_locations`, `/organizations`, `/taxonomies` and `/taxonomy_terms` are
lists in pages, each with `/{id}` for one whole thing. Drafts, and what was never published, are not here.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from knowledge.catalogue import Need
from knowledge.exchange.at_locations import AtLocations, place_head, write_places
from knowledge.exchange.extension import KEY
from knowledge.exchange.heads import Heads
from knowledge.exchange.identity import NEEDS_TAXONOMY, need_uuid, taxonomy_uuid
from knowledge.exchange.listings import Reader
from knowledge.exchange.questions import KNOWN, Misunderstood, Question, check_format, read_question, read_words
from knowledge.exchange.register import Register
from knowledge.exchange.shapes import SERVICE
from knowledge.exchange.writing import Writer, need_term, write_organisation
from knowledge.needs import load_needs
from knowledge.places import Places, load_places
from knowledge.settings import Settings
from knowledge.store import Store

PREFIX = "/open-referral/v3"
INFO = {
    "version": "HSDS-UK-3.0",
    "profile": "https://openreferraluk.org/",
    "openapi_url": "https://raw.githubusercontent.com/OpenReferralUK/uk-profile/main/schema/openapi.json",
}
TOGETHER = 4
"""Questions answered at once. More are asked to wait: people's pages and searches come first."""
FRESH_SECONDS = 60
PLAIN = {"page", "per_page", "format", "search", "text"}
"""What every list can be asked."""
Thing = Mapping[str, Any]


class OpenReferral:
    """`open` is called once the catalogue is open; until then nothing can be asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._busy = threading.BoundedSemaphore(TOGETHER)
        self._needs: tuple[Need, ...] = load_needs(settings.content_dir / "needs.yml")
        self._places: Places | None = None

    def open(self, store: Store) -> None:
        self._store = store
        self._register = Register(store)
        self._heads = Heads(store)
        self._places_of = AtLocations(store, self._register)

    def mount(self) -> Mount:
        """The routes, for any application."""
        routes = [
            Route("/", self._answer(lambda _request: INFO), name="api"),
            Route("/services", self._answer(self._services)),
            Route("/services/{id}", self._answer(self._service)),
            Route("/service_at_locations", self._answer(self._at_locations)),
            Route("/service_at_locations/{id}", self._answer(self._at_location)),
            Route("/organizations", self._answer(self._organisations)),
            Route("/organizations/{id}", self._answer(self._organisation)),
            Route("/taxonomies", self._answer(self._taxonomies)),
            Route("/taxonomies/{id}", self._answer(self._taxonomy)),
            Route("/taxonomy_terms", self._answer(self._terms)),
            Route("/taxonomy_terms/{id}", self._answer(self._term)),
        ]
        anybody = Middleware(
            CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "HEAD"], expose_headers=["ETag"], max_age=86_400
        )
        return Mount(PREFIX, routes=routes, middleware=[anybody])

    def _answer(self, make: Callable[[Request], Thing | None]) -> Callable[[Request], Response]:
        """A route out of a function: errors, ETag, and only so many at once. It blocks, so it runs in a thread."""

        def answer(request: Request) -> Response:
            if not self._busy.acquire(blocking=False):
                return _json({"error": "busy: ask again in a second"}, 503, {"retry-after": "1"})
            try:
                if "id" in request.path_params:
                    _refuse_questions(request)
                body = make(request)
            except Misunderstood as wrong:
                return _json({"errors": [{"field": wrong.field, "problem": wrong.text}]}, 400)
            finally:
                self._busy.release()
            if body is None:
                return _json({"error": "there is nothing with this id"}, 404)
            return _tagged(request, body)

        return answer

    def _services(self, request: Request) -> Thing:
        question = read_question(_single(request), self._place)
        found = [head for head in self._heads.current().heads if question.fits(head)]
        shown = _slice(found, question)
        if question.minimal:
            moments = [{"id": head.uuid, "modified_date": head.modified.isoformat()} for head in shown]
            return _page(moments, len(found), question)
        whole = self._whole([head.id for head in shown])
        return _page(whole if question.full else [_head_of(body) for body in whole], len(found), question)

    def _service(self, request: Request) -> Thing | None:
        head = self._heads.current().by_uuid.get(request.path_params["id"].lower())
        found = self._whole([head.id]) if head else []
        return found[0] if found else None

    def _at_locations(self, request: Request) -> Thing:
        question = read_question(_single(request), self._place)
        found = [each for each in self._places_of.of(self._heads.current()).entries if question.fits(each.head)]
        shown = _slice(found, question)
        if question.minimal:
            moments = [{"id": each.uuid, "modified_date": each.head.modified.isoformat()} for each in shown]
            return _page(moments, len(found), question)
        whole = write_places(self._whole(list(dict.fromkeys(each.head.id for each in shown))))
        bodies = [whole[each.uuid] for each in shown if each.uuid in whole]
        return _page(bodies if question.full else [place_head(body) for body in bodies], len(found), question)

    def _at_location(self, request: Request) -> Thing | None:
        asked = request.path_params["id"].lower()
        entry = self._places_of.of(self._heads.current()).by_uuid.get(asked)
        return write_places(self._whole([entry.head.id])).get(asked) if entry else None

    def _whole(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Services in full, in this order. One that was unpublished a moment ago is not among them."""
        today = datetime.now(ZoneInfo(self._settings.timezone)).date()
        reader = Reader(needs=[need.id for need in self._needs], today=today, country=self._settings.country)
        writer = Writer(needs={need.id: need for need in self._needs}, reader=reader)
        with self._store.transaction() as connection:
            listings = self._store.find_many(connection, ids, hold=False)
            entries = self._register.find(connection, ids)
        bodies = []
        for each in ids:
            listing = listings.get(each)
            if listing and listing.published:
                kept = entries[each].kept if each in entries else None
                body = writer.write(listing.service, kept=kept, modified=listing.updated_at)
                bodies.append({name: value for name, value in body.items() if name != KEY})
        return bodies

    def _organisations(self, request: Request) -> Thing:
        question = _plain_question(request)
        everyone = self._heads.current().organisations.values()
        owners = [each for each in everyone if _speaks_of(request, each.name, each.description)]
        return _page([write_organisation(owner) for owner in _slice(owners, question)], len(owners), question)

    def _organisation(self, request: Request) -> Thing | None:
        owner = self._heads.current().organisations.get(request.path_params["id"].lower())
        return write_organisation(owner) if owner else None

    def _taxonomies(self, request: Request) -> Thing:
        question = _plain_question(request)
        found = [each for each in [_taxonomy()] if _speaks_of(request, each["name"], each["description"])]
        return _page(_slice(found, question), len(found), question)

    def _taxonomy(self, request: Request) -> Thing | None:
        return _taxonomy() if request.path_params["id"].lower() == _taxonomy()["id"] else None

    def _terms(self, request: Request) -> Thing:
        """No term of ours is under another: each is at the top, and none has a parent."""
        given = _single(request)
        question = _plain_question(request, "taxonomy_id", "parent_id", "top_only")
        if given.get("top_only", "false").lower() not in {"true", "false"}:
            raise Misunderstood("top_only", "must be true or false.")
        ours = given.get("taxonomy_id", _taxonomy()["id"]) == _taxonomy()["id"] and "parent_id" not in given
        asked = [need for need in self._needs if ours and _speaks_of(request, need.label, need.description)]
        terms = [need_term(need.id, need.label, need.description) for need in asked]
        return _page(_slice(terms, question), len(terms), question)

    def _term(self, request: Request) -> Thing | None:
        asked = request.path_params["id"].lower()
        for need in self._needs:
            if asked in {need.id, need_uuid(need.id)}:
                return need_term(need.id, need.label, need.description)
        return None

    def _place(self, postcode: str) -> Any:
        if self._places is None:
            self._places = load_places(self._settings.content_dir / "places", demo=self._settings.demo)
        return self._places.resolve(postcode.upper())


def _taxonomy() -> dict[str, Any]:
    words = "What people ask for, in their own words."
    return {"id": taxonomy_uuid(NEEDS_TAXONOMY), "name": NEEDS_TAXONOMY, "description": words, "version": "1"}


def _plain_question(request: Request, *more: str) -> Question:
    """A list without filters, but for those named."""
    given = _single(request)
    for name in set(given) - PLAIN - set(more):
        raise Misunderstood(name, f"is not a parameter here. Use some of: {', '.join(sorted(PLAIN | set(more)))}.")
    return read_question({name: given[name] for name in PLAIN & set(given)}, lambda _text: None)


def _speaks_of(request: Request, *texts: str) -> bool:
    whole = " ".join(texts).lower()
    return all(word in whole for word in read_words(request.query_params))


def _refuse_questions(request: Request) -> None:
    """One thing is always given whole. Raises Misunderstood for anything else that is asked of it."""
    given = _single(request)
    for name in set(given) - {"format", "full"}:
        raise Misunderstood(name, "is not a parameter here: one thing is always given whole.")
    if given.get("full", "true").lower() != "true":
        raise Misunderstood("full", "must be true here: one thing is always given whole.")
    check_format(given)


def _single(request: Request) -> dict[str, str]:
    """Parameters by name; empty ones are as good as none. One that is given twice is not guessed at."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given and name in KNOWN:
            raise Misunderstood(name, "is given twice. Give it once.")
        if value:
            given[name] = value
    return given


def _slice(found: Sequence[Any], question: Question) -> Sequence[Any]:
    return found[(question.page - 1) * question.per_page : question.page * question.per_page]


def _page(contents: Sequence[Thing], total: int, question: Question) -> dict[str, Any]:
    pages = -(-total // question.per_page)
    return {
        "total_items": total,
        "total_pages": pages,
        "page_number": question.page,
        "size": len(contents),
        "first_page": question.page == 1,
        "last_page": question.page >= pages,
        "empty": not contents,
        "contents": list(contents),
    }


def _head_of(body: Thing) -> dict[str, Any]:
    """A service with only its own fields and its organisation's, as lists have it."""
    lists = set(SERVICE.lists)
    return {name: value for name, value in body.items() if name not in lists and not isinstance(value, list)}


def _tagged(request: Request, body: Thing) -> Response:
    text = json.dumps(body, ensure_ascii=False).encode()
    etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": f"public, max-age={FRESH_SECONDS}"}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


def _json(body: Thing, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        json.dumps(body),
        status,
        media_type="application/json",
        headers={"cache-control": "no-store", **(headers or {})},
    )
