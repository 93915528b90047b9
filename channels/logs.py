"""Structured logs without personal data.

Log calls name ids and outcomes. As a second line of defence a processor drops the
fields that could ever hold words or numbers of a person, and says that it did.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PERSONAL_FIELDS = frozenset(
    {"text", "body", "address", "phone", "number", "name", "payload", "form", "token", "message", "reply"}
)


def drop_personal_fields(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove fields that may carry a person's words, number or name."""
    dropped = [key for key in event if key in PERSONAL_FIELDS]
    for key in dropped:
        del event[key]
    if dropped:
        event["dropped_fields"] = sorted(dropped)
    return event


def set_up_logs(process: str, level: str = "INFO") -> None:
    """Send structured JSON lines to standard error. Called once by each composition root."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            drop_personal_fields,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    # Client libraries log addresses (a phone number is part of some) below this level.
    for library in ("httpx", "httpcore", "twilio", "telegram", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)
