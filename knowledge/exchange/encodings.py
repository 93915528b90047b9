"""Which encoding a file is in: UTF-8 (with or without a mark), UTF-16 with a mark, else Windows-1252."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

CHUNK = 1 << 20
WESTERN = "cp1252"


def find_encoding(path: Path) -> str:
    """One pass in chunks: a file is UTF-8 only if all of it is. Raises OSError."""
    with path.open("rb") as stream:
        start = stream.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        stream.seek(0)
        try:
            while chunk := stream.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return WESTERN
    return "utf-8-sig"


@contextmanager
def open_text(path: Path) -> Iterator[tuple[TextIO, str]]:
    """The text and its encoding. Bytes that stand for nothing become the replacement character. Raises OSError."""
    encoding = find_encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        yield stream, encoding
