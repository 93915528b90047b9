"""What a command writes where: its output may be read by a program, or only at its beginning, as with `| head`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import structlog

UNREAD = 128 + signal.SIGPIPE
"""The exit code a shell shows for a program that ended because nobody read on."""


def log_beside_output() -> None:
    """Log to standard error from now on: standard output is the answer, and with --json it must stay JSON."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def speak_while_read(command: Callable[[], int]) -> int:
    """Run a command; its exit code. Where nobody reads its output any more it ends without a word, as ls does."""
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()  # here, for at the end of the interpreter it could only be complained about
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
