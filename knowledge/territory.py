"""The area a service serves, as its source drew it: how it is kept with a listing, and who lives inside. Pure.

Kept as text, "longitude,latitude longitude,latitude ...", rings parted by "|", so that a listing stays plain values and
a reader sees what it is. Lines that are nearly straight are kept as straight: a place that somebody names is the middle
of a district, far less exact than that.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ring: TypeAlias = tuple[tuple[float, float], ...]
"""Corners as longitude and latitude, the first one again at the end."""
Points: TypeAlias = NDArray[np.float64]

STRAIGHT = 0.0005
"""Degrees, about 50 metres: what strays less from a straight line is on it."""
OF_ITS_SIZE = 0.01
"""For what is small, this share of its size instead."""
MOST_CORNERS = 3_000
"""Of one listing. What has more is drawn coarser until it has not."""
DECIMALS = 5


def write_territory(rings: tuple[Ring, ...]) -> str:
    """The text to keep; empty for none."""
    coarser = 1.0
    kept = [_straightened(ring, coarser) for ring in rings]
    while sum(map(len, kept)) > max(MOST_CORNERS, 5 * len(kept)):
        coarser *= 2
        kept = [_straightened(ring, coarser) for ring in rings]
    return "|".join(" ".join(f"{_short(x)},{_short(y)}" for x, y in ring) for ring in kept)


@lru_cache(maxsize=4096)
def read_territory(text: str) -> tuple[Ring, ...]:
    """The rings of a kept text. Raises ValueError for what `write_territory` never wrote."""
    rings = []
    for ring in text.split("|") if text else ():
        corners = [corner.split(",") for corner in ring.split(" ")]
        rings.append(tuple((float(x), float(y)) for x, y in corners))
    return tuple(rings)


@lru_cache(maxsize=65_536)
def covers(text: str, latitude: float, longitude: float) -> bool:
    """Whether a place is inside a kept text. Remembered: many people ask from few districts."""
    return is_inside(read_territory(text), latitude, longitude)


def is_inside(rings: tuple[Ring, ...], latitude: float, longitude: float) -> bool:
    """Even-odd: a ring inside another one is a hole. A line across the date line is not thought of."""
    inside = False
    for ring in rings:
        for (x, y), (next_x, next_y) in pairwise(ring):
            if (y > latitude) != (next_y > latitude):
                inside ^= longitude < x + (latitude - y) / (next_y - y) * (next_x - x)
    return inside


def _straightened(ring: Ring, coarser: float) -> Ring:
    """Without the corners that stray little from the line between their neighbours (Ramer, Douglas and Peucker)."""
    points = np.array(ring, dtype=np.float64)
    size = float(np.ptp(points, axis=0).max())
    most = min(STRAIGHT, OF_ITS_SIZE * size) * coarser
    kept = np.zeros(len(points), dtype=np.bool_)
    kept[[0, -1]] = True
    waiting = [(0, len(points) - 1)]
    while waiting:
        start, end = waiting.pop()
        if end - start < 2:
            continue
        away = _distances(points[start + 1 : end], points[start], points[end])
        farthest = int(away.argmax())
        if away[farthest] > most:
            middle = start + 1 + farthest
            kept[middle] = True
            waiting += [(start, middle), (middle, end)]
    return tuple((float(x), float(y)) for x, y in points[kept])


def _distances(points: Points, start: Points, end: Points) -> Points:
    """Of each point from the line between two others, in degrees."""
    along = end - start
    length = float(along @ along)
    share = np.clip((points - start) @ along / length, 0.0, 1.0) if length else np.zeros(len(points))
    return np.asarray(np.linalg.norm(points - start - share[:, None] * along, axis=1))


def _short(degrees: float) -> str:
    return f"{degrees:.{DECIMALS}f}".rstrip("0").rstrip(".")
