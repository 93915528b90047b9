"""One small model per matter of concern, kept as plain arrays: no library is needed to use it, and no code is loaded.

A linear part hears words and signs in the whole message and in each of its clauses. A part that compares the whole,
read by a larger sentence model, with remembered examples hears what is implied; where that model is away, the first
part judges alone, by a mix and thresholds of its own.

A head gives a chance between 0 and 1, made honest on examples it had not seen, and raises its matter from a threshold
on. Which kinds of concern a raised matter holds is told by one line per kind.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.concern.matters import KINDS_OF, Matter
from channels.conversation import Concern

Array = NDArray[np.float32]

NEARNESS = 1.0
"""Gamma of the kernel: at 1, examples on the same matter are near and all others are far."""
LOUDEST = 3
"""Clauses whose mean is looked at beside the most alarming one: one odd clause is less than three."""


@dataclass(frozen=True)
class Judgement:
    """How columns of scores become chances, one row or entry per matter."""

    mix: Array
    """What each column counts: fitted on scores of examples that were held out."""
    shift: Array
    thresholds: Array
    """Chances from which on a matter is raised."""

    def chances(self, columns: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(-((self.mix * columns).sum(axis=1) + self.shift))), dtype=np.float32)


@dataclass(frozen=True)
class Memory:
    """The comparing part: remembered examples, one a row, and what being like each of them counts for each matter."""

    support: Array
    duals: Array
    biases: Array

    def scores(self, rows: Array) -> Array:
        """One row per text, one column per matter."""
        return np.asarray(likeness(rows, self.support) @ self.duals + self.biases, dtype=np.float32)


@dataclass(frozen=True)
class Lines:
    """Linear parts: one row, or entry, per matter or per kind."""

    dense: Array
    grams: Array
    biases: Array

    def scores(self, dense: Array, grams: tuple[NDArray[np.int32], Array]) -> Array:
        places, weights = grams
        return np.asarray(self.dense @ dense + self.grams[:, places] @ weights + self.biases, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Heads:
    matters: tuple[Matter, ...]
    kinds: tuple[Concern, ...]
    """Those that have a line in `naming`."""
    lines: Lines
    alone: Judgement
    naming: Lines
    memory: Memory | None = None
    together: Judgement | None = None
    """Judges both parts; it is there when `memory` is."""

    def kinds_of(self, matter: Matter, named: Array) -> list[Concern]:
        """The kinds whose line is above nothing, and the highest in any case."""
        scores = {kind: named[self.kinds.index(kind)] for kind in KINDS_OF[matter] if kind in self.kinds}
        best = max(scores, key=lambda kind: float(scores[kind]))
        return [kind for kind in scores if kind is best or scores[kind] > 0]

    def save(self, path: Path) -> None:
        """Whole or not at all: a reader never sees half a file."""
        scratch = path.with_suffix(f".{os.getpid()}.tmp.npz")
        parts: dict[str, Any] = {"matters": np.array(list(map(str, self.matters)))}
        parts["kinds"] = np.array(list(map(str, self.kinds)))
        for name in PARTS:
            part = getattr(self, name)
            if part is not None:
                parts |= {f"{name}_{field.name}": getattr(part, field.name) for field in fields(part)}
        shortened: dict[str, Any] = {name: shorten(name, array) for name, array in parts.items()}
        np.savez_compressed(scratch, **shortened)
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path) -> Heads:
        """Raises OSError or ValueError when the file is missing or is not one of ours."""
        with np.load(path, allow_pickle=False) as kept:
            arrays = dict(kept)
        try:
            parts = {
                name: take(kind, name, arrays)
                for name, kind in PARTS.items()
                if name in ALWAYS or "memory_duals" in arrays
            }
            return cls(
                matters=tuple(Matter(str(one)) for one in arrays["matters"]),
                kinds=tuple(Concern(str(one)) for one in arrays["kinds"]),
                **parts,
            )
        except KeyError as missing:
            raise ValueError(f"{path.name} holds no {missing}") from None


PARTS: dict[str, Any] = {
    "lines": Lines, "alone": Judgement, "naming": Lines, "memory": Memory, "together": Judgement,
}  # fmt: skip
ALWAYS = ("lines", "alone", "naming")
HALVED = ("lines_grams", "naming_grams", "memory_support")
"""Large, and good enough in 16 bits."""


def shorten(name: str, array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float16) if name in HALVED else array


def take(kind: Any, name: str, arrays: Mapping[str, NDArray[Any]]) -> Any:
    return kind(**{field.name: arrays[f"{name}_{field.name}"].astype(np.float32) for field in fields(kind)})


def likeness(rows: Array, support: Array) -> Array:
    """Between 0 and 1: how near each row is to each remembered example (a Gaussian kernel)."""
    apart = (rows**2).sum(axis=1)[:, None] + (support**2).sum(axis=1)[None] - 2 * rows @ support.T
    return np.asarray(np.exp(-NEARNESS * np.maximum(apart, 0)), dtype=np.float32)


def summarise(whole: Array, windows: Array, second: Array | None = None) -> Array:
    """One row per matter: the score of the whole beside those of its windows (windows x matters) and the second part.

    A danger said in one clause of a long story is told from a long story of bad days by how the two differ, so
    whether there are windows at all is a column, alone and with the scores.
    """
    some = windows if len(windows) else whole[None]
    loudest = np.sort(some, axis=0)[::-1]
    several = np.full(len(whole), float(len(windows) > 0))
    columns = [
        whole, loudest[0], loudest[:LOUDEST].mean(axis=0), some.mean(axis=0),
        several, np.full(len(whole), np.log1p(len(windows))), several * whole, several * loudest[0],
        *([] if second is None else [second]),
    ]  # fmt: skip
    return np.asarray(np.column_stack(columns), dtype=np.float32)


def rows_of(kinds: Sequence[Concern], labels: Sequence[frozenset[Concern]]) -> NDArray[np.bool_]:
    """One row per example, one column per kind."""
    return np.array([[kind in label for kind in kinds] for label in labels], dtype=np.bool_)
