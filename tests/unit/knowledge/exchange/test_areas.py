"""Shapes of service areas: who lives inside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from knowledge.exchange.areas import read_shapes
from knowledge.territory import is_inside

SQUARE = [[-1.0, 54.0], [-0.8, 54.0], [-0.8, 54.2], [-1.0, 54.2], [-1.0, 54.0]]
HOLE = [[-0.95, 54.05], [-0.85, 54.05], [-0.85, 54.15], [-0.95, 54.15]]
POLYGON = {"type": "Polygon", "coordinates": [SQUARE, HOLE]}


def area(extent: Any, kind: str = "GeoJSON") -> dict[str, Any]:
    return {"service_areas": [{"name": "Here", "extent": extent, "extent_type": kind}]}


@pytest.mark.parametrize(
    "extent",
    [
        pytest.param(json.dumps(POLYGON), id="a polygon as text"),
        pytest.param(POLYGON, id="a polygon"),
        pytest.param({"type": "MultiPolygon", "coordinates": [[SQUARE], [HOLE]]}, id="several"),
        pytest.param({"type": "Feature", "geometry": POLYGON}, id="a feature"),
        pytest.param(
            {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": POLYGON}]}, id="features"
        ),
    ],
)
def test_inside_and_outside(extent: Any) -> None:
    rings = read_shapes(area(extent))
    assert is_inside(rings, 54.02, -0.98)
    assert not is_inside(rings, 54.1, -0.9), "the hole"
    assert not is_inside(rings, 54.1, -0.7)
    assert not is_inside(rings, 53.0, -0.9)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"service_areas": "England"},
        {"service_areas": [None, {"extent_type": "geojson"}]},
        area("{"),
        area("[" * 100_000),
        area(json.dumps(POLYGON), kind="kml"),
        area({"type": "Point", "coordinates": [1, 2]}),
        area({"type": "Polygon", "coordinates": [[["x", 1], [True, 2]], 3, None]}),
        area({"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}),
        area({"type": "Polygon", "coordinates": [[[1, 2], [3, 91], [181, 4], [10**400, 1], [float("nan"), 1]]]}),
    ],
)
def test_what_is_no_shape_is_passed_over(body: dict[str, Any]) -> None:
    assert read_shapes(body) == ()
