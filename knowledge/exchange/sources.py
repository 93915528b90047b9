"""Where services come from: opens whatever it is, and says what it is called and how it is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
from knowledge.exchange.mappings import read_mapping, suggest_mapping, write_mapping
from knowledge.exchange.packages import read_package
from knowledge.exchange.spreadsheets import read_spreadsheet
from knowledge.exchange.tables import read_header
from knowledge.exchange.versions import table_of

FORMATS = ("json", "csv", "package", "feed")
DOCUMENTS = {".json", ".ndjson", ".jsonl"}
TABLES = {".csv", ".tsv"}
SPREADSHEETS = {".xlsx", ".xlsm", ".ods", ".xls"}
LONGEST_NAME = 200


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
    limits: Limits = LIMITS

    def open(self, given: str, source: str, form: str | None = None) -> Opened:
        """Raises ImportRefused when it cannot be read at all."""
        if _is_address(given):
            if form == "feed" or (form is None and Path(urlsplit(given).path).suffix.lower() not in {".zip", ".csv"}):
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
            return self._open_files(_in_folder(path), path.name)
        suffix = path.suffix.lower()
        if suffix == ".zip":
            return self._open_files(unpack(path, self.scratch, self.limits), path.name)
        if suffix in SPREADSHEETS:
            raise ImportRefused(f"{path.name}: spreadsheets are read as CSV. Save it as 'CSV UTF-8' and import that.")
        if form == "json" or (form is None and suffix in DOCUMENTS):
            return _whole(read_document(path, path.name, self.limits))
        if form == "csv" or (form is None and suffix in TABLES):
            return self._open_table(path, source)
        raise ImportRefused(f"{path.name}: is of no kind that is known. Say which with --format: {', '.join(FORMATS)}.")

    def _open_files(self, files: dict[str, Path], name: str) -> Opened:
        """A data package when there is a table of services; else every document on its own."""
        tables = {each: path for each, path in files.items() if path.suffix == ".csv"}
        if any(table_of(each, []) == "services" for each in tables) and len(tables) > 1:
            return _whole(read_package(tables, self.scratch))
        documents = {each: path for each, path in files.items() if path.suffix in DOCUMENTS}
        documents = {each: path for each, path in documents.items() if each != "datapackage.json"}
        if not documents:
            raise ImportRefused(f"{name}: has no services.csv and no JSON. It should be an HSDS data package.")
        return _whole(
            item for each, path in sorted(documents.items()) for item in read_document(path, each, self.limits)
        )

    def _open_table(self, path: Path, source: str) -> Opened:
        header, notes = read_header(path), []
        kept = self.mappings / f"{as_uuid(source)}.yml"
        if self.mapping:
            mapping = read_mapping(self.mapping)
            if self.mapping.resolve() != kept.resolve():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.mapping, kept)
        elif kept.is_file():
            mapping = read_mapping(kept)
        else:
            mapping = suggest_mapping(header)
            write_mapping(kept, mapping, header)
            notes.append(f"The columns were matched by their names and the mapping kept in {kept}. Look it over.")
        missing = [f"{column} ({ours})" for ours, column in mapping.items() if column not in header]
        if missing:
            notes.append(f"Not among the columns of this table: {', '.join(missing)}. Correct {kept}.")
        if mapping.get("name") not in header:
            raise ImportRefused(f"{path.name}: no column is the name of the service. Write 'name: COLUMN' in {kept}.")
        items = read_spreadsheet(path, path.name, mapping, source)
        return replace(_whole(items), notes=tuple(notes))

    def _download(self, address: str) -> Path:
        target = self.scratch / f"download{Path(urlsplit(address).path).suffix.lower()}"
        self.fetcher.fetch(address, target, whole=True)
        return target


def name_source(given: str) -> str:
    """What a source is called when nobody says: the file's name, or the address without its parameters."""
    if _is_address(given):
        parts = urlsplit(given)
        return f"{parts.hostname or ''}{parts.path}"[:LONGEST_NAME]
    return Path(given).resolve().name[:LONGEST_NAME]


def _is_address(given: str) -> bool:
    return "://" in given


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
