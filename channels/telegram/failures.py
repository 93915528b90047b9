"""Telegram's errors: whether trying again can help, and what a peer worker reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from channels.errors import SendFailed

FAILURES: Final[tuple[tuple[type[TelegramError], str, str, bool], ...]] = (
    (Forbidden, "blocked", "This person has blocked the bot or closed their account.", False),
    (InvalidToken, "token", "Telegram does not accept our bot token.", False),
    (ChatMigrated, "moved", "This chat has become a group.", False),
    (BadRequest, "refused", "Telegram would not take this message.", False),
    (NetworkError, "unreachable", "Telegram could not be reached in time.", True),
    (Conflict, "conflict", "Another program takes this bot's updates.", True),
)
"""First match wins: BadRequest is a NetworkError in this library."""


def failure_of(error: TelegramError) -> SendFailed:
    """Without its cause: the library's own text may hold the bot's address."""
    if isinstance(error, RetryAfter):
        pause = error.retry_after
        seconds = pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
        return SendFailed("flood", "Telegram asked us to slow down.", retryable=True, retry_after=seconds)
    for kind, code, explanation, retryable in FAILURES:
        if isinstance(error, kind):
            return SendFailed(code, explanation, retryable=retryable)
    return SendFailed("error", "Telegram answered with an error.", retryable=True)
