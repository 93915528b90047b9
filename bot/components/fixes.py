"""Small corrections of Rasa 3.6.21, each measured and each with a test in tests/integration/test_rasa_fixes.py.

They change private parts of a fixed version, so another version is refused instead of half corrected.
3.6.21 is the last release: there is no newer one to wait for.
"""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, Optional, Text, Type

import jsonschema
import rasa
import rasa.core.actions.action as action_module
from rasa.shared.core.events import Event
from rasa.shared.exceptions import RasaException
from rasa.shared.utils.common import all_subclasses

from bot.components.problems import record_problem

VERSION = "3.6.21"
ACTION_TIMEOUT_VARIABLE = "NWD_ACTION_TIMEOUT"
ACTION_TIMEOUT = 6.0
"""Seconds. Below the worker's deadline for a turn (10), which is below the life of Rasa's lock (60)."""


class ActionFailed(RasaException):
    """An action did not answer properly. Says which and how; never what was sent or received."""


def apply_fixes() -> None:
    """Called once, when the gateway channel is built. Raises RasaException for another version of Rasa."""
    if rasa.__version__ != VERSION:
        raise RasaException(f"bot/components/fixes.py was written for Rasa {VERSION}, not {rasa.__version__}.")
    if getattr(action_module.RemoteAction, "_fixed", False):
        return
    limit_action_time(read_action_timeout())
    compile_action_schema()
    report_failed_actions()
    remember_event_types()
    keep_words_out_of_logs()
    action_module.RemoteAction._fixed = True


def read_action_timeout() -> float:
    """Seconds from the environment. Raises RasaException naming the variable."""
    given = os.environ.get(ACTION_TIMEOUT_VARIABLE, "")
    try:
        seconds = float(given) if given else ACTION_TIMEOUT
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 60:
        raise RasaException(f"{ACTION_TIMEOUT_VARIABLE} must be a number of seconds above 0, at most 60.")
    return seconds


def limit_action_time(seconds: float) -> None:
    """Rasa waits five minutes for an action, and the person's next message waits with it."""
    action_module.DEFAULT_REQUEST_TIMEOUT = seconds


def compile_action_schema() -> None:
    """Rasa checks the schema itself again on every call: 87 % of an action turn (33 ms, then 9)."""
    schema = action_module.RemoteAction.action_response_format_spec()
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)

    def validate(self: Any, result: Dict[Text, Any]) -> bool:
        # jsonschema's own error would carry the whole answer into the log.
        if not isinstance(result, dict) or not validator.is_valid(result):
            raise ActionFailed(f"{self.name()}: malformed answer")
        return True

    action_module.RemoteAction._validate_action_result = validate


def report_failed_actions() -> None:
    """Rasa logs a failed action, with what the action server echoed, and answers as if nothing had happened."""
    run = action_module.RemoteAction.run

    async def run_and_report(self: Any, *args: Any, **kwargs: Any) -> List[Event]:
        try:
            events: List[Event] = await run(self, *args, **kwargs)
        except Exception as error:
            record_problem(self.name())
            if isinstance(error, ActionFailed):
                raise
            cause = error.__cause__ or error
            status = getattr(cause, "status", "")
            raise ActionFailed(f"{self.name()}: {type(cause).__name__} {status}".rstrip()) from None
        return events

    action_module.RemoteAction.run = run_and_report


def remember_event_types() -> None:
    """Rasa walks all event classes for every stored event: half of the cost of reading a long conversation."""
    types: Dict[Text, Type[Event]] = {}
    for kind in all_subclasses(Event):
        types.setdefault(kind.type_name, kind)
    search = Event.resolve_by_type

    def resolve(type_name: Text, default: Optional[Type[Event]] = None) -> Optional[Type[Event]]:
        return types.get(type_name) or search(type_name, default)

    Event.resolve_by_type = staticmethod(resolve)


def keep_words_out_of_logs() -> None:
    """At DEBUG Rasa prints messages, slots and whole trackers. Here DEBUG means INFO, whatever LOG_LEVEL says."""
    for logger in (logging.getLogger(), logging.getLogger("rasa")):
        if logger.level < logging.INFO:
            logger.setLevel(logging.INFO)
