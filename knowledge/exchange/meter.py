"""How much of a source has been read, for whoever waits at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")
CHUNK = 1 << 20


class Readable(Protocol):
    """Text that is read a part at a time."""

    def read(self, size: int, /) -> str: ...


@dataclass
class Meter:
    """`total` is 0 while nobody can say how much there is: a feed ends where its pages do."""

    total: int = 0
    done: int = 0

    @property
    def share(self) -> float | None:
        """Between 0 and 1."""
        return min(1.0, self.done / self.total) if self.total else None

    def watch(self, text: Readable) -> Readable:
        """The same text; letters count as bytes, so accents make the share a little small."""
        return _Watched(text, self)

    def count(self, rows: Iterator[T]) -> Iterator[T]:
        for row in rows:
            self.done += 1
            yield row


@dataclass(frozen=True)
class _Watched:
    text: Readable
    meter: Meter

    def read(self, size: int, /) -> str:
        part = self.text.read(size)
        self.meter.done += len(part)
        return part


def count_lines(path: Path) -> int:
    """Of a table in plain text: a row each, or a few more where a cell holds several lines. Raises OSError."""
    with path.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(CHUNK), b""))
