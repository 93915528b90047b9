"""Structured logs of the action server: ids and outcomes, never words. `channels.logs` is not ours to import."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED_FIELDS = frozenset({"event", "level", "timestamp", "process", "action", "error", "at", "seconds", "port"})
"""A field that is not here is dropped: a new one has to be thought about first."""


def keep_allowed_fields(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in [key for key in event if key not in ALLOWED_FIELDS]:
        del event[key]
    return event


def name_process(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Said here and not by a context variable: those do not reach the worker thread."""
    event["process"] = "actions"
    return event


def set_up_logs(level: str) -> None:
    """JSON lines on standard error. Called once, by __main__."""
    structlog.configure(
        processors=[
            name_process,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed_fields,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
