"""What a role may do at the desk, in one place."""

from __future__ import annotations

from typing import Final

from channels.desk.sessions import Visit

COORDINATES: Final = frozenset({"coordinator", "admin"})


def may_coordinate(visit: Visit) -> bool:
    """See the wall and the reports. Anybody else is answered as if there were none."""
    return visit.peer.role in COORDINATES
