"""The examples as numbers, ready to be fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.concern.examples import Example
from bot.concern.features import GRAMS, KINDS, Features, describe, split_windows
from bot.concern.heads import Array, rows_of
from knowledge.embedding import Encoder

LONG = 4
"""Windows from which on a text is long: most of it may be about something else than what it was written for."""


@dataclass(frozen=True)
class Material:
    """Row `at` is the whole of example `at`; `windows[at]` are the rows of its windows."""

    dense: Array
    grams: Any
    windows: tuple[tuple[int, ...], ...]
    labels: NDArray[np.bool_]
    """One column for each of KINDS."""
    hard: NDArray[np.bool_]
    picked: NDArray[np.bool_]

    @property
    def matched(self) -> NDArray[np.bool_]:
        """Whether the patterns raise anything in the whole of each example."""
        return np.asarray(self.dense[: len(self.labels), -len(KINDS) :].any(axis=1))

    @property
    def is_short(self) -> NDArray[np.bool_]:
        return np.array([len(some) < LONG for some in self.windows])

    def rows(self) -> Any:
        """All numbers that a linear part reads, one row a text."""
        from scipy.sparse import csr_matrix, hstack

        return hstack([csr_matrix(self.dense), self.grams]).tocsr()

    def with_windows(self, examples: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.array([row for at in examples for row in (at, *self.windows[at])], np.intp)


def prepare(examples: Sequence[Example], encoder: Encoder) -> Material:
    from scipy.sparse import csr_matrix

    texts = [one.text for one in examples]
    windows = [split_windows(text) for text in texts]
    rows = describe([*texts, *(window for some in windows for window in some)], encoder)
    ends = np.cumsum([len(some) for some in windows]) + len(texts)
    return Material(
        dense=np.stack([one.dense for one in rows]),
        grams=stack_grams(rows, csr_matrix),
        windows=tuple(tuple(range(end - len(some), end)) for end, some in zip(ends, windows, strict=True)),
        labels=rows_of(KINDS, [one.kinds for one in examples]),
        hard=np.array([one.is_hard for one in examples]),
        picked=np.array([one.is_picked for one in examples]),
    )


def stack_grams(rows: Sequence[Features], csr_matrix: Any) -> Any:
    starts = np.cumsum([0, *(len(one.grams[0]) for one in rows)])
    places = np.concatenate([one.grams[0] for one in rows])
    weights = np.concatenate([one.grams[1] for one in rows])
    return csr_matrix((weights, places, starts), shape=(len(rows), GRAMS))
