"""What a snapshot keeps for the next build: enough to tell what changed, and to leave the rest as it is.

Searches never read it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Service, service_to_dict
from knowledge.crisis import may_come_first
from knowledge.splicing import Splice

MARK_BYTES = 32
KEY_BYTES = 16
PARTS = ("marks", "keys", "first", "points", "point_counts")


@dataclass(frozen=True, kw_only=True)
class Trail:
    """One row a service, in the order of the index, but for `points`."""

    marks: NDArray[np.uint8]
    """SHA-256 of everything the listing says."""
    keys: NDArray[np.uint8]
    """Changes whenever the catalogue's row does (`knowledge.outline`); zeros where it is not known."""
    first: NDArray[np.bool_]
    """Which may be among the crisis lines (`may_come_first`)."""
    points: NDArray[np.float64]
    """Latitude and longitude of every location that has both."""
    point_counts: NDArray[np.int32]
    """How many of them each service has."""

    @classmethod
    def of(cls, services: Sequence[Service], marks: NDArray[np.uint8], keys: NDArray[np.uint8] | None = None) -> Trail:
        places = [
            [
                (each.latitude, each.longitude)
                for each in service.locations
                if each.latitude is not None and each.longitude is not None
            ]
            for service in services
        ]
        return cls(
            marks=marks,
            keys=np.zeros((len(services), KEY_BYTES), np.uint8) if keys is None else keys,
            first=np.array([may_come_first(service) for service in services], dtype=np.bool_),
            points=np.array([point for points in places for point in points], dtype=np.float64).reshape(-1, 2),
            point_counts=np.array([len(points) for points in places], dtype=np.int32),
        )

    def spliced(self, splice: Splice, fresh: Trail, keys: NDArray[np.uint8]) -> Trail:
        return Trail(
            marks=splice.rows(self.marks, fresh.marks),
            keys=keys,
            first=splice.rows(self.first, fresh.first),
            points=splice.several((self.points, self.point_counts), (fresh.points, fresh.point_counts)),
            point_counts=splice.rows(self.point_counts, fresh.point_counts),
        )

    def middle(self) -> tuple[float, float] | None:
        """The median location."""
        if not len(self.points):
            return None
        latitude, longitude = np.median(self.points, axis=0)
        return float(latitude), float(longitude)

    def save(self, folder: Path) -> None:
        folder.mkdir()
        for name in PARTS:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Trail:
        """Mapped, so that a search that never looks pays nothing. Raises OSError or ValueError."""
        return cls(**{name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in PARTS})


def marks_of(services: Iterable[Service]) -> NDArray[np.uint8]:
    """One service at a time, so that a large catalogue fits."""
    joined = b"".join(
        hashlib.sha256(json.dumps(service_to_dict(service), sort_keys=True).encode()).digest() for service in services
    )
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, MARK_BYTES)
