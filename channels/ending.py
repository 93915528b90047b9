"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

CUT_AGAIN: Final = 1.0
"""Seconds."""


async def cut_short(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended: a client may swallow a cancellation that comes while it connects.

    Says nothing of how they ended: ask the tasks.
    """
    late = set(tasks)
    while late:
        for task in late:
            task.cancel()
        _, late = await asyncio.wait(late, timeout=CUT_AGAIN)
