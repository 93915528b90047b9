"""What went wrong during one turn, collected across Rasa's own `except Exception`.

Rasa logs a failed action and goes on, so that its caller sees a normal, empty answer. A context variable carries the
failures of a request back to the channel that received it. Names only: never a text of the person or of an error.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Iterator, List, Optional

TRACKER_STORE = "tracker_store"
NOTHING_SAID = "nothing_said"
TURN = "turn"

_problems: ContextVar[Optional[List[str]]] = ContextVar("problems", default=None)


@contextmanager
def collect_problems() -> Iterator[List[str]]:
    """The names recorded while the block runs, in order, each once."""
    problems: List[str] = []
    token = _problems.set(problems)
    try:
        yield problems
    finally:
        _problems.reset(token)


def record_problem(name: str) -> None:
    """Outside a turn (training, warm-up) nobody collects and nothing happens."""
    problems = _problems.get()
    if problems is not None and name not in problems:
        problems.append(name)
