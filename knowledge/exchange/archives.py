"""Zip files that may be hostile: looked through before anything is unpacked, and counted while it is.

Entries are written under names of our own into a folder of our own, so no path in the archive means anything.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from knowledge.errors import ImportRefused
from knowledge.exchange.limits import LIMITS, Limits

WANTED = {".csv", ".json"}
ARCHIVES = {".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst"}
CHUNK = 1 << 20


def unpack(path: Path, folder: Path, limits: Limits = LIMITS) -> dict[str, Path]:
    """The tables and documents of an archive: the name of each (without folders) and where it was put.

    Raises ImportRefused, and nothing of the archive is used.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            check_entries(path.name, entries, limits)
            unpacked: dict[str, Path] = {}
            left = limits.archive_bytes
            for number, entry in enumerate(entries):
                name = PurePosixPath(entry.filename).name
                if PurePosixPath(name).suffix.lower() not in WANTED or name.startswith("."):
                    continue
                if name in unpacked:
                    raise ImportRefused(f"{path.name}: {name} is in it twice. Put one data package in one archive.")
                unpacked[name] = folder / f"{number}{PurePosixPath(name).suffix.lower()}"
                left -= _copy(archive, entry, unpacked[name], min(left, _allowed(entry, limits)), path.name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError) as error:
        raise ImportRefused(f"{path.name}: is not a zip file that can be read ({error}). Pack it again.") from None
    return unpacked


def check_entries(name: str, entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    """What the list of an archive says, before anything of it is read. Raises ImportRefused."""
    if len(entries) > limits.archive_entries:
        raise ImportRefused(f"{name}: has {len(entries)} files, at most {limits.archive_entries} are read.")
    if sum(entry.file_size for entry in entries) > limits.archive_bytes:
        raise ImportRefused(f"{name}: is larger than {limits.archive_bytes:,} bytes when unpacked. Split it.")
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in "".join(parts.parts[:1]):
            raise ImportRefused(f"{name}: a file in it wants to be outside its folder. Do not use this archive.")
        if entry.flag_bits & 1:
            raise ImportRefused(f"{name}: has a password. Pack it again without one.")
        if parts.suffix.lower() in ARCHIVES:
            raise ImportRefused(f"{name}: has another archive in it ({parts.name}). Unpack that and import it alone.")
        if entry.file_size > _allowed(entry, limits):
            raise _bomb(name, parts.name)


def _allowed(entry: zipfile.ZipInfo, limits: Limits) -> int:
    return max(limits.ratio_from, entry.compress_size * limits.ratio)


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int, name: str) -> int:
    """Bytes written. The sizes an archive states may be lies, so they are counted."""
    written = 0
    with archive.open(entry) as packed, target.open("wb") as out:
        while chunk := packed.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise _bomb(name, target.name)
            out.write(chunk)
    return written


def _bomb(name: str, inner: str) -> ImportRefused:
    return ImportRefused(f"{name}: {inner} unpacks to far more than it says or should. Do not use this archive.")
