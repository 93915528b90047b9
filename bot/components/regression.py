"""Multinomial logistic regression kept as plain arrays: no pickle, so loading a model runs no code. No Rasa here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np

STRENGTH = 10.0
"""Inverse of the regularisation (C), chosen on a public intent set with 10 and 20 examples an intent."""


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


def fit(vectors: np.ndarray, labels: Sequence[str], strength: float = STRENGTH) -> Regression:
    """Deterministic: the same vectors and labels give the same arrays. Needs at least three labels."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=strength, solver="lbfgs", multi_class="multinomial", max_iter=1000, tol=1e-4, random_state=0
    )
    model.fit(vectors.astype(np.float64), list(labels))
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
