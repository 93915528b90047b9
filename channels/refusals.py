"""Why a change to somebody's place in the queue was not made."""

from __future__ import annotations

from channels.errors import ChannelsError


class NotYours(ChannelsError):
    """Only the peer worker who holds a conversation may do this; `holder_name` says who that is, if anybody."""

    def __init__(self, holder_name: str = "") -> None:
        super().__init__("held by somebody else" if holder_name else "held by nobody")
        self.holder_name = holder_name


class Leaving(ChannelsError):
    """Their shift ends: somebody new would have to be passed on soon."""


class NotAgreed(ChannelsError):
    """The person has not said yes to that organisation."""


class EmptyReply(ChannelsError):
    """A reply without words."""
