"""What somebody who writes this would be sent if a draft were live: a search over the catalogue with the draft in it.

The index with the draft is made from the published one, as the next one is (`knowledge.patching`), and kept while the
draft and the published index stay the same, so that a second sentence costs only its search.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from knowledge.catalogue import Service, Status, service_to_dict
from knowledge.editing.forms import Form
from knowledge.embedding import Encoder, VectorCache, Vectors, encode_cached
from knowledge.need_head import NeedHead
from knowledge.needs import training_texts
from knowledge.patching import Change, Patch
from knowledge.search import Found, Match, Search
from knowledge.settings import Settings
from knowledge.trail import KEY_BYTES

MOST_LISTED = 10
MOST_SUGGESTED = 5
LIKELY = 0.08
"""Probability from which a need is worth suggesting."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What was found, and where the draft is in it (`place` from 1; None: not among the first ten)."""

    found: Found
    place: int | None
    match: Match | None


@dataclass(frozen=True, kw_only=True)
class NeedHint:
    """A need that the words of a listing speak of, and the phrasing of it they are closest to."""

    id: str
    label: str
    sure: float
    why: str


class Preview:
    """`search` opens the live search, `encoder` the model; both are asked for when they are first needed."""

    def __init__(self, settings: Settings, search: Callable[[], Search], encoder: Callable[[], Encoder]) -> None:
        self._settings = settings
        self._search = search
        self._encoder = encoder
        self._lock = threading.Lock()
        self._kept: tuple[str, Search] | None = None

    def find(self, service: Service, text: str, *, near: str = "", now: datetime | None = None) -> Tried:
        """Raises KnowledgeError when there is no index."""
        found = self._with(service).find(text, near=near or None, now=now, limit=MOST_LISTED)
        for place, match in enumerate(found.matches, start=1):
            if match.service.id == service.id:
                return Tried(found=found, place=place, match=match)
        return Tried(found=found, place=None, match=None)

    def suggest_needs(self, form: Form) -> tuple[NeedHint, ...]:
        """Needs that the words of a form speak of and does not carry yet, likeliest first. Raises KnowledgeError."""
        about = ". ".join(form[name].rstrip(".") for name in ("name", "summary", "description") if form[name])
        if not about:
            return ()
        index = self._search().index
        parts = [about, *(part for part in about.split(". ") if len(part.split()) > 2)]
        vectors = self._encoder().encode(parts)
        chances, speakers = index.head.read_message(vectors)
        texts, owners = training_texts(index.needs)
        hints = []
        for column in sorted(range(len(index.needs)), key=lambda at: -float(chances[at])):
            need = index.needs[column]
            if need.id in form["needs"] or chances[column] < LIKELY:
                continue
            own = [at for at, owner in enumerate(owners) if owner == column and texts[at] in need.phrasings]
            why = _closest(index.head, vectors[speakers[column]], texts, own)
            hints.append(NeedHint(id=need.id, label=need.label, sure=round(float(chances[column]), 2), why=why))
        return tuple(hints[:MOST_SUGGESTED])

    def _with(self, service: Service) -> Search:
        search = self._search()
        key = f"{search.index.version} {json.dumps(service_to_dict(service), sort_keys=True)}"
        with self._lock:
            if self._kept is None or self._kept[0] != key:
                self._kept = (key, self._build(search, service))
            return self._kept[1]

    def _build(self, search: Search, service: Service) -> Search:
        index, encoder = search.index, self._encoder()
        shown = service.status in {Status.ACTIVE, Status.TEMPORARILY_CLOSED} and service.name
        others = [each for each in index.roll.ids if each != service.id]
        ids = sorted([*others, service.id]) if shown else others
        change = Change(
            ids=ids,
            fresh={service.id: service} if shown else {},
            keys=np.zeros((len(ids), KEY_BYTES), np.uint8),
        )
        cache = VectorCache.open(self._settings)

        def encode(texts: list[str]) -> Vectors:
            return encode_cached(encoder, cache, texts)

        try:
            patch = Patch(index, change, encoder.id, lambda lines: index.crisis)
            made = patch.build(encode, version=index.version, now=index.built_at)
        finally:
            cache.close()
        return search.over(replace(made, stamp=""))


def _closest(head: NeedHead, vector: Vectors, texts: Sequence[str], own: Sequence[int]) -> str:
    """The phrasing of one need (`own`: where they are) that a text is nearest to."""
    similar = head.phrasings @ vector
    return texts[max(own, key=lambda at: float(similar[at]))]
