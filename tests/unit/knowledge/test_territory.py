"""The area a source drew: what is kept of it, and who lives inside."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from knowledge.territory import MOST_CORNERS, Ring, is_inside, read_territory, write_territory

MIDDLE = (-0.9, 54.1)
"""Longitude and latitude."""


def star(reaches: list[float]) -> Ring:
    """A ring round the middle: as many corners as reaches, each so far away, in degrees."""
    turns = [2 * math.pi * at / len(reaches) for at in range(len(reaches))]
    x, y = MIDDLE
    spokes = zip(reaches, turns, strict=True)
    corners = tuple((x + far * math.cos(turn), y + far * math.sin(turn)) for far, turn in spokes)
    return (*corners, corners[0])


def border(ring: Ring, x: float, y: float) -> float:
    """Degrees to the nearest point of the border, by plain geometry."""
    nearest = math.inf
    for (ax, ay), (bx, by) in pairwise(ring):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        share = max(0.0, min(1.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) if length else 0.0
        nearest = min(nearest, math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay)))
    return nearest


@given(
    reaches=st.lists(st.floats(0.05, 0.6), min_size=3, max_size=200),
    east=st.floats(-0.7, 0.7),
    north=st.floats(-0.7, 0.7),
)
def test_whoever_is_not_at_the_border_is_on_the_same_side_of_what_is_kept(
    reaches: list[float], east: float, north: float
) -> None:
    ring = star(reaches)
    x, y = MIDDLE[0] + east, MIDDLE[1] + north
    kept = read_territory(write_territory((ring,)))
    assert len(kept[0]) <= len(ring)
    if border(ring, x, y) > 0.001:
        assert is_inside(kept, y, x) is is_inside((ring,), y, x)


def test_a_small_area_stays_an_area() -> None:
    street = star([0.0004] * 40)
    kept = read_territory(write_territory((street,)))
    assert is_inside(kept, MIDDLE[1], MIDDLE[0])
    assert not is_inside(kept, MIDDLE[1] + 0.001, MIDDLE[0])


def test_holes_and_islands_stay() -> None:
    around, hole = star([0.5] * 8), star([0.2] * 8)
    kept = read_territory(write_territory((around, hole)))
    assert not is_inside(kept, MIDDLE[1], MIDDLE[0])
    assert is_inside(kept, MIDDLE[1], MIDDLE[0] + 0.3)


def test_the_coast_of_a_country_is_kept_small() -> None:
    coast = star([3.0 + 0.5 * math.sin(at * 7.3) for at in range(40_000)])
    kept = read_territory(write_territory((coast,)))
    assert len(kept[0]) <= MOST_CORNERS
    assert is_inside(kept, MIDDLE[1], MIDDLE[0])


def test_nothing_is_nothing() -> None:
    assert write_territory(()) == ""
    assert read_territory("") == ()
    assert not is_inside((), 54.1, -0.9)
