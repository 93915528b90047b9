"""Shapes of service areas (GeoJSON), as a source drew them. Pure.

Only of what came with an import: our own areas are words (town, county, the whole country). Other kinds of extent
(topojson, kml, words) are kept and given out, and not understood.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.territory import Ring

GEOJSON = "geojson"
DEEPEST = 8


def read_shapes(service: Mapping[str, Any]) -> tuple[Ring, ...]:
    """Every ring of every area of a service of the standard; what is no polygon is passed over."""
    areas = service.get("service_areas")
    rings: list[Ring] = []
    for area in areas if isinstance(areas, list) else []:
        if isinstance(area, dict) and str(area.get("extent_type", "")).lower() == GEOJSON:
            rings += _rings_of(_parsed(area.get("extent")), DEEPEST)
    return tuple(rings)


def _parsed(extent: object) -> object:
    if not isinstance(extent, str):
        return extent
    try:
        return json.loads(extent)
    except (ValueError, RecursionError):
        return None


def _rings_of(body: object, deepest: int) -> Iterator[Ring]:
    if not isinstance(body, dict) or not deepest:
        return
    kind, corners = body.get("type"), body.get("coordinates")
    if kind == "Polygon":
        yield from _polygon(corners)
    elif kind == "MultiPolygon":
        for polygon in corners if isinstance(corners, list) else []:
            yield from _polygon(polygon)
    for name in ("geometry", "geometries", "features"):
        inner = body.get(name)
        for each in inner if isinstance(inner, list) else [inner]:
            yield from _rings_of(each, deepest - 1)


def _polygon(rings: object) -> Iterator[Ring]:
    for ring in rings if isinstance(rings, list) else []:
        corners = tuple(corner for each in ring if (corner := _corner(each))) if isinstance(ring, list) else ()
        if len(corners) >= 3:
            yield corners if corners[0] == corners[-1] else (*corners, corners[0])


def _corner(body: object) -> tuple[float, float] | None:
    if not isinstance(body, list) or len(body) < 2 or not all(type(each) in (int, float) for each in body[:2]):
        return None
    longitude, latitude = body[:2]
    return (float(longitude), float(latitude)) if abs(longitude) <= 180 and abs(latitude) <= 90 else None
