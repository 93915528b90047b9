"""Ids: ours are short words, the standard's are UUIDs. The same thing gets the same UUID every time."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID, uuid5

from knowledge.exchange.extension import ID

NAMESPACE = UUID("5c0b3f52-7a0e-5d0b-9f43-2f6d7b1f1c11")
NEEDS_TAXONOMY = "No Wrong Door needs"


def as_uuid(text: str) -> str:
    """The text itself when it is a UUID, else one made from it."""
    try:
        return str(UUID(text))
    except ValueError:
        return str(uuid5(NAMESPACE, text))


def as_id(value: object) -> str:
    """An id that the catalogue can keep: what was given when it is short and plain, else a UUID made from it."""
    text = str(value)
    return text if ID.fullmatch(text) else str(uuid5(NAMESPACE, text))


@lru_cache(maxsize=1_000)
def need_uuid(need: str) -> str:
    return as_uuid(f"need:{need}")


def taxonomy_uuid(name: str) -> str:
    return as_uuid(f"taxonomy:{name}")
