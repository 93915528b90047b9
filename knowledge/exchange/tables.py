"""Rows of a CSV file, however it was saved: encoding, separator, NULs, rows that are too long or too short.

A row that cannot be read is a problem with its line; the next row is read as if nothing had been.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple, TextIO

from knowledge.exchange.encodings import WESTERN, open_text
from knowledge.exchange.problems import Problem

SAMPLE = 1 << 16
SEPARATORS = ",;\t|"
MOST_COLUMNS = 500
MOST_LINES = 500
"""Lines of one row. More are a quotation mark that does not end, or are meant to be read again and again."""
MOST_TITLES = 10
"""Records and lines in which the names of the columns are looked for."""
OPEN = "unexpected end of data"
"""What the parser calls a quotation mark that is open where the text ends."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Values by column, without the empty ones. Line 1 is the header."""

    where: str
    values: dict[str, str]
    problems: tuple[Problem, ...] = field(default=())
    bare_numbers: frozenset[str] = frozenset()
    """Columns of a workbook that hold a number where a text could keep a 0 at its beginning."""


def read_header(path: Path) -> list[str]:
    """The names of the columns. Raises OSError."""
    with open_text(path) as (stream, _encoding):
        return _begin(iter(_Records(stream)))[0]


def read_rows(path: Path, name: str) -> Iterator[Row]:
    """Every row, one at a time."""
    try:
        with open_text(path) as (stream, encoding):
            if encoding == WESTERN:
                text = "is not UTF-8, so it was read as Windows-1252. Save it as 'CSV UTF-8'."
                yield Row(where=f"{name}:1", values={}, problems=(_warning(f"{name}:1", text),))
            header, records = _begin(iter(_Records(stream)))
            for record in records:
                if row := _row(record, header, name):
                    yield row
    except OSError as error:
        problem = Problem(where=name, pointer="", text=f"cannot be read ({error.strerror}). Check the name.")
        yield Row(where=name, values={}, problems=(problem,))


class _Record(NamedTuple):
    line: int
    cells: list[str]
    fault: str = ""


class _Records:
    """The records of a CSV text. One that cannot be read takes its first line; the lines it swallowed are read again.

    So a quotation mark that does not end costs one row, not all that follow.
    """

    def __init__(self, stream: TextIO) -> None:
        lines = stream.read(SAMPLE).split("\n")[:MOST_TITLES]
        stream.seek(0)
        first = next((line for line in lines if any(each in line for each in SEPARATORS)), "")
        self._separator = max(SEPARATORS, key=first.count)
        self._stream = stream
        self._again: deque[str] = deque()
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[_Record]:
        line, reader = 1, self._reader()
        while True:
            self._taken.clear()
            try:
                record = _Record(line, next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                record = self._mended(line, str(error))
                self._again.extendleft(reversed(self._taken[1:]))
                del self._taken[1:]
                reader = self._reader()
            yield record
            line += len(self._taken)

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self._separator, strict=True)

    def _mended(self, line: int, fault: str) -> _Record:
        """A line of its own is read in the way spreadsheets do, which take a quotation mark too many for a letter."""
        if len(self._taken) == 1 and not fault.startswith(OPEN):
            with suppress(csv.Error):
                return _Record(line, next(csv.reader(self._taken, delimiter=self._separator)))
        return _Record(line, [], fault)

    def _lines(self) -> Iterator[str]:
        while line := self._again.popleft() if self._again else self._stream.readline():
            self._taken.append(line)
            if len(self._taken) > MOST_LINES:
                raise csv.Error(f"a row of more than {MOST_LINES} lines")
            yield line


def _row(record: _Record, header: list[str], name: str) -> Row | None:
    """None for a line with nothing in it."""
    where, cells = f"{name}:{record.line}", record.cells
    if record.fault:
        text = f"cannot be read ({record.fault}). Look for a quotation mark that does not end, or a very long text."
        return Row(where=where, values={}, problems=(Problem(where=where, pointer="", text=text),))
    values = {column: cell.strip() for column, cell in zip(header, cells, strict=False) if column and cell.strip()}
    if not values:
        return None
    problems: tuple[Problem, ...] = ()
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        text = f"has {len(cells)} cells for {len(header)} columns. Put quotation marks round text with separators."
        problems = (Problem(where=where, pointer="", text=text),)
    return Row(where=where, values=values, problems=problems)


def _begin(records: Iterator[_Record]) -> tuple[list[str], Iterator[_Record]]:
    """The names of the columns, and the rows after them. A title above, alone in its row, is passed over."""
    first = list(islice(records, MOST_TITLES))
    names = [[cell.replace("\x00", "").strip().lstrip("\ufeff") for cell in each.cells] for each in first]
    at = next((place for place, cells in enumerate(names) if sum(map(bool, cells)) > 1), 0)
    return (names[at] if names else [])[:MOST_COLUMNS], chain(first[at + 1 :], records)


def _warning(where: str, text: str) -> Problem:
    return Problem(where=where, pointer="", text=text, error=False)
