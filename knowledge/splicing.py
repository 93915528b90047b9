"""How the columns of one table are put together from those of another and some fresh rows. Pure.

Most of a catalogue stays as it is between two publications, so nearly everything is copied in a few long runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value")


@dataclass(frozen=True)
class Run:
    """Neighbouring rows, `start` up to `stop`, of the old table or of the fresh rows."""

    fresh: bool
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Splice:
    """The new table, as runs. `old` is the number of rows of the old one."""

    old: int
    sources: NDArray[np.int64]
    """For each new row its row in the old table, or `old` and more for the fresh ones."""
    runs: tuple[Run, ...]

    @classmethod
    def of(cls, old: int, sources: Sequence[int]) -> Splice:
        rows = np.asarray(sources, dtype=np.int64)
        breaks = np.flatnonzero((np.diff(rows) != 1) | (rows[1:] == old)) + 1
        edges = [0, *breaks.tolist(), len(rows)] if len(rows) else [0]
        runs = []
        for start, stop in pairwise(edges):
            first, fresh = int(rows[start]), bool(rows[start] >= old)
            first -= old if fresh else 0
            runs.append(Run(fresh, first, first + stop - start))
        return cls(old=old, sources=rows, runs=tuple(runs))

    def rows(self, old: NDArray[Any], fresh: NDArray[Any]) -> NDArray[Any]:
        """One value, or one row, for each row."""
        pieces = [(fresh if run.fresh else old)[run.start : run.stop] for run in self.runs]
        return np.concatenate([np.asarray(old[:0]), *pieces])

    def values(self, old: Sequence[Value], fresh: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(chain.from_iterable((fresh if run.fresh else old)[run.start : run.stop] for run in self.runs))

    def bounds(self, old: NDArray[np.integer[Any]], fresh: NDArray[np.integer[Any]]) -> tuple[Run, ...]:
        """The runs of what is several for each row, from how many each row has."""
        ends = {False: np.concatenate([[0], np.cumsum(old)]), True: np.concatenate([[0], np.cumsum(fresh)])}
        return tuple(
            Run(run.fresh, int(ends[run.fresh][run.start]), int(ends[run.fresh][run.stop])) for run in self.runs
        )

    def several(self, old: tuple[NDArray[Any], NDArray[Any]], fresh: tuple[NDArray[Any], NDArray[Any]]) -> NDArray[Any]:
        """Several values for each row: (values, how many each row has) of either table."""
        pieces = [(fresh if run.fresh else old)[0][run.start : run.stop] for run in self.bounds(old[1], fresh[1])]
        return np.concatenate([np.asarray(old[0][:0]), *pieces])
