"""What a search must know of every service at once, and the file the rest is read from when it is needed.

A message is answered from a few hundred services, so a snapshot keeps whole listings on disk, one JSON line each, and
in memory only what is looked through for every message: ids, names, which are national lines, what each is mainly for.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import BinaryIO, overload

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Area, Kind, Service, service_from_dict, service_to_dict
from knowledge.splicing import Splice

KEPT_READY = 4096
"""Listings that stay in memory once read."""
LISTINGS, OFFSETS, ROLL = "services.jsonl", "offsets.npy", "roll.json"


@dataclass(frozen=True, kw_only=True)
class Roll:
    """One value per service, in the order of the index."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    organisations: tuple[str, ...]
    lines: tuple[int, ...]
    """Rows of national lines."""
    mainly: tuple[str, ...]
    """The need each is mainly for; empty when it has none."""
    middle: tuple[float, float] | None
    """Latitude and longitude of the median location."""

    @cached_property
    def untagged(self) -> float:
        """The share of services that nobody gave a need."""
        return self.mainly.count("") / max(1, len(self.mainly))

    @classmethod
    def of(cls, services: Iterable[Service], middle: tuple[float, float] | None) -> Roll:
        """`middle` is `Trail.middle`: it is of all their locations together."""
        ids, names, organisations, lines, mainly = [], [], [], [], []
        for row, service in enumerate(services):
            ids.append(service.id)
            names.append(service.name)
            organisations.append(service.organisation.name)
            mainly.append(service.needs[0] if service.needs else "")
            if service.kind is Kind.LINE and service.area is Area.NATIONAL:
                lines.append(row)
        return cls(
            ids=tuple(ids),
            names=tuple(names),
            organisations=tuple(organisations),
            lines=tuple(lines),
            mainly=tuple(mainly),
            middle=middle,
        )

    def spliced(self, splice: Splice, fresh: Roll, middle: tuple[float, float] | None) -> Roll:
        national = [np.isin(np.arange(len(each.ids)), each.lines) for each in (self, fresh)]
        return Roll(
            ids=splice.values(self.ids, fresh.ids),
            names=splice.values(self.names, fresh.names),
            organisations=splice.values(self.organisations, fresh.organisations),
            lines=tuple(np.flatnonzero(splice.rows(national[0], national[1])).tolist()),
            mainly=splice.values(self.mainly, fresh.mainly),
            middle=middle,
        )


class ListingFile(Sequence[Service]):
    """Services in a file that is mapped into memory; each is parsed when it is asked for, and kept for a while."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError or ValueError when the files are missing or do not belong together."""
        self._offsets: NDArray[np.int64] = np.load(folder / OFFSETS, mmap_mode="r", allow_pickle=False)
        with (folder / LISTINGS).open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if int(self._offsets[-1]) != len(self._bytes):
            raise ValueError("the listings are cut off")
        offsets, lines = self._offsets, self._bytes

        @lru_cache(maxsize=KEPT_READY)
        def read(
            row: int,
        ) -> Service:  # not a method: a listing that holds itself keeps its file mapped when it is left
            return _parse(lines, offsets, row)

        self._read = read

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, row: int) -> Service: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Service]: ...
    def __getitem__(self, row: int | slice) -> Service | Sequence[Service]:
        if isinstance(row, slice):
            return tuple(self[each] for each in range(*row.indices(len(self))))
        row = int(row) + (len(self) if row < 0 else 0)
        if not 0 <= row < len(self):
            raise IndexError(row)
        return self._read(row)

    def __iter__(self) -> Iterator[Service]:
        return (_parse(self._bytes, self._offsets, row) for row in range(len(self)))

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each line begins, and the end of the last."""
        return self._offsets

    def lines(self, start: int, stop: int) -> bytes:
        """The lines of some neighbouring rows, as they are."""
        return self._bytes[int(self._offsets[start]) : int(self._offsets[stop])]


class SplicedListings(Sequence[Service]):
    """Most of another sequence of services, with some fresh ones among them. Nothing is parsed before it is asked."""

    def __init__(self, splice: Splice, old: Sequence[Service], fresh: Sequence[Service]) -> None:
        self._splice, self._old, self._fresh = splice, old, fresh

    def __len__(self) -> int:
        return len(self._splice.sources)

    @overload
    def __getitem__(self, row: int) -> Service: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Service]: ...
    def __getitem__(self, row: int | slice) -> Service | Sequence[Service]:
        if isinstance(row, slice):
            return tuple(self[each] for each in range(*row.indices(len(self))))
        source = int(self._splice.sources[row])
        return self._old[source] if source < self._splice.old else self._fresh[source - self._splice.old]

    def write(self, folder: Path) -> list[int]:
        """Lines of the old file are copied as they are; where each line begins."""
        offsets = [0]
        with (folder / LISTINGS).open("wb") as file:
            for run in self._splice.runs:
                if not run.fresh and isinstance(self._old, ListingFile):
                    file.write(self._old.lines(run.start, run.stop))
                    begins = self._old.offsets[run.start + 1 : run.stop + 1] - self._old.offsets[run.start]
                    offsets.extend((begins + offsets[-1]).tolist())
                else:
                    _write_lines((self._fresh if run.fresh else self._old)[run.start : run.stop], file, offsets)
        return offsets


def write_listings(services: Iterable[Service], roll: Roll, folder: Path) -> None:
    """One JSON line a service, where each begins, and the roll."""
    if isinstance(services, SplicedListings):
        offsets = services.write(folder)
    else:
        offsets = [0]
        with (folder / LISTINGS).open("wb") as file:
            _write_lines(services, file, offsets)
    np.save(folder / OFFSETS, np.array(offsets, dtype=np.int64))
    body = {name: getattr(roll, name) for name in ("ids", "names", "organisations", "lines", "mainly", "middle")}
    (folder / ROLL).write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def read_roll(folder: Path) -> Roll:
    """Raises OSError, ValueError, KeyError or TypeError."""
    body = json.loads((folder / ROLL).read_text(encoding="utf-8"))
    middle = body.pop("middle")
    columns = {name: tuple(values) for name, values in body.items()}
    return Roll(middle=None if middle is None else (float(middle[0]), float(middle[1])), **columns)


def _parse(lines: mmap.mmap, offsets: NDArray[np.int64], row: int) -> Service:
    return service_from_dict(json.loads(lines[int(offsets[row]) : int(offsets[row + 1])]))


def _write_lines(services: Iterable[Service], file: BinaryIO, offsets: list[int]) -> None:
    for service in services:
        line = json.dumps(service_to_dict(service), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        offsets.append(offsets[-1] + file.write(line))
