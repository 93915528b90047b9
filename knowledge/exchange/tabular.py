"""One table of services, whatever file it is in: its columns, and its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.errors import ImportRefused
from knowledge.exchange.limits import LIMITS, Limits
from knowledge.exchange.tables import Row, read_header, read_rows
from knowledge.exchange.workbooks import choose_sheet, read_sheet, shown_columns

PLAIN_TABLES = {".csv", ".tsv"}
WORKBOOKS = {".xlsx", ".xlsm"}
OTHER_SPREADSHEETS = {".ods", ".xls", ".xlsb", ".numbers"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """`rows` can be asked for more than once. `shown` is what a column is called in problems."""

    header: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    sheet: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)


def open_table(path: Path, *, sheet: str = "", name: str = "", limits: Limits = LIMITS) -> Table:
    """By the ending of its name; a file without one is CSV. `name` is what people call the file.

    Raises ImportRefused.
    """
    name = name or path.name
    if path.suffix.lower() in WORKBOOKS:
        chosen = choose_sheet(path, sheet, limits)
        return Table(
            header=chosen.columns,
            rows=lambda: read_sheet(path, name, chosen),
            sheet=chosen.name,
            shown=shown_columns(chosen),
        )
    if sheet:
        raise ImportRefused(f"{name}: only a workbook (XLSX) has sheets. Leave --sheet out.")
    return Table(header=tuple(read_header(path)), rows=lambda: read_rows(path, name))
