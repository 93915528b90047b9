"""Rows of a CSV file, however it was saved: encoding, separator, NULs, rows that are too long or too short.

A row that cannot be read is a problem with its line; the next row is read as if nothing had been.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from knowledge.exchange.encodings import WESTERN, open_text
from knowledge.exchange.problems import Problem

SAMPLE = 1 << 16
SEPARATORS = ",;\t|"
MOST_COLUMNS = 500


@dataclass(frozen=True, kw_only=True)
class Row:
    """Values by column, without the empty ones. Line 1 is the header."""

    where: str
    values: dict[str, str]
    problems: tuple[Problem, ...] = field(default=())


def read_header(path: Path) -> list[str]:
    """The names of the columns. Raises OSError."""
    with open_text(path) as (stream, _encoding):
        return _header(_reader(stream))


def read_rows(path: Path, name: str) -> Iterator[Row]:
    """Every row, one at a time."""
    try:
        with open_text(path) as (stream, encoding):
            if encoding == WESTERN:
                text = "is not UTF-8, so it was read as Windows-1252. Save it as 'CSV UTF-8'."
                yield Row(where=f"{name}:1", values={}, problems=(_warning(f"{name}:1", text),))
            reader = _reader(stream)
            yield from _rows(reader, _header(reader), name)
    except OSError as error:
        problem = Problem(where=name, pointer="", text=f"cannot be read ({error.strerror}). Check the name.")
        yield Row(where=name, values={}, problems=(problem,))


def _rows(reader: Iterator[list[str]], header: list[str], name: str) -> Iterator[Row]:
    while True:
        line = getattr(reader, "line_num", 0) + 1
        where = f"{name}:{line}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text = f"cannot be read ({error}). Look for a quotation mark that does not end, or a very long text."
            yield Row(where=where, values={}, problems=(Problem(where=where, pointer="", text=text),))
            continue
        values = {column: cell.strip() for column, cell in zip(header, cells, strict=False) if column and cell.strip()}
        if not values:
            continue
        problems: tuple[Problem, ...] = ()
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            text = f"has {len(cells)} cells for {len(header)} columns. Put quotation marks round text with separators."
            problems = (Problem(where=where, pointer="", text=text),)
        yield Row(where=where, values=values, problems=problems)


def _reader(stream: TextIO) -> Iterator[list[str]]:
    sample = stream.read(SAMPLE)
    stream.seek(0)
    first = sample.split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    return csv.reader(stream, delimiter=separator)


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        return [cell.replace("\x00", "").strip().lstrip("\ufeff") for cell in next(reader)][:MOST_COLUMNS]
    except (StopIteration, csv.Error):
        return []


def _warning(where: str, text: str) -> Problem:
    return Problem(where=where, pointer="", text=text, error=False)
