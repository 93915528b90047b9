"""How well each service fits a message: pure arithmetic over an index.

    first = 0.4 needs + 0.3 likeness to the listing one would hope for + 0.15 name and description
            + 0.15 best label + a little BM25
    score = first + up to 0.6 likeness to the listings that are best by the first

Each part is in standard deviations over the whole catalogue, so that none drowns the others. The weights are
flat: any of them half as big again changes the second decimal of what `evaluate` measures. The second round is
what carries over from one listing to the next: a catalogue holds many that do the same work, described in as many
ways, and those the message itself does not resemble are near those it does. It counts by the share of listings that
nobody tagged: needs that an editor chose already say which listings do the same work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.index import Field, Index

NEEDS_WEIGHT = 0.4
HOPED_WEIGHT = 0.3
ABOUT_WEIGHT = 0.15
LABEL_WEIGHT = 0.15
LEXICAL_WEIGHT = 0.05
KIN_WEIGHT = 0.6
KIN_SHARE, FEWEST_KIN, MOST_KIN = 0.01, 5, 50
"""How many of the best the second round looks for the like of: this share of the catalogue, within these bounds.
In a small catalogue few listings do the same work, and more would blur what they have in common."""
SOFTEN = 0.5
"""Exponent on need probabilities: the second and third guess count too, or one wrong guess hides everything."""
HEARD = 0.3
"""Sum of the need probabilities from which needs count in full; below it the message may be about something else."""
NEAREST_VECTORS = 256
NEED_CANDIDATES = 200
LEXICAL_CANDIDATES = 50

Array = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class View:
    """A message seen in one way: a vector, and one probability per need."""

    vector: Array
    chances: Array


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one view says of some services, one value each."""

    scores: Array
    about: Array
    """Cosine of the message and name + description."""
    names: Array
    """Cosine of the message and the name alone."""
    agreement: Array
    """How far its needs are those of the message, in standard deviations; 0 when the message names none."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """The services worth a look (positions in `Index.services`, in order), and the evidence of each view."""

    rows: Rows
    evidence: Mapping[str, Evidence]


def look(index: Index, views: Mapping[str, View], text: str, always: Rows) -> Sight:
    """Find and score the services that any view speaks for, and those in `always`."""
    lexical = index.lexical.scores(text)
    hoped = [index.offers.hoped_for(_shares(view.chances)) for view in views.values()]
    vectors = np.stack([*(view.vector for view in views.values()), *hoped])
    agreements = {name: agree(index, view.chances) for name, view in views.items()}
    _similar, ids = index.vectors.search(vectors, min(NEAREST_VECTORS, index.vectors.ntotal))
    rows = np.unique(
        np.concatenate(
            [
                index.owners[ids].ravel(),
                *(_best(agreement, NEED_CANDIDATES) for agreement in agreements.values()),
                _best(lexical, LEXICAL_CANDIDATES),
                always,
            ]
        )
    ).astype(np.int64)
    words = standardised(lexical)[rows]
    listings = _read(index, rows)
    cosines = _cosines(vectors, listings)
    evidence = {}
    for at, (name, view) in enumerate(views.items()):
        names, about, label = cosines[Field.NAME, at], cosines[Field.ABOUT, at], cosines[Field.LABEL, at]
        heard = np.float32(min(1.0, float(view.chances.sum()) / HEARD))
        agreement = standardised(agreements[name])[rows] * heard
        likeness = _unusual(index, Field.ABOUT, hoped[at], cosines[Field.ABOUT, len(views) + at]) * heard
        scores = (
            NEEDS_WEIGHT * agreement
            + HOPED_WEIGHT * likeness
            + ABOUT_WEIGHT * _unusual(index, Field.ABOUT, view.vector, about)
            + LABEL_WEIGHT * _unusual(index, Field.LABEL, view.vector, label)
            + LEXICAL_WEIGHT * words
        )
        scores += KIN_WEIGHT * index.roll.untagged * _kinship(index, listings.abouts, scores)
        evidence[name] = Evidence(
            scores=scores.astype(np.float32), about=about, names=names, agreement=agreement.astype(np.float32)
        )
    return Sight(rows=rows, evidence=evidence)


def agree(index: Index, chances: Array) -> Array:
    """How far the needs each service of the catalogue carries are those the message is about."""
    return np.asarray(index.carried @ _shares(chances), dtype=np.float32)


def _shares(chances: Array) -> Array:
    soft = np.power(np.clip(chances, 0.0, 1.0), SOFTEN)
    total = float(soft.sum())
    return np.asarray(soft / total if total else soft, dtype=np.float32)


def standardised(values: Array) -> Array:
    """In standard deviations from the mean; all 0 when there is nothing to tell apart."""
    deviation = float(values.std())
    return np.asarray((values - values.mean()) / deviation if deviation > 1e-9 else values * 0, dtype=np.float32)


def _best(values: Array, count: int) -> Rows:
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(-values, count)[:count]


@dataclass(frozen=True, kw_only=True)
class _Listings:
    """The stored vectors of some services, side by side."""

    vectors: Array
    position: Rows
    """Of each vector, which of the services it belongs to."""
    fields: NDArray[np.int8]

    @property
    def abouts(self) -> Array:
        """That of name and description: every service has one."""
        return np.asarray(self.vectors[self.fields == Field.ABOUT], dtype=np.float32)


def _read(index: Index, rows: Rows) -> _Listings:
    starts = np.searchsorted(index.owners, rows, side="left")
    ends = np.searchsorted(index.owners, rows, side="right")
    ids = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
    return _Listings(
        vectors=index.vectors.reconstruct_batch(ids.astype(np.int64)),
        position=np.repeat(np.arange(len(rows)), ends - starts),
        fields=index.fields[ids],
    )


def _cosines(vectors: Array, listings: _Listings) -> Array:
    """[field, view, row]: the best cosine of each field, exact, from the stored vectors.

    A service without labels is given that of its name and description, so that it is not punished.
    """
    similar = vectors @ listings.vectors.T
    best = np.full((len(Field), len(vectors), int(listings.position[-1]) + 1), -2.0, dtype=np.float32)
    for field in Field:
        chosen = listings.fields == field
        for view in range(len(vectors)):
            np.maximum.at(best[field, view], listings.position[chosen], similar[view, chosen])
    best[Field.LABEL] = np.where(best[Field.LABEL] < -1.5, best[Field.ABOUT], best[Field.LABEL])
    return best


def _kinship(index: Index, abouts: Array, scores: Array) -> Array:
    """How much each listing is like those with the best scores (pseudo-relevance feedback, as Rocchio's)."""
    few = int(np.clip(KIN_SHARE * len(index.services), FEWEST_KIN, MOST_KIN))
    middle = abouts[_best(scores, few)].mean(axis=0)
    length = float(np.linalg.norm(middle))
    if length < 1e-6:
        return np.zeros_like(scores)
    middle = middle / length
    return _unusual(index, Field.ABOUT, middle, abouts @ middle)


def _unusual(index: Index, field: Field, query: Array, similar: Array) -> Array:
    spread = index.spreads.get(field) or index.spreads.get(Field.ABOUT)  # nobody has a label: `_cosines` took the text
    return spread.standardise(query, similar) if spread else np.zeros_like(similar)
