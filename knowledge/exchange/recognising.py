"""Needs for a listing that came without ours: from its name, its description and its terms, as suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from knowledge.catalogue import Need, Service
from knowledge.embedding import VectorCache, encode_cached, open_encoder, open_publisher
from knowledge.embedding.encoder import Encoder
from knowledge.index import Source
from knowledge.need_head import NeedHead
from knowledge.publish import read_heads
from knowledge.settings import Settings
from knowledge.threads import use_one_thread

SURE = 0.3
"""Probability from which a need is suggested: see "Needs of imported listings" in the README for what it gives."""
MOST = 4
LONGEST = 300
"""Characters of a description that are read: what a service is for is said first."""
MOST_TERMS = 8


class Recogniser(Protocol):
    """Needs, most fitting first, for each listing."""

    def recognise(self, services: Sequence[Service]) -> list[tuple[str, ...]]: ...


class NeedRecogniser:
    """The recogniser that reads messages, on the words of listings. Opens its model at the first listing."""

    def __init__(self, settings: Settings, needs: Sequence[Need]) -> None:
        self._settings = settings
        self._needs = tuple(needs)
        self._opened: tuple[NeedHead, Encoder] | None = None
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def recognise(self, services: Sequence[Service]) -> list[tuple[str, ...]]:
        texts = [texts_of(service) for service in services]
        fresh = list(dict.fromkeys(each for each in texts if each not in self._known))
        if len(self._known) > 20_000:
            self._known = {each: self._known[each] for each in texts if each in self._known}
        if fresh:
            head, encoder = self._open()
            chances = head.probabilities(encoder.encode([text for each in fresh for text in each]))
            at = 0
            for each in fresh:
                self._known[each] = self._choose(chances[at : at + len(each)].max(axis=0))
                at += len(each)
        return [self._known[each] for each in texts]

    def _choose(self, chances: np.ndarray[tuple[int], np.dtype[np.float32]]) -> tuple[str, ...]:
        order = np.argsort(-chances, kind="stable")[:MOST]
        return tuple(self._needs[row].id for row in order if chances[row] >= SURE)

    def _open(self) -> tuple[NeedHead, Encoder]:
        if self._opened is None:
            use_one_thread()
            publisher = open_publisher(self._settings)
            source = Source(services=(), needs=self._needs, crisis={}, encoder=publisher.id)
            cache = VectorCache.open(self._settings)
            try:
                heads = read_heads(self._settings, source, lambda texts: encode_cached(publisher, cache, texts))
            finally:
                cache.close()
            self._opened = heads.messages, open_encoder(self._settings)
        return self._opened


def texts_of(service: Service) -> tuple[str, ...]:
    """What is read: the name, the name with the description, and each term."""
    whole = f"{service.name}. {service.description}"[:LONGEST]
    return tuple(dict.fromkeys([service.name, whole, *service.terms[:MOST_TERMS]]))
