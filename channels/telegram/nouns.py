"""What an update can tell us, beside a message from a person."""

from __future__ import annotations

from dataclasses import dataclass

from channels.conversation import Inbound


@dataclass(frozen=True, kw_only=True)
class Press:
    """A press on one of our buttons: what has to be answered, and where the used keyboard is."""

    callback_id: str
    chat_id: str = ""
    message_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class GroupCall:
    """Somebody spoke to a bot in a group or channel. `sure`: to this one; else if our name is among `names`."""

    chat_id: str
    names: frozenset[str] = frozenset()
    sure: bool = False


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A person has blocked the bot, or taken that back."""

    address: str
    blocked: bool


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One update, read. All empty: nothing that concerns us."""

    inbound: Inbound | None = None
    press: Press | None = None
    call: GroupCall | None = None
    reach: Reach | None = None
