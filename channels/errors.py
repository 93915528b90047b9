"""Errors that carry what to do next. Callers read the flags, never the words."""

from __future__ import annotations


class ChannelsError(Exception):
    """Something in `channels` could not be done."""


class SettingsError(ChannelsError):
    """A setting is missing or wrong. The text names the variable and the fix."""


class KeyLost(SettingsError):
    """Something in the ledger is under the key of a person, and that key is not here, or is not the one it is under."""


class SendFailed(ChannelsError):
    """A provider did not take a message.

    `retryable` says whether trying again can help; `code` is the provider's own code;
    `explanation` is what a peer worker reads on the desk; `retry_after` is in seconds
    when the provider asked for a pause.
    """

    def __init__(self, code: str, explanation: str, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {explanation}")
        self.code = code
        self.explanation = explanation
        self.retryable = retryable
        self.retry_after = retry_after


class AssistantSilent(ChannelsError):
    """The assistant gave no usable answer: an error, a deadline passed, or an empty list.

    Never a reply in itself: the worker sends the fallback text and opens an escalation.
    `cause` is one of timeout, unreachable, refused, empty, malformed.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class LedgerUnavailable(ChannelsError):
    """The ledger could not be written. A gateway answers 503 so that the provider sends again."""


class NotTaken(ChannelsError):
    """A peer worker asked for something that somebody else has by now; `holder_name` says who, if known."""

    def __init__(self, holder_name: str = "") -> None:
        super().__init__(holder_name or "no longer there to take")
        self.holder_name = holder_name


class CapReached(ChannelsError):
    """A peer worker asked for one conversation more than is good for them and for the people they are with."""

    def __init__(self, held: int, *, with_concern: bool) -> None:
        super().__init__(f"holds {held}")
        self.held = held
        self.with_concern = with_concern


class Malformed(ChannelsError):
    """A request that lacks what it must have. The text names the field, never what is in it."""


class NotFound(ChannelsError):
    """There is no record with that id. Pages answer 404, as they do for what somebody may not see."""


class StreamsUnavailable(ChannelsError):
    """Redis or Valkey did not answer. The ledger still has the work; the sweeper announces it again."""


class EditorAway(ChannelsError):
    """The catalogue's editor did not take a report; it is kept and told again. `cause` is one word."""


def where(error: BaseException) -> str:
    """File and line it came from. The text of an error may hold what somebody wrote; this cannot."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.tb_lineno}" if frame else ""
