"""A small model of how people say what they need: sentence vectors to probabilities.

A logistic regression over the vectors of the phrasings, joined with the mean of the three nearest
phrasings. It trains in a second or two and is kept as plain arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Vectors = NDArray[np.float32]
"""One unit vector a row."""

STRENGTH = 10.0
"""C of the logistic regression: chosen by cross-validation, flat between 3 and 30."""
NEAREST = 3
NEAREST_WEIGHT = 10.0
FOLDS = 3
TEMPERATURES = np.arange(0.3, 2.01, 0.1)
UNFAMILIAR, FAMILIAR = 0.30, 0.50
"""Similarity to the nearest phrasing below which a message says nothing we know, and above which it surely does."""
SECOND_SHARE = 0.7
"""Share of a second opinion in what the whole message is about. On held-back phrasings 0.7 does as well as 1, and what
one model misreads the other may not."""
CLAUSE_WEIGHT = 0.85
FEW_CLAUSES = 3
"""Up to so many clauses each speaks at full weight. Of more, one is easily about something by accident: a clause of a
long message must be surer, but one that is sure is heard wherever it stands."""


class NeedHead:
    """Needs to probabilities. Built by `train_head`; saved and loaded as arrays, never as code."""

    def __init__(self, weights: Array, bias: Array, phrasings: Vectors, owners: NDArray[np.int32], heat: float) -> None:
        self.weights = weights
        self.bias = bias
        self.phrasings = phrasings
        self.owners = owners
        self.heat = heat
        self._starts = np.searchsorted(owners, np.arange(len(bias)))

    def probabilities(self, vectors: Vectors) -> Array:
        """One row per vector, one column per need. A row sums to 1 when the message is familiar, to less when not."""
        similar = vectors @ self.phrasings.T
        logits = vectors @ self.weights.T + self.bias + NEAREST_WEIGHT * self._nearest(similar)
        chances = softmax(np.float32(self.heat) * logits)
        known = np.clip((similar.max(axis=1) - UNFAMILIAR) / (FAMILIAR - UNFAMILIAR), 0.0, 1.0)
        return np.asarray(chances * known[:, None], dtype=np.float32)

    def read_message(self, vectors: Vectors, second: Array | None = None) -> tuple[Array, NDArray[np.int64]]:
        """One probability per need for a message, and the row that spoke for each need.

        Row 0 is the whole message, the others its clauses. Several needs in one message do not compete:
        the best clause speaks for each. `second` is another model's opinion of the whole message.
        """
        rows = self.probabilities(vectors)
        if second is not None:
            rows[0] = (1 - SECOND_SHARE) * rows[0] + SECOND_SHARE * second
        rows[1:] = CLAUSE_WEIGHT * rows[1:] ** max(1.0, (len(rows) - 1) / FEW_CLAUSES)
        return np.asarray(rows.max(axis=0), dtype=np.float32), rows.argmax(axis=0)

    def save(self, path: Path) -> None:
        np.savez(
            path,
            weights=self.weights,
            bias=self.bias,
            phrasings=self.phrasings,
            owners=self.owners,
            heat=np.float32(self.heat),
        )

    @classmethod
    def load(cls, path: Path) -> NeedHead:
        with np.load(path, allow_pickle=False) as kept:
            return cls(kept["weights"], kept["bias"], kept["phrasings"], kept["owners"], float(kept["heat"]))

    def _nearest(self, similar: Array) -> Array:
        """Mean similarity of the nearest phrasings of each need."""
        return _nearest_means(similar, self._starts, len(self.bias))


def train_head(vectors: Vectors, owners: Sequence[int]) -> NeedHead:
    """Fit the head, and the temperature that makes its probabilities honest on phrasings it has not seen."""
    labels = np.asarray(owners, dtype=np.int32)
    count = int(labels.max()) + 1
    heat = _fit_heat(vectors, labels, count)
    weights, bias = fit_regression(vectors, labels, count)
    return NeedHead(weights, bias, vectors.astype(np.float32), labels, heat)


def fit_regression(vectors: Vectors, labels: NDArray[np.int32], count: int) -> tuple[Array, Array]:
    """Weights and bias of a logistic regression over unit vectors, one row for each label."""
    if count == 1:
        return np.zeros((1, vectors.shape[1]), np.float32), np.zeros(1, np.float32)
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    with threadpool_limits(1):
        model = LogisticRegression(C=STRENGTH, max_iter=300).fit(vectors, labels)
    weights, bias = model.coef_, model.intercept_
    if count == 2:  # scikit-learn keeps one row for two classes
        weights, bias = np.vstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
    return weights.astype(np.float32), bias.astype(np.float32)


def _fit_heat(vectors: Vectors, labels: NDArray[np.int32], count: int) -> float:
    fold = np.arange(len(labels)) % FOLDS
    held_out = np.zeros((len(labels), count), np.float32)
    for each in range(FOLDS):
        train, test = fold != each, fold == each
        if len(np.unique(labels[train])) < count or not test.any():
            return 1.0
        weights, bias = fit_regression(vectors[train], labels[train], count)
        starts = np.searchsorted(labels[train], np.arange(count))
        near = _nearest_means(vectors[test] @ vectors[train].T, starts, count)
        held_out[test] = vectors[test] @ weights.T + bias + NEAREST_WEIGHT * near
    rows = np.arange(len(labels))
    losses = [-np.log(softmax(held_out * heat)[rows, labels] + 1e-9).mean() for heat in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _nearest_means(similar: Array, starts: NDArray[np.intp], count: int) -> Array:
    means = np.zeros((len(similar), count), np.float32)
    ends = [*starts[1:], similar.shape[1]]
    for position, (start, end) in enumerate(zip(starts, ends, strict=True)):
        block = similar[:, start:end]
        take = min(NEAREST, block.shape[1])
        means[:, position] = np.partition(block, block.shape[1] - take, axis=1)[:, -take:].mean(axis=1)
    return means


def softmax(logits: Array) -> Array:
    """Each row as probabilities."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)
