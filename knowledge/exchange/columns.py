"""What a table has to offer, for somebody who says which column means what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from knowledge.errors import ImportRefused
from knowledge.exchange.mappings import FIELDS, read_mapping, read_sheet_name, suggest_mapping, write_mapping
from knowledge.exchange.tabular import WORKBOOKS, open_table
from knowledge.exchange.workbooks import sheet_names

SAMPLES = 20
"""Rows in which an example of each column is looked for."""
LONGEST_SAMPLE = 60


@dataclass(frozen=True, kw_only=True)
class Columns:
    """`sheet` is empty, and so is `header`, until one of several sheets is chosen. `mapping`: kept, or suggested."""

    sheets: tuple[str, ...] = ()
    sheet: str = ""
    header: tuple[str, ...] = ()
    samples: Mapping[str, str] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)
    kept: bool = False


def read_columns(path: Path, kept: Path, sheet: str = "") -> Columns:
    """Raises ImportRefused. `kept` is where the mapping of the source is, if it came before."""
    sheets: tuple[str, ...] = ()
    if path.suffix.lower() in WORKBOOKS:
        sheets = tuple(sheet_names(path))
        known = read_sheet_name(kept) if kept.is_file() else ""
        sheet = sheet or (known if known in sheets else "") or (sheets[0] if len(sheets) == 1 else "")
        if sheet not in sheets:
            return Columns(sheets=sheets)
    table = open_table(path, sheet=sheet)
    if not any(table.header):
        raise ImportRefused(f"{path.name}: has no row with the names of its columns. Give it one and send it again.")
    samples: dict[str, str] = {}
    for row in islice(table.rows(), SAMPLES):
        for column, value in row.values.items():
            samples.setdefault(column, value if len(value) <= LONGEST_SAMPLE else f"{value[: LONGEST_SAMPLE - 3]}...")
    before = read_mapping(kept) if kept.is_file() else {}
    fitting = {ours: column for ours, column in before.items() if column in table.header}
    return Columns(
        sheets=sheets,
        sheet=table.sheet,
        header=tuple(column for column in table.header if column),
        samples=samples,
        mapping=fitting or suggest_mapping(table.header),
        kept=bool(fitting),
    )


def keep_columns(kept: Path, columns: Columns, chosen: Mapping[str, str]) -> None:
    """Write down what was chosen, for this import and the next. Raises ImportRefused naming what to choose."""
    mapping = {ours: column for ours, column in chosen.items() if ours in FIELDS and column}
    strange = [column for column in mapping.values() if column not in columns.header]
    if strange:
        raise ImportRefused(f"{strange[0]}: is no column of this table. Choose again.")
    if "name" not in mapping:
        raise ImportRefused("Choose the column that has the name of each service.")
    write_mapping(kept, mapping, columns.header, columns.sheet)
