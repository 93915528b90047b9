"""What each role of staff may do. Every check in the product asks `may`, so this table is the whole truth.

A role that is not in the table may do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """One thing that a role allows."""

    ANSWER = "answer"
    """Take and answer conversations."""
    WATCH = "watch"
    """Read a conversation that a colleague holds; each look is in the audit."""
    REPLIES = "replies"
    """Change the saved replies that everybody keeps at hand."""
    REPORT = "report"
    """See the live wall and the reports."""
    INVITE = "invite"
    """Invite colleagues, end their access, change what they may do, up to one's own rank."""
    AUDIT = "audit"
    """Read the audit trail."""
    RIGHTS = "rights"
    """Export, hold and erase what is kept of a person, when they ask for it."""
    EDIT = "edit"
    """Write in the catalogue."""
    PUBLISH = "publish"
    """Put what others wrote in the catalogue in front of people."""
    ADMINISTER = "administer"
    """Give and end the role of administrator."""


_PEER: Final = frozenset({Permission.ANSWER})
_LEAD: Final = _PEER | {Permission.WATCH, Permission.REPLIES}
_EDITOR: Final = frozenset({Permission.EDIT})
_COORDINATOR: Final = (
    _LEAD
    | _EDITOR
    | {
        Permission.REPORT,
        Permission.INVITE,
        Permission.AUDIT,
        Permission.RIGHTS,
        Permission.PUBLISH,
    }
)

ROLES: Final[Mapping[str, frozenset[Permission]]] = {
    "peer": _PEER,
    "lead": _LEAD,
    "editor": _EDITOR,
    "coordinator": _COORDINATOR,
    "admin": frozenset(Permission),
}
"""By rank, the lowest first."""


def may(role: str, permission: Permission) -> bool:
    return permission in ROLES.get(role, frozenset())


def grantable(role: str) -> tuple[str, ...]:
    """The roles that somebody with `role` may give: their own and those that may do less. None without INVITE."""
    if not may(role, Permission.INVITE):
        return ()
    return tuple(each for each, allowed in ROLES.items() if allowed <= ROLES[role])
