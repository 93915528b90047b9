"""What a role may do at the desk, in one place."""

from __future__ import annotations

from channels.desk.sessions import Visit
from channels.roles import Permission, may


def may_coordinate(visit: Visit) -> bool:
    """See the wall and the reports. Anybody else is answered as if there were none."""
    return may(visit.peer.role, Permission.REPORT)
