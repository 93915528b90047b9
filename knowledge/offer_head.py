"""How services say what they offer: the other side of the need recogniser, for listings nobody tagged.

Each need has a few sentences in the words of a listing (`offers` in needs.yml). A logistic regression over their
vectors says which needs an untagged listing is for, and their middles turn the needs of a message into the listing
that would answer it: people and services use different words, and the needs are where the two meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.need_head import Array, NeedHead, Vectors, fit_regression, softmax

LISTING_SHARE = 0.7
"""Weight of the words of services in what an untagged listing is for; the rest is how people would say it."""


class OfferHead:
    """Listings to needs, and needs to the listing one would hope for. Saved and loaded as arrays, never as code."""

    def __init__(self, weights: Array, bias: Array, middles: Vectors) -> None:
        self.weights = weights
        self.bias = bias
        self.middles = middles

    def probabilities(self, vectors: Vectors) -> Array:
        """One row per listing, one column per need; a row sums to 1."""
        return softmax(vectors @ self.weights.T + self.bias)

    def hoped_for(self, shares: Array) -> Array:
        """The direction of listings that offer these needs, in these shares; zeros when there are none."""
        summed = shares @ self.middles
        length = float(np.linalg.norm(summed))
        return np.asarray(summed / length if length > 0 else summed, dtype=np.float32)

    def save(self, path: Path) -> None:
        np.savez(path, weights=self.weights, bias=self.bias, middles=self.middles)

    @classmethod
    def load(cls, path: Path) -> OfferHead:
        with np.load(path, allow_pickle=False) as kept:
            return cls(kept["weights"], kept["bias"], kept["middles"])


@dataclass(frozen=True, kw_only=True)
class Heads:
    """What recognises needs in messages, and what recognises them in listings."""

    messages: NeedHead
    listings: OfferHead

    def guess_carried(self, vectors: Vectors) -> Array:
        """How much listings that nobody tagged serve each need, 0 to 1.

        The root of the probability: one listing often serves several needs, which then share it.
        """
        said = LISTING_SHARE * self.listings.probabilities(vectors)
        return np.asarray(np.sqrt(said + (1 - LISTING_SHARE) * self.messages.probabilities(vectors)), dtype=np.float32)


def train_offers(vectors: Vectors, owners: Sequence[int]) -> OfferHead:
    """Fit on the sentences of services; every need has at least one."""
    labels = np.asarray(owners, dtype=np.int32)
    count = int(labels.max()) + 1
    weights, bias = fit_regression(vectors, labels, count)
    middles = np.stack([vectors[labels == need].mean(axis=0) for need in range(count)])
    return OfferHead(weights, bias, _unit(middles))


def _unit(vectors: NDArray[np.float32]) -> Vectors:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)
