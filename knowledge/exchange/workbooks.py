"""Rows of a workbook (XLSX), one at a time: what people see in the cells, never what a formula would do.

openpyxl reads it without formulas, macros, links to other files or pictures. Row and column are said as the
spreadsheet shows them.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from knowledge.errors import ImportRefused
from knowledge.exchange.cells import is_bare_number, say_cell
from knowledge.exchange.limits import LIMITS, Limits
from knowledge.exchange.problems import Problem
from knowledge.exchange.tables import MOST_COLUMNS, Row
from knowledge.exchange.workbook_guard import look_through

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

MOST_ROWS = 1_048_576
"""Of the format itself. A row that says it is further down is not read."""
HEADER_WITHIN = 20
"""Rows in which the names of the columns are looked for: a title often stands above them."""
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ParseError, KeyError, ValueError, TypeError,
              AttributeError, IndexError, OverflowError)  # fmt: skip
"""What openpyxl raises for files that are not as they should be."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet. `at` is the row of the header; `columns` are its names in order, empty where there is none."""

    name: str
    at: int
    columns: tuple[str, ...]
    unsaved: frozenset[str]
    """Cells whose formula has no saved result."""


def sheet_names(path: Path, limits: Limits = LIMITS) -> list[str]:
    """The sheets that are not hidden. Raises ImportRefused."""
    look_through(path, limits)
    with _opened(path) as book:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


def choose_sheet(path: Path, wanted: str, limits: Limits = LIMITS) -> Sheet:
    """The sheet of this name, or the only one. Raises ImportRefused naming those there are."""
    unsaved = look_through(path, limits)
    with _opened(path) as book:
        titles = {sheet.title.strip().lower(): sheet for sheet in book.worksheets}
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        sheet = titles.get(wanted.strip().lower()) if wanted else shown[0] if len(shown) == 1 else None
        if sheet is None:
            names = ", ".join(repr(each.title) for each in shown) or "none"
            said = f"has no sheet {wanted!r}" if wanted else "has several sheets"
            raise ImportRefused(f"{path.name}: {said}. Say which with --sheet: {names}.")
        at, columns = _header(sheet)
        part = str(getattr(sheet, "_worksheet_path", ""))  # openpyxl has no public name for it
        empty = frozenset(unsaved.get(part.lstrip("/"), ()))
        return Sheet(name=sheet.title, at=at, columns=columns, unsaved=empty)


def read_sheet(path: Path, name: str, sheet: Sheet) -> Iterator[Row]:
    """Every row under the header. `name` is what the file is called."""
    number = sheet.at
    try:
        with _opened(path) as book:
            for number, cells in enumerate(_rows(book[sheet.name], sheet.at + 1), start=sheet.at + 1):
                row = _row(cells, number, name, sheet)
                if row.values or row.problems:
                    yield row
    except UNREADABLE as error:
        where = _place(name, sheet, number + 1)
        text = f"cannot be read from here on ({type(error).__name__}). Save it again as XLSX, or as 'CSV UTF-8'."
        yield Row(where=where, values={}, problems=(Problem(where=where, pointer="", text=text),))


def shown_columns(sheet: Sheet) -> Mapping[str, str]:
    """A column's name to what people are told: "Telephone (column C)"."""
    return {column: f"{column} (column {_letters(at)})" for at, column in enumerate(sheet.columns, start=1) if column}


def _row(cells: Sequence[Any], number: int, name: str, sheet: Sheet) -> Row:
    values, bare, problems = {}, set(), []
    where, shown = _place(name, sheet, number), shown_columns(sheet)
    for at, (column, cell) in enumerate(zip(sheet.columns, cells, strict=False), start=1):
        if not column:
            continue
        if cell.data_type == "e":
            text = f"shows the error {cell.value}. Put the formula right, save, and import again."
            problems.append(Problem(where=where, pointer=shown[column], text=text))
        elif f"{_letters(at)}{number}" in sheet.unsaved:
            text = "is a formula without a saved result. Open it in a spreadsheet program, save, and import again."
            problems.append(Problem(where=where, pointer=shown[column], text=text))
        elif said := say_cell(cell.value, _pattern(cell)):
            values[column] = said
            if is_bare_number(cell.value, _pattern(cell)):
                bare.add(column)
    extra = [cell for cell in cells[len(sheet.columns) :] if cell.value is not None]
    if extra and values:
        text = f"has {len(extra)} cells to the right of the last column's name. Give those columns a name."
        problems.append(Problem(where=where, pointer="", text=text, error=False))
    return Row(where=where, values=values, problems=tuple(problems), bare_numbers=frozenset(bare))


def _header(sheet: Any) -> tuple[int, tuple[str, ...]]:
    """The first row with two names or more, else the first with anything in it."""
    first: tuple[int, tuple[str, ...]] = (1, ())
    for number, cells in enumerate(islice(_rows(sheet, 1), HEADER_WITHIN), start=1):
        names = tuple(" ".join(say_cell(cell.value, _pattern(cell)).split()) for cell in cells)[:MOST_COLUMNS]
        while names and not names[-1]:
            names = names[:-1]
        if sum(map(bool, names)) > 1:
            return number, names
        if names and not first[1]:
            first = (number, names)
    return first


def _rows(sheet: Any, start: int) -> Iterator[Sequence[Any]]:
    """The stated size of a sheet is often wrong, so it is not used."""
    sheet.reset_dimensions()
    yield from sheet.iter_rows(min_row=start, max_row=MOST_ROWS)


def _pattern(cell: Any) -> str:
    return str(cell.number_format or "") if cell.value is not None else ""


def _place(name: str, sheet: Sheet, number: int) -> str:
    return f"{name}: sheet {sheet.name!r}, row {number}"


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@contextmanager
def _opened(path: Path) -> Iterator[Workbook]:
    """Raises ImportRefused when it is no workbook."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False, keep_vba=False)
    except UNREADABLE:
        raise ImportRefused(f"{path.name}: is not a workbook that can be read. Save it again as XLSX.") from None
    try:
        yield book
    finally:
        book.close()
