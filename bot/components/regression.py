"""Multinomial logistic regression kept as plain arrays: no pickle, so loading a model runs no code. No Rasa here.

What a message means and how it is worded are learnt apart and joined: learnt together, the counts of words took over
and fitting took five times as long. The weighted sum of two linear models is one linear model, so one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import numpy as np

STRENGTH = 10.0
"""Inverse of the regularisation (C), chosen on a public intent set with 10 and 20 examples an intent."""
WORDING_SHARE = 0.3
"""How much the wording counts; the meaning has the rest. 0.5 was as good on held-back messages, 0 clearly worse."""


@dataclass(frozen=True)
class Regression:
    """Weights of shape [labels, dimensions], biases [labels]; `labels` sorted."""

    labels: Tuple[str, ...]
    weights: np.ndarray
    biases: np.ndarray

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Rows of softmax over the labels."""
        scores = vectors.astype(np.float64) @ self.weights.T + self.biases
        scores -= scores.max(axis=1, keepdims=True)
        exponents = np.exp(scores)
        return exponents / exponents.sum(axis=1, keepdims=True)

    def rank(self, vector: np.ndarray, most: int) -> List[Tuple[str, float]]:
        """The likeliest labels of one vector, best first."""
        row = self.probabilities(vector.reshape(1, -1))[0]
        return [(self.labels[i], float(row[i])) for i in np.argsort(-row, kind="stable")[:most]]


def fit(
    vectors: np.ndarray, labels: Sequence[str], strength: float = STRENGTH, meaning: Optional[int] = None
) -> Regression:
    """Deterministic: the same vectors and labels give the same arrays. Needs at least three labels.

    Of each row the first `meaning` columns are the sentence vector and the rest, if there is any, the wording.
    """
    width = vectors.shape[1] if meaning is None else min(meaning, vectors.shape[1])
    by_meaning = fit_columns(vectors[:, :width], labels, strength)
    if width == vectors.shape[1]:
        return by_meaning
    by_wording = fit_columns(vectors[:, width:], labels, strength)
    rest = 1 - WORDING_SHARE
    return Regression(
        labels=by_meaning.labels,
        weights=np.hstack([rest * by_meaning.weights, WORDING_SHARE * by_wording.weights]),
        biases=rest * by_meaning.biases + WORDING_SHARE * by_wording.biases,
    )


def fit_columns(vectors: np.ndarray, labels: Sequence[str], strength: float) -> Regression:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    mostly_zero = np.count_nonzero(vectors) * 10 < vectors.size
    rows = vectors.astype(np.float64)
    model = LogisticRegression(
        C=strength, solver="lbfgs", multi_class="multinomial", max_iter=1000, tol=1e-4, random_state=0
    )
    model.fit(csr_matrix(rows) if mostly_zero else rows, list(labels))
    return Regression(
        labels=tuple(str(label) for label in model.classes_),
        weights=model.coef_.astype(np.float32),
        biases=model.intercept_.astype(np.float32),
    )


def save(regression: Regression, path: Path) -> None:
    np.savez(path, labels=np.array(regression.labels), weights=regression.weights, biases=regression.biases)


def load(path: Path) -> Regression:
    """Raises ValueError for a file that holds anything but plain arrays, OSError when it is not there."""
    with np.load(path, allow_pickle=False) as arrays:
        return Regression(
            labels=tuple(str(label) for label in arrays["labels"]),
            weights=arrays["weights"],
            biases=arrays["biases"],
        )
