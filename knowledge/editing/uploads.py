"""Files that editors send: kept in a folder of our own, under a name that cannot lead anywhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from knowledge.errors import ImportRefused
from knowledge.exchange.sources import DOCUMENTS
from knowledge.exchange.tabular import PLAIN_TABLES, WORKBOOKS

LARGEST_UPLOAD: Final = 200_000_000
"""Bytes. What is larger is imported at the command line."""
KINDS: Final = (*sorted(DOCUMENTS), *sorted(PLAIN_TABLES), *sorted(WORKBOOKS), ".zip")
LONGEST_NAME: Final = 80
CHUNK: Final = 1 << 20


def clean_name(given: str) -> str:
    """The last part of a file's name, in letters that every disk takes. Raises ImportRefused for a kind not read."""
    last = re.split(r"[/\\]", given)[-1]
    stem, dot, ending = last.rpartition(".")
    kind = f"{dot}{ending}".lower()
    if not dot or kind not in KINDS:
        raise ImportRefused(f"Send a file that ends with one of: {', '.join(KINDS)}.")
    plain = re.sub(r"[^\w() -]+", "_", stem).strip(" _-")[:LONGEST_NAME]
    return f"{plain or 'table'}{kind}"


def keep_upload(folder: Path, given: str, stream: BinaryIO, largest: int = LARGEST_UPLOAD) -> Path:
    """Copy what was sent into `folder`, which is made. Raises ImportRefused; then nothing is left of it."""
    name = clean_name(given)
    folder.mkdir(parents=True)
    path, written = folder / name, 0
    try:
        with path.open("xb") as out:
            while chunk := stream.read(CHUNK):
                written += len(chunk)
                if written > largest:
                    raise ImportRefused(too_large(largest))
                out.write(chunk)
        if not written:
            raise ImportRefused(f"{name}: is empty. Choose the file again.")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return path


def too_large(largest: int = LARGEST_UPLOAD) -> str:
    return f"The file is larger than {largest // 1_000_000} MB. Split it, or import it with python -m knowledge import."
