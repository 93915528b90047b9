"""What a bot says of itself in each language: its commands and descriptions. Empty language: for everybody else."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

Fields = Mapping[str, Any]
Method = Callable[[Fields], Awaitable[object]]

TEXTS: Final = {"MyCommands": "commands", "MyDescription": "description", "MyShortDescription": "short_description"}


class Profile:
    """setMyCommands and getMyCommands, and so on."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Any] = {}

    @property
    def methods(self) -> dict[str, Method]:
        found: dict[str, Method] = {}
        for name, field in TEXTS.items():
            found[f"set{name}"] = self._setter(name, field)
            found[f"get{name}"] = self._getter(name, field)
        return found

    def _setter(self, name: str, field: str) -> Method:
        async def keep(fields: Fields) -> object:
            self._kept[name, str(fields.get("language_code", ""))] = parsed(fields.get(field, ""), field)
            return True

        return keep

    def _getter(self, name: str, field: str) -> Method:
        async def give(fields: Fields) -> object:
            kept = self._kept.get((name, str(fields.get("language_code", ""))), [] if field == "commands" else "")
            return kept if field == "commands" else {field: kept}

        return give


def parsed(value: Any, field: str) -> Any:
    """A list travels as JSON inside a form; a text as it is."""
    return json.loads(value) if field == "commands" and isinstance(value, str) else value
