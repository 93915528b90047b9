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
WINDOW_WEIGHT = 1 / 3
"""What the most alarming clause counts against the whole message: at 1, stories of bad days raise false alarms."""


@dataclass(frozen=True, kw_only=True)
class Heads:
    """One row per kind in `dense`, `grams` and `duals`, one entry in the others, one example a row in `support`."""

    kinds: tuple[Concern, ...]
    dense: Array
    grams: Array
    support: Array
    duals: Array
    """How much being like each remembered example counts."""
    bias: Array
    slope: Array
    """Chance = 1 / (1 + exp(-(slope * score + shift))): fitted on scores of examples that were held out."""
    shift: Array
    thresholds: Array
    """Chances from which on a kind is raised."""

    def score(self, dense: Array, grams: tuple[NDArray[np.int32], Array]) -> Array:
        """One score per kind for one text."""
        places, weights = grams
        linear = self.dense @ dense + self.grams[:, places] @ weights
        alike = self.duals @ likeness(dense[None], self.support)[0]
        return np.asarray(linear + alike + self.bias, dtype=np.float32)

    def chances(self, scores: Array) -> Array:
        """One chance per kind, from the scores of a whole message."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * scores + self.shift))), dtype=np.float32)

    def raised(self, chances: Array) -> list[Concern]:
        above = np.flatnonzero(chances >= self.thresholds)
        return [self.kinds[int(at)] for at in above]

    def save(self, path: Path) -> None:
        """Whole or not at all: a reader never sees half a file."""
        scratch = path.with_suffix(f".{os.getpid()}.tmp.npz")
        np.savez_compressed(
            scratch,
            kinds=np.array([str(kind) for kind in self.kinds]),
            dense=self.dense, grams=self.grams.astype(np.float16), bias=self.bias,
            support=self.support.astype(np.float16), duals=self.duals,
            slope=self.slope, shift=self.shift, thresholds=self.thresholds,
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
                    **{name: kept[name] for name in ("dense", "duals", "bias", "slope", "shift", "thresholds")},
                )
            except KeyError as missing:
                raise ValueError(f"{path.name} holds no {missing}") from None


def likeness(rows: Array, support: Array) -> Array:
    """Between 0 and 1: how near each row is to each remembered example (a Gaussian kernel)."""
    apart = (rows**2).sum(axis=1)[:, None] + (support**2).sum(axis=1)[None] - 2 * rows @ support.T
    return np.asarray(np.exp(-NEARNESS * np.maximum(apart, 0)), dtype=np.float32)


def weigh(whole: Array, windows: Array) -> Array:
    """The scores of a message from those of its whole and of its windows, one a row: the context counts for most."""
    best = np.maximum(whole, windows.max(axis=0)) if len(windows) else whole
    return np.asarray((1 - WINDOW_WEIGHT) * whole + WINDOW_WEIGHT * best, dtype=np.float32)


def rows_of(kinds: Sequence[Concern], labels: Sequence[frozenset[Concern]]) -> NDArray[np.bool_]:
    """One row per example, one column per kind."""
    return np.array([[kind in label for kind in kinds] for label in labels], dtype=np.bool_)
