"""What a search must know of every service at once, and the file the rest is read from when it is needed.

A message is answered from a few hundred services, so a snapshot keeps whole listings on disk, one JSON line each, and
in memory only what is looked through for every message: ids, names, which are national lines, what each is mainly for.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Area, Kind, Service, service_from_dict, service_to_dict

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

    @classmethod
    def of(cls, services: Iterable[Service]) -> Roll:
        ids, names, organisations, lines, mainly, points = [], [], [], [], [], []
        for row, service in enumerate(services):
            ids.append(service.id)
            names.append(service.name)
            organisations.append(service.organisation.name)
            mainly.append(service.needs[0] if service.needs else "")
            if service.kind is Kind.LINE and service.area is Area.NATIONAL:
                lines.append(row)
            for each in service.locations:
                if each.latitude is not None and each.longitude is not None:
                    points.append((each.latitude, each.longitude))
        middle = np.median(points, axis=0) if points else None
        return cls(
            ids=tuple(ids),
            names=tuple(names),
            organisations=tuple(organisations),
            lines=tuple(lines),
            mainly=tuple(mainly),
            middle=None if middle is None else (float(middle[0]), float(middle[1])),
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
        self._read = lru_cache(maxsize=KEPT_READY)(self._parse)

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
        return (self._parse(row) for row in range(len(self)))

    def _parse(self, row: int) -> Service:
        start, end = int(self._offsets[row]), int(self._offsets[row + 1])
        return service_from_dict(json.loads(self._bytes[start:end]))


def write_listings(services: Iterable[Service], roll: Roll, folder: Path) -> None:
    """One JSON line a service, where each begins, and the roll."""
    offsets = [0]
    with (folder / LISTINGS).open("wb") as file:
        for service in services:
            line = json.dumps(service_to_dict(service), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
            offsets.append(offsets[-1] + file.write(line))
    np.save(folder / OFFSETS, np.array(offsets, dtype=np.int64))
    body = {name: getattr(roll, name) for name in ("ids", "names", "organisations", "lines", "mainly", "middle")}
    (folder / ROLL).write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def read_roll(folder: Path) -> Roll:
    """Raises OSError, ValueError, KeyError or TypeError."""
    body = json.loads((folder / ROLL).read_text(encoding="utf-8"))
    middle = body.pop("middle")
    columns = {name: tuple(values) for name, values in body.items()}
    return Roll(middle=None if middle is None else (float(middle[0]), float(middle[1])), **columns)
