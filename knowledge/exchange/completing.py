"""The last step of an export: every id a UUID, every required field there, nothing empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge.exchange import values
from knowledge.exchange.identity import as_uuid
from knowledge.exchange.shapes import Shape


def complete_thing(thing: Mapping[str, Any], shape: Shape, seed: str) -> dict[str, Any]:
    """A copy that the standard's schema accepts. `seed` makes the ids that are missing: the same each time."""
    done: dict[str, Any] = {"id": as_uuid(str(thing.get("id") or seed))}
    for name, value in thing.items():
        if name in shape.parts:
            done[name] = complete_thing(value, shape.parts[name], f"{seed}/{name}")
        elif name in shape.lists:
            entries = [
                complete_thing(entry, shape.lists[name], f"{seed}/{name}/{number}")
                for number, entry in enumerate(value)
            ]
            if entries:
                done[name] = entries
        elif name != "id" and value not in (None, ""):
            done[name] = as_uuid(str(value)) if shape.values.get(name) is values.is_uuid else value
    for name, fallback in shape.required.items():
        done.setdefault(name, fallback)
    return done
