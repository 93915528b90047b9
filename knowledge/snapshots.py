"""Snapshots on disk: put a new one in place, find the one that serves, clear the old ones away."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from knowledge.errors import IndexMissing
from knowledge.index import REBUILD

CURRENT = "current"
BUILDING = ".building-"
KEEP = 3


@contextmanager
def build_lock(root: Path) -> Iterator[None]:
    """One build at a time in a data folder; a second one waits and then finds its work done."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def put_snapshot(root: Path, version: str, write: Callable[[Path], None]) -> Path:
    """Write a snapshot beside the others, then point at it. Hold `build_lock`.

    Killed before the last step, the old one serves and what was begun is cleared by the next build.
    """
    for leftover in root.glob(f"{BUILDING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    begun = root / f"{BUILDING}{version}"
    begun.mkdir()
    write(begun)
    for path in begun.rglob("*"):
        _sync(path)
    done = root / version
    begun.replace(done)
    pointer = root / f".{CURRENT}-{version}"
    pointer.write_text(version + "\n", encoding="utf-8")
    _sync(pointer)
    pointer.replace(root / CURRENT)
    _sync(root)
    for old in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))[:-KEEP]:
        if old != done:
            shutil.rmtree(old, ignore_errors=True)
    return done


def current_version(root: Path) -> str | None:
    """The name of the snapshot that serves; None before the first."""
    try:
        return (root / CURRENT).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def current_snapshot(root: Path) -> Path:
    """Its folder. Raises IndexMissing."""
    version = current_version(root)
    if version is None:
        raise IndexMissing(f"There is no index in {root}. {REBUILD}")
    return root / version


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
