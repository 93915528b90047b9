"""A workbook (XLSX) is a zip full of XML, and may be hostile: looked through before a library builds anything of it.

What a reader keeps in memory is what is not inside a row or a shared text, so that is counted; definitions of
entities, which can swell, are refused. Formulas are only looked at: which of them have no saved result.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from knowledge.errors import ImportRefused
from knowledge.exchange.archives import check_entries
from knowledge.exchange.limits import LIMITS, Limits

CHUNK = 1 << 20
PICTURES = "xl/media/"
"""Drawings (SVG) may have a document type."""
LET_GO = {"row", "si"}
"""Elements that a reader forgets when they end."""


@dataclass
class _Look:
    """One part of the workbook, as it goes by."""

    limits: Limits
    depth: int = 0
    inside: int = 0
    """The depth of the row or text that we are in; 0 outside of one."""
    kept: int = 0
    held: int = 0
    cell: str = ""
    has_formula: bool = False
    has_value: bool = False
    empty: set[str] = field(default_factory=set)

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > self.limits.depth:
            raise _Hostile
        tag = tag.rsplit(":", 1)[-1]
        if not self.inside and tag in LET_GO:
            self.inside, self.held = self.depth, 0
        if self.inside:
            self.held += 1
        else:
            self.kept += 1
        if max(self.held, self.kept) > self.limits.sheet_elements:
            raise _Hostile
        if tag == "c":
            self.cell, self.has_formula, self.has_value = attributes.get("r", ""), False, False
        elif tag == "f":
            self.has_formula = True
        elif tag in {"v", "is"}:
            self.has_value = True

    def end(self, tag: str) -> None:
        if self.depth == self.inside:
            self.inside = 0
        self.depth -= 1
        formula = tag.rsplit(":", 1)[-1] == "c" and self.has_formula and not self.has_value
        if formula and len(self.empty) < self.limits.sheet_elements:
            self.empty.add(self.cell)


class _Hostile(Exception):
    """Not said to anybody: `look_through` says it."""


def look_through(path: Path, limits: Limits = LIMITS) -> dict[str, set[str]]:
    """Cells (A1) of each part whose formula has no saved result. Raises ImportRefused.

    The archive's stated sizes can be believed here, because `zipfile` gives no more than them.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            check_entries(path.name, entries, limits)
            if sum(entry.file_size for entry in entries) > limits.workbook_bytes:
                raise ImportRefused(
                    f"{path.name}: is larger than {limits.workbook_bytes:,} bytes when unpacked. Save it as CSV."
                )
            if "[Content_Types].xml" not in archive.namelist():
                raise ImportRefused(f"{path.name}: is not an Excel workbook. Save it as XLSX or as 'CSV UTF-8'.")
            return {entry.filename: _look_at(archive, entry, limits) for entry in entries}
    except _Hostile:
        raise ImportRefused(f"{path.name}: is not built like a spreadsheet. Save it as 'CSV UTF-8'.") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError) as error:
        raise ImportRefused(f"{path.name}: cannot be read ({error}). Save it again as XLSX.") from None


def _look_at(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> set[str]:
    """Pictures and the like are no XML: the reader would stop at the same place as this does."""
    look, parser = _Look(limits), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = look.begin, look.end
    if not entry.filename.startswith(PICTURES):
        parser.StartDoctypeDeclHandler = _refuse
    with archive.open(entry) as packed:
        try:
            while chunk := packed.read(CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except expat.ExpatError:
            pass
    return look.empty


def _refuse(*_definition: object) -> None:
    raise _Hostile
