"""What our listings say that the standard has no field for, under one key of an exported service.

So that what we export comes back whole. A foreign feed may write it too: it is checked like everything else, and a
listing that claims to be a crisis line waits for a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from knowledge.catalogue import Area, Kind, Service
from knowledge.exchange.problems import Findings, shown

KEY = "no_wrong_door"
FLAGS = ("companion", "crisis")
TEXTS = ("id", "organisation_id", "summary", "assured_by")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def read_extension(item: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """The values that are right, by our own field names."""
    body = item.get(KEY)
    if body is None:
        return {}
    if not isinstance(body, Mapping):
        findings.error(KEY, f"{shown(body)} is not an object. Leave it out.")
        return {}
    read: dict[str, Any] = {}
    for name, value in body.items():
        right = _value(name, value)
        if right is None:
            findings.error(f"{KEY}.{name}", f"{shown(value)} is not known here. Leave it out.")
        else:
            read[name] = right
    return read


def _value(name: str, value: object) -> object:
    """The value as ours, or None when it is not one."""
    if name in FLAGS:
        return value if isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    if name in {"id", "organisation_id"}:
        return value if ID.fullmatch(value) else None
    if name == "kind":
        return Kind(value) if value in set(Kind) else None
    if name == "area":
        return Area(value) if value in set(Area) else None
    return value if name in TEXTS and len(value) <= 500 else None


def write_extension(service: Service) -> dict[str, Any]:
    return {
        "id": service.id,
        "organisation_id": service.organisation.id,
        "summary": service.summary,
        "kind": service.kind.value,
        "area": service.area.value,
        "companion": service.companion,
        "crisis": service.crisis,
        "assured_by": service.assured_by,
    }
