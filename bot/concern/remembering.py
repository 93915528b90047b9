"""The comparing part of the heads: what being like each remembered example counts, for all matters at once.

A kernel ridge regression. One inverse gives the weights of every example and, in closed form, how each fold would have
been judged by all the others, so nothing is fitted again for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.concern.heads import Array, likeness

CAUTION = 0.3
"""How much each example is doubted: at 0 it is remembered by heart."""


@dataclass(frozen=True)
class Recall:
    rows: NDArray[np.intp]
    """The examples that are remembered."""
    duals: Array
    biases: Array
    held_out: Array
    """Scores of every example by those of the other folds: examples x matters."""


def recall(dense: Array, wanted: NDArray[np.bool_], fold: NDArray[np.intp], is_short: NDArray[np.bool_]) -> Recall:
    """Long stories that hold a danger are not remembered: most of what makes another text like them is not the danger.

    Long calm ones are: everything in them is calm.
    """
    rows = np.flatnonzero(is_short | ~wanted.any(axis=1))
    alike = likeness(dense, dense[rows])
    targets = np.where(wanted[rows], 1, -1).astype(np.float32)
    biases = targets.mean(axis=0)
    inverse = invert(alike[rows])
    duals = inverse @ (targets - biases)
    held_out = np.zeros(wanted.shape, np.float32)
    for each in np.unique(fold):
        out = np.flatnonzero(fold[rows] == each)
        change = np.linalg.solve(inverse[np.ix_(out, out)], duals[out])
        kept = duals - inverse[:, out] @ change
        kept[out] = 0
        mine = np.flatnonzero(fold == each)
        held_out[mine] = alike[mine] @ kept + biases
    return Recall(rows, duals, biases, held_out)


def invert(alike: Array) -> Array:
    """Of `alike` with CAUTION on its diagonal, which makes it positive definite."""
    from scipy.linalg.lapack import spotrf, spotri

    lower, failed = spotrf(alike + CAUTION * np.eye(len(alike), dtype=np.float32), lower=1, overwrite_a=1)
    half, failed_again = spotri(lower, lower=1, overwrite_c=1)
    if failed or failed_again:
        raise ValueError("The examples' likeness cannot be inverted.")
    half = np.tril(half)
    return np.asarray(half + np.tril(half, -1).T, dtype=np.float32)
