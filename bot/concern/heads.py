"""One small model per kind of concern, kept as plain arrays: no library is needed to use it, and no code is loaded.

A linear part hears single words and signs, a part that compares with remembered examples hears what is implied.

A head gives a chance between 0 and 1, made honest on examples it had not seen, and raises its kind from a threshold on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from channels.conversation import Concern

Array = NDArray[np.float32]

NEARNESS = 2.0
"""Gamma of the kernel: at 2, examples on the same matter are near and all others are far."""
LOUDEST = 3
"""Clauses whose mean is looked at beside the most alarming one: one odd clause is less than three."""


@dataclass(frozen=True, kw_only=True)
class Heads:
    """One row per kind in `dense` to `mix`, but an example a row in `support`; one entry per kind in the others."""

    kinds: tuple[Concern, ...]
    dense: Array
    grams: Array
    support: Array
    duals: Array
    """How much being like each remembered example counts."""
    biases: Array
    """Of the two parts."""
    mix: Array
    """How a message is judged from its whole and its clauses: fitted on scores of examples that were held out."""
    shift: Array
    thresholds: Array
    """Chances from which on a kind is raised."""

    def score(self, dense: Array, grams: tuple[NDArray[np.int32], Array]) -> Array:
        """One row per kind for one text: what the linear part says, and what the remembered examples say."""
        places, weights = grams
        linear = self.dense @ dense + self.grams[:, places] @ weights
        alike = self.duals @ likeness(dense[None], self.support)[0]
        return np.asarray(np.stack([linear, alike], axis=1) + self.biases, dtype=np.float32)

    def chances(self, whole: Array, windows: Array) -> Array:
        """One chance per kind, from the scores of a whole message and of its windows."""
        judged = (self.mix * summarise(whole, windows)).sum(axis=1) + self.shift
        return np.asarray(1.0 / (1.0 + np.exp(-judged)), dtype=np.float32)

    def raised(self, chances: Array) -> list[Concern]:
        above = np.flatnonzero(chances >= self.thresholds)
        return [self.kinds[int(at)] for at in above]

    def save(self, path: Path) -> None:
        """Whole or not at all: a reader never sees half a file."""
        scratch = path.with_suffix(f".{os.getpid()}.tmp.npz")
        np.savez_compressed(
            scratch,
            kinds=np.array([str(kind) for kind in self.kinds]),
            dense=self.dense, grams=self.grams.astype(np.float16), biases=self.biases,
            support=self.support.astype(np.float16), duals=self.duals,
            mix=self.mix, shift=self.shift, thresholds=self.thresholds,
        )  # fmt: skip
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path) -> Heads:
        """Raises OSError or ValueError when the file is missing or is not one of ours."""
        with np.load(path, allow_pickle=False) as kept:
            try:
                return cls(
                    kinds=tuple(Concern(str(kind)) for kind in kept["kinds"]),
                    grams=kept["grams"].astype(np.float32),
                    support=kept["support"].astype(np.float32),
                    **{name: kept[name] for name in ("dense", "duals", "biases", "mix", "shift", "thresholds")},
                )
            except KeyError as missing:
                raise ValueError(f"{path.name} holds no {missing}") from None


def likeness(rows: Array, support: Array) -> Array:
    """Between 0 and 1: how near each row is to each remembered example (a Gaussian kernel)."""
    apart = (rows**2).sum(axis=1)[:, None] + (support**2).sum(axis=1)[None] - 2 * rows @ support.T
    return np.asarray(np.exp(-NEARNESS * np.maximum(apart, 0)), dtype=np.float32)


def summarise(whole: Array, windows: Array) -> Array:
    """One row per kind: the scores of the whole (kinds x parts) beside those of its windows (windows x kinds x parts).

    A danger said in one clause of a long story is told from a long story of bad days by how the two differ, so
    whether there are windows at all is a column, alone and with the scores.
    """
    some = windows if len(windows) else whole[None]
    loudest = np.sort(some.sum(axis=2), axis=0)[::-1]
    several = np.full(len(whole), float(len(windows) > 0))
    columns = [
        whole, some.max(axis=0), loudest[:LOUDEST].mean(axis=0), some.mean(axis=0).sum(axis=1),
        several, np.full(len(whole), np.log1p(len(windows))), several * whole.sum(axis=1), several * loudest[0],
    ]  # fmt: skip
    return np.asarray(np.column_stack(columns), dtype=np.float32)


def rows_of(kinds: Sequence[Concern], labels: Sequence[frozenset[Concern]]) -> NDArray[np.bool_]:
    """One row per example, one column per kind."""
    return np.array([[kind in label for kind in kinds] for label in labels], dtype=np.bool_)
