"""Who may call the action server: whoever knows its token."""

from __future__ import annotations

import hmac


def is_allowed(header: str, token: str) -> bool:
    """Constant time: the time taken says nothing about how much of a guess was right."""
    scheme, _, given = header.partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return same and scheme.lower() == "bearer"
