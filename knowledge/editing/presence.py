"""Whether another process of ours is still there: it holds a lock on a file for as long as it lives.

The system lets go of the lock when a process ends, however it ends, so nothing has to beat and nobody waits for a
clock. For processes that share a data folder.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

ENDING = ".lock"


class Presence:
    """This process, until `leave` or its end. `name` is written beside what it works at."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.name = secrets.token_hex(8)
        self._lock = os.open(folder / f"{self.name}{ENDING}", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def is_there(self, name: str) -> bool:
        """Whether the process of that name still lives; what is left of one that does not is cleared away."""
        path = self._folder / f"{name}{ENDING}"
        try:
            handle = os.open(path, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        path.unlink(missing_ok=True)
        return False

    def leave(self) -> None:
        (self._folder / f"{self.name}{ENDING}").unlink(missing_ok=True)
        os.close(self._lock)
