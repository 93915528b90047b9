"""`import` and `export` as an operator runs them."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from knowledge.__main__ import main
from tests.integration.knowledge.exchange_builders import identity, served, soup
from tests.unit.knowledge.exchange.standard import EXAMPLES, wrong_by_schema

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder of a live catalogue."""
    monkeypatch.setenv("NWD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NWD_DEMO", "0")
    monkeypatch.setenv("NWD_IMPORT_HOSTS", "127.0.0.1")
    return tmp_path / "data"


def bring(captured: Captured, *arguments: str, code: int = 0) -> Any:
    assert main(["import", "--no-needs", "--json", *arguments]) == code
    return json.loads(captured.readouterr().out)


def write(folder: Path, name: str, body: Any) -> str:
    path = folder / name
    path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return str(path)


def test_a_file_goes_in_and_the_next_time_nothing_changes(tmp_path: Path, capsys: Captured) -> None:
    path = write(tmp_path, "feed.json", [soup(1), soup(2)])
    assert [each["added"] for each in bring(capsys, path)] == [2]
    assert [each["unchanged"] for each in bring(capsys, path)] == [2]


def test_an_operator_reads_what_happened(tmp_path: Path, capsys: Captured) -> None:
    path = write(tmp_path, "feed.json", [soup(1), soup(2, url="x"), soup(3, name="")])
    assert main(["import", "--no-needs", path]) == 3
    said = capsys.readouterr()
    assert "feed.json: 2 services read: 2 added, 0 changed (2 of these are drafts)" in said.out
    assert "draft: Soup 1" in said.out
    assert "python -m knowledge index" in said.out
    assert "error: feed.json:1: [1].url: 'x' is not a web address" in said.err


def test_several_sources_at_once_and_the_official_failures_are_code_3(capsys: Captured) -> None:
    names = ("service_full.json", "service_full_FAIL.json")
    whole, failing = bring(capsys, *(str(EXAMPLES / name) for name in names), code=3)
    assert (whole["errors"], failing["errors"]) == (0, 2)
    assert {each["field"] for each in failing["problems"] if each["severity"] == "error"} == {"url", "email"}


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        pytest.param("feed.txt", "{}", "--format", id="a kind nobody knows"),
        pytest.param("book.ods", "PK", "Save it as XLSX", id="a spreadsheet of another kind"),
        pytest.param("book.xlsx", "PK", "Save it again as XLSX", id="a broken workbook"),
        pytest.param("package.zip", "x", "Pack it again", id="a broken archive"),
        pytest.param("t.csv", "colour\nred\n", "no column is the name", id="a table without names"),
    ],
)
def test_what_cannot_be_read_is_code_1(tmp_path: Path, capsys: Captured, name: str, body: str, said: str) -> None:
    assert main(["import", write(tmp_path, name, body)]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("address", ["https://[bad/services", "https://place.example:99999/services"])
def test_what_is_no_address_is_code_1(capsys: Captured, address: str) -> None:
    (outcome,) = bring(capsys, address, code=1)
    assert "cannot be read. Correct it." in outcome["problems"][0]["problem"]


def test_what_is_not_there_is_code_1(capsys: Captured) -> None:
    assert main(["import", "nothing-here.json"]) == 1
    assert "there is no such file" in capsys.readouterr().err


def test_what_cannot_be_read_takes_nothing_from_what_is_said_of_the_others(tmp_path: Path, capsys: Captured) -> None:
    path = write(tmp_path, "feed.json", [soup(1)])
    missing, whole = bring(capsys, "nothing-here.json", path, code=3)
    assert (missing["complete"], missing["read"], whole["complete"], whole["added"]) == (False, 0, True, 1)
    assert "there is no such file" in missing["problems"][0]["problem"]


@pytest.mark.parametrize("form", ["open-referral-uk", "csv"])
def test_an_export_that_cannot_be_written_is_code_1_and_the_fix(tmp_path: Path, capsys: Captured, form: str) -> None:
    assert main(["export", "--format", form, "--out", str(tmp_path / "no folder" / "out")]) == 1
    assert "no folder/out: cannot be written" in capsys.readouterr().err


def test_a_mapping_is_suggested_kept_and_used_again(tmp_path: Path, data: Path, capsys: Captured) -> None:
    path = write(tmp_path, "list.csv", "Provider,Project,Ring\nSoup Trust,Soup,01632 960001\n")
    bring(capsys, path)
    (kept,) = (data / "imports" / "mappings").iterdir()
    assert "name: Project" in kept.read_text()
    assert "not used: Ring" in kept.read_text()
    kept.write_text(kept.read_text() + "  phone: Ring\n")
    (outcome,) = bring(capsys, path)
    assert outcome["listings"]["changed"][0]["fields"] == ["phones"]
    given = write(tmp_path, "m.yml", "columns: {name: Project, summary: Ring}")
    bring(capsys, path, "--mapping", given)
    assert "summary: Ring" in kept.read_text()


def test_titles_over_a_table_are_passed_over_and_columns_that_are_not_used_are_named(
    tmp_path: Path, capsys: Captured
) -> None:
    rows = ["Our list 2026", ";;", "Town;;", "Service;Phone;Phone 2", "Caf\u00e9;116 123;2", ";;", "Tea;116 123;"]
    path = tmp_path / "list.csv"
    path.write_bytes("\n".join(rows).encode("cp1252"))
    assert main(["import", "--no-needs", str(path)]) == 0
    said = capsys.readouterr()
    assert "2 services read: 2 added" in said.out
    assert "Not used: Phone 2." in said.err


def test_a_table_that_was_put_right_is_matched_anew(tmp_path: Path, capsys: Captured) -> None:
    path = write(tmp_path, "list.csv", "Who,How\nProject,Ring\nSoup,01632 960001\n")
    assert main(["import", "--no-needs", path]) == 1
    assert "reads: Who, How. Take out what is above" in capsys.readouterr().err
    assert bring(capsys, write(tmp_path, "list.csv", "Project,Ring\nSoup,01632 960001\n"))[0]["added"] == 1


def test_a_folder_and_a_zip_of_a_data_package(tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    write(folder, "services.csv", "id,name,status,organization_id\n1,Soup,active,7\n")
    write(folder, "organizations.csv", "id,name,description\n7,Trust,Runs it\n")
    write(folder, "datapackage.json", {})
    assert bring(capsys, str(folder), "--source", "package")[0]["added"] == 1
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"data/{path.name}")
    assert bring(capsys, str(tmp_path / "package.zip"), "--source", "package")[0]["unchanged"] == 1


def test_services_alone_are_read_and_what_is_lacking_is_named(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("services.csv", "id,name,status,organization_id\n1,Soup,active,7\n")
    assert main(["import", "--no-needs", str(path)]) == 0
    said = capsys.readouterr()
    assert "package.zip: 1 service read: 1 added" in said.out
    assert "Read: services.csv. Not there: organizations.csv (who runs them), phones.csv" in said.err


@pytest.mark.parametrize("name", ["services.csv", "list.csv"])
def test_a_table_that_is_alone_is_read_as_a_table(tmp_path: Path, capsys: Captured, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder, name, "Provider,Project\nSoup Trust,Soup\n")
    assert bring(capsys, str(folder))[0]["added"] == 1


def test_a_folder_of_other_files_is_refused_and_they_are_named(tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert main(["import", str(folder)]) == 1
    assert "no services.csv and no JSON, and nothing else" in capsys.readouterr().err
    for name in ("a.csv", "b.csv"):
        write(folder, name, "Project\nSoup\n")
    assert main(["import", str(folder)]) == 1
    assert "only a.csv, b.csv" in capsys.readouterr().err


def test_a_folder_of_documents(tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    write(folder, "1.json", [soup(1)])
    write(folder, "2.json", [soup(2)])
    assert bring(capsys, str(folder))[0]["added"] == 2


def test_a_feed_and_a_file_on_the_web(capsys: Captured) -> None:
    body = json.dumps({"contents": [soup(1)], "total_pages": 1}).encode()
    with served(lambda _path, _headers: (200, {}, body)) as (address, _asked):
        assert bring(capsys, f"{address}/services")[0]["added"] == 1
    with served(lambda _path, _headers: (200, {}, b"name,phone\nTea,01632 960001\n")) as (address, _asked):
        assert bring(capsys, f"{address}/list.csv")[0]["added"] == 1


def test_a_private_host_that_is_not_named_is_code_3_or_1(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NWD_IMPORT_HOSTS", "")
    (outcome,) = bring(capsys, "https://127.0.0.1:1/services", code=1)
    assert "NWD_IMPORT_HOSTS" in outcome["problems"][0]["problem"]


def test_what_a_killed_import_left_is_cleared_away(tmp_path: Path, data: Path, capsys: Captured) -> None:
    left = data / "imports" / ".reading-killed"
    left.mkdir(parents=True)
    (left / "package.sqlite").write_bytes(b"x")
    bring(capsys, write(tmp_path, "feed.json", [soup(1)]))
    assert not [path for path in (data / "imports").iterdir() if path.name.startswith(".reading-")]


def test_needs_are_suggested_from_the_words(tmp_path: Path, capsys: Captured) -> None:
    body = soup(1, name="Food bank", description="A food parcel when you have nothing to eat.")
    assert main(["import", "--publish", "--json", write(tmp_path, "feed.json", [body])]) == 0
    assert json.loads(capsys.readouterr().out)[0]["drafts"] == 0


def test_the_catalogue_goes_out_as_the_standard_and_comes_back(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    assert main(["export", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    page = json.loads(out.read_text())
    assert told["services"] == len(page["contents"]) == page["total_items"] > 40
    assert [wrong for body in page["contents"] for wrong in wrong_by_schema(body)] == []
    assert main(["export"]) == 0
    assert json.loads(capsys.readouterr().out) == page


def test_a_table_goes_out_that_no_spreadsheet_runs(tmp_path: Path, capsys: Captured) -> None:
    bad = soup(1, name='=HYPERLINK("https://evil.example")', description="+44 ring us", no_wrong_door={"summary": "@x"})
    bad["eligibility_description"] = "\uff1dSUM(A1)"
    bad["attributes"] = [
        {"taxonomy_term": {"id": "x", "name": "x", "description": ""}},
    ]
    bring(capsys, write(tmp_path, "feed.json", [bad]))
    from knowledge.publish import open_store
    from knowledge.settings import read_settings

    store, _notes = open_store(read_settings())
    listing = store.listing(identity(1))
    assert listing
    store.save(listing.service, by="Sam", published=True)
    store.close()
    out = tmp_path / "out.csv"
    assert main(["export", "--format", "csv", "--out", str(out)]) == 0
    assert "services are in" in capsys.readouterr().out
    rows = list(csv.DictReader(out.open(encoding="utf-8-sig", newline="")))
    (row,) = [row for row in rows if row["id"] == identity(1)]
    assert row["name"].startswith("'=HYPERLINK")
    assert (row["description"], row["summary"], row["eligibility"]) == ("'+44 ring us", "'@x", "'\uff1dSUM(A1)")
    assert not [cell for row in rows for cell in row.values() if cell[:1] in {"=", "+", "@", "\t", "\r"}]
    assert {row["area"] for row in rows} <= {"town", "county", "national"}
    (outcome,) = bring(capsys, str(out), "--source", "again")
    assert outcome["errors"] == 0
    assert outcome["skipped"] == len(rows)
