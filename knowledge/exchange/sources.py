"""Where services come from: opens whatever it is, and says what it is called and how it is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from knowledge.errors import ImportRefused
from knowledge.exchange.archives import unpack
from knowledge.exchange.documents import read_document
from knowledge.exchange.feeds import Feed, Recall
from knowledge.exchange.fetching import Fetcher
from knowledge.exchange.identity import as_uuid
from knowledge.exchange.limits import LIMITS, Limits
from knowledge.exchange.listings import Item
from knowledge.exchange.mappings import read_mapping, read_sheet_name, suggest_mapping, write_mapping
from knowledge.exchange.meter import Meter, count_lines
from knowledge.exchange.packages import read_package
from knowledge.exchange.spreadsheets import read_spreadsheet
from knowledge.exchange.tables import read_header
from knowledge.exchange.tabular import OTHER_SPREADSHEETS, PLAIN_TABLES, WORKBOOKS, Table, open_table
from knowledge.exchange.versions import table_of

FORMATS = ("json", "csv", "package", "feed")
DOCUMENTS = {".json", ".ndjson", ".jsonl"}
DOWNLOADED = {".zip", *PLAIN_TABLES, *WORKBOOKS}
"""Endings of an address that is one file and no feed."""
LONGEST_NAME = 200
MOST_NAMED = 5
"""Files or columns that a message names."""
PARTS = {"organizations": "who runs them", "phones": "their numbers", "locations": "their places"}
"""Tables without which a data package can be read, but its listings are not whole."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """`items` are read once. `complete` is asked afterwards. `notes` are for the operator."""

    items: Iterator[Item]
    complete: Callable[[], bool]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Opener:
    """What opening depends on. `scratch` is emptied by whoever made it; mappings are kept in `mappings`."""

    scratch: Path
    mappings: Path
    fetcher: Fetcher
    recall: Recall
    mapping: Path | None = None
    sheet: str = ""
    limits: Limits = LIMITS
    meter: Meter = field(default_factory=Meter)

    def open(self, given: str, source: str, form: str | None = None) -> Opened:
        """Raises ImportRefused when it cannot be read at all."""
        if _is_address(given):
            if form == "feed" or (form is None and _ending(given) not in DOWNLOADED):
                feed = Feed(given, self.fetcher, self.recall, self.scratch, self.limits)
                return Opened(items=feed.items(), complete=lambda: feed.complete)
            path = self._download(given)
        else:
            path = Path(given)
        if not path.exists():
            raise ImportRefused(f"{given}: there is no such file or folder. Check the name.")
        return self._open_path(path, source, form)

    def _open_path(self, path: Path, source: str, form: str | None) -> Opened:
        if path.is_dir():
            return self._open_files(_in_folder(path), path.name, source)
        suffix = path.suffix.lower()
        if suffix == ".zip":
            return self._open_files(unpack(path, self.scratch, self.limits), path.name, source)
        if suffix in OTHER_SPREADSHEETS:
            raise ImportRefused(f"{path.name}: is no kind of spreadsheet that is read. Save it as XLSX or 'CSV UTF-8'.")
        if suffix in WORKBOOKS:
            return self._open_table(path, source)
        if form == "json" or (form is None and suffix in DOCUMENTS):
            self.meter.total = path.stat().st_size
            return _whole(read_document(path, path.name, self.limits, self.meter))
        if form == "csv" or (form is None and suffix in PLAIN_TABLES):
            return self._open_table(path, source)
        raise ImportRefused(f"{path.name}: is of no kind that is known. Say which with --format: {', '.join(FORMATS)}.")

    def _open_files(self, files: dict[str, Path], name: str, source: str) -> Opened:
        """A data package when the standard's services are there; else every document on its own, or the one table."""
        tables = {each: path for each, path in files.items() if path.suffix == ".csv"}
        services = [path for each, path in tables.items() if table_of(each, []) == "services"]
        if services and (len(tables) > 1 or {"id", "name"} <= set(read_header(services[0]))):
            return replace(_whole(read_package(tables, self.scratch)), notes=_lacking(tables))
        documents = {each: path for each, path in files.items() if path.suffix in DOCUMENTS}
        documents = {each: path for each, path in documents.items() if each != "datapackage.json"}
        if not documents:
            if len(tables) == 1:
                return self._open_table(next(iter(tables.values())), source)
            found = f"only {', '.join(sorted(files)[:MOST_NAMED])}" if files else "and nothing else"
            raise ImportRefused(
                f"{name}: has no services.csv and no JSON, {found}. An HSDS data package has a services.csv;"
                " import other tables one by one."
            )
        self.meter.total = sum(path.stat().st_size for path in documents.values())
        return _whole(
            item
            for each, path in sorted(documents.items())
            for item in read_document(path, each, self.limits, self.meter)
        )

    def _open_table(self, path: Path, source: str) -> Opened:
        kept, notes = kept_mapping(self.mappings, source), []
        if self.mapping and self.mapping.resolve() != kept.resolve():
            read_mapping(self.mapping)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.mapping, kept)
        known = kept.is_file() and "name" in read_mapping(kept)  # without it nothing was ever read by it
        sheet = self.sheet or (read_sheet_name(kept) if known and path.suffix.lower() in WORKBOOKS else "")
        table = open_table(path, sheet=sheet, limits=self.limits)
        mapping = read_mapping(kept) if known else suggest_mapping(table.header)
        if not known:
            write_mapping(kept, mapping, table.header, table.sheet)
            unused = [column for column in table.header if column and column not in mapping.values()][:MOST_NAMED]
            notes.append(
                f"The columns were matched by their names and the mapping kept in {kept}. Look it over."
                + (f" Not used: {', '.join(unused)}." if unused else "")
            )
        notes += _unfit(table, mapping, path.name, kept)
        self.meter.total = count_lines(path) if path.suffix.lower() in PLAIN_TABLES else 0
        return replace(_whole(self.meter.count(read_spreadsheet(table, mapping, source))), notes=tuple(notes))

    def _download(self, address: str) -> Path:
        target = self.scratch / f"download{_ending(address)}"
        self.fetcher.fetch(address, target, whole=True)
        return target


def _lacking(tables: Mapping[str, Path]) -> tuple[str, ...]:
    """What was taken of a data package, when it does not say what people need of every listing."""
    known = {table_of(each, []) for each in tables}
    lacking = [f"{table}.csv ({what})" for table, what in PARTS.items() if table not in known]
    return (f"Read: {', '.join(sorted(tables))}. Not there: {', '.join(lacking)}.",) if lacking else ()


def kept_mapping(folder: Path, source: str) -> Path:
    """Where the mapping of a source is kept for the next time."""
    return folder / f"{as_uuid(source)}.yml"


def _unfit(table: Table, mapping: dict[str, str], name: str, kept: Path) -> list[str]:
    """What a mapping names and the table does not have. Raises ImportRefused when nothing says what is listed."""
    if mapping.get("name") not in table.header:
        seen = ", ".join([column for column in table.header if column][:MOST_NAMED]) or "nothing"
        raise ImportRefused(
            f"{name}: no column is the name of the service. The row taken for the names of columns reads: {seen}."
            f" Take out what is above the real one, or write 'name: COLUMN' in {kept}."
        )
    missing = [f"{column} ({ours})" for ours, column in mapping.items() if column not in table.header]
    return [f"Not among the columns of this table: {', '.join(missing)}. Correct {kept}."] if missing else []


def name_source(given: str) -> str:
    """What a source is called when nobody says: the file's name, or the address without its parameters."""
    if _is_address(given):
        with suppress(ValueError):  # refused when it is opened
            parts = urlsplit(given)
            return f"{parts.hostname or ''}{parts.path}"[:LONGEST_NAME]
    return Path(given).resolve().name[:LONGEST_NAME]


def _is_address(given: str) -> bool:
    return "://" in given


def _ending(address: str) -> str:
    try:
        return Path(urlsplit(address).path).suffix.lower()
    except ValueError:
        raise ImportRefused("This is not an address: its host cannot be read. Correct it.") from None


def _in_folder(folder: Path) -> dict[str, Path]:
    """The files of a folder; links out of it are not followed."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            found[path.name] = path
    return found


def _whole(items: Iterator[Item]) -> Opened:
    """A source that ends where its file does, unless something in it could not be read as text."""
    broken: list[Item] = []

    def watch() -> Iterator[Item]:
        for item in items:
            if item.body is None and any(problem.error and not problem.pointer for problem in item.problems):
                broken.append(item)
            yield item

    return Opened(items=watch(), complete=lambda: not broken)
