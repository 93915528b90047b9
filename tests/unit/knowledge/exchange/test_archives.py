"""Zip files that want to do harm."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.errors import ImportRefused
from knowledge.exchange.archives import unpack
from knowledge.exchange.limits import LIMITS

SMALL = replace(LIMITS, archive_entries=5, archive_bytes=3_000_000, ratio_from=10_000)


def packed(folder: Path, files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return path


def test_tables_and_documents_are_unpacked_under_names_of_ours(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    path = packed(
        tmp_path, {"data/services.csv": b"id\n1\n", "datapackage.json": b"{}", "read.me": b"x", ".x.csv": b"", ".": b""}
    )
    found = unpack(path, out, SMALL)
    assert sorted(found) == ["datapackage.json", "services.csv"]
    assert found["services.csv"].read_bytes() == b"id\n1\n"
    assert sorted(each.name for each in out.iterdir()) == ["0.csv", "1.json"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({"../../services.csv": b"x"}, "outside its folder", id="a path upwards"),
        pytest.param({"/etc/services.csv": b"x"}, "outside its folder", id="an absolute path"),
        pytest.param({"..\\services.csv": b"x"}, "outside its folder", id="a path upwards with backslashes"),
        pytest.param({"C:/services.csv": b"x"}, "outside its folder", id="a drive"),
        pytest.param({f"{number}.csv": b"x" for number in range(6)}, "6 files", id="too many files"),
        pytest.param({"services.csv": b"a" * 2_900_000, "b.csv": b"b" * 200_000}, "larger than", id="too large"),
        pytest.param({"services.csv": b"a" * 2_900_000}, "far more than", id="packed too well"),
        pytest.param({"inner.zip": b"PK"}, "another archive", id="an archive inside"),
        pytest.param({"a/services.csv": b"x", "b/services.csv": b"y"}, "in it twice", id="a name twice"),
    ],
)
def test_harmful_archives_are_refused(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ImportRefused, match=said):
        unpack(packed(tmp_path, files), out, SMALL)
    assert not (tmp_path.parent / "services.csv").exists()


def test_an_archive_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, {"services.csv": bytes(5_000_000)})
    body = path.read_bytes().replace((5_000_000).to_bytes(4, "little"), (5_000).to_bytes(4, "little"))
    path.write_bytes(body)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ImportRefused):
        unpack(path, out, SMALL)
    assert sum(each.stat().st_size for each in out.iterdir()) <= SMALL.archive_bytes


@pytest.mark.parametrize("body", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_what_is_no_zip_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "package.zip").write_bytes(body)
    with pytest.raises(ImportRefused, match="Pack it again"):
        unpack(tmp_path / "package.zip", tmp_path)


def test_a_password_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, {"services.csv": b"x"}, zipfile.ZIP_STORED)
    body = bytearray(path.read_bytes())
    body[body.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(body))
    with pytest.raises(ImportRefused, match="password"):
        unpack(path, tmp_path)
