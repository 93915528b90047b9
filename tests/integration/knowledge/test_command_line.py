"""The commands as an operator runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge.__main__ import main
from knowledge.settings import PACKAGE_DATA, Settings

FOREIGN = [
    {
        "id": "f1",
        "name": "Food Pantry",
        "description": "Groceries.",
        "airs_terms": "Basic Needs - Food - Food Pantries",
    },
    {"id": "f2", "name": "Grief Group", "description": "Talk.", "airs_terms": "Bereavement Counseling; Adults"},
    {"id": "f3", "organization": "C", "name": "Credit Union", "description": "Bank.", "airs_terms": ""},
]
QUERIES = [
    {"id": "q1", "text": "i have nothing to eat"},
    {"id": "q2", "text": "my mum died"},
    {"id": "q3", "text": "?"},
]
QRELS = [{"qid": "q1", "rel2": ["f1"], "rel1": []}, {"qid": "q2", "rel2": ["f2"]}]


@pytest.fixture
def environment(published: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("NWD_DATA_DIR", str(published.data_dir))
    monkeypatch.setenv("NWD_BUILD_DIR", str(published.build_dir.resolve()))
    return dict(os.environ)


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", "-m", "knowledge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_an_unchanged_index_is_said_at_once_without_any_model_library(environment: dict[str, str]) -> None:
    done = run(environment, "index")
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing changed: index ")
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "sklearn", "faiss", "onnxruntime", "sentence_transformers", "transformers", "bm25s"}


def test_search_says_what_and_why(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "cant pay my rent and im so down", "--near", "Millgate"]) == 0
    said = capsys.readouterr().out
    assert "Near Millgate" in said
    assert "Rent and mortgage worries" in said
    assert said.count("because ") == 3


def test_search_for_programs(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "food bank", "--limit", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["matches"]) == 2
    assert found["needs"][0]["id"] == "food"
    assert {"id", "name", "phone", "reason", "score", "strength", "hours", "miles"} <= set(found["matches"][0])


@pytest.mark.parametrize("arguments", [[], ["fly"], ["search"], ["search", "x", "--limit", "0"], ["evaluate"]])
def test_a_command_that_is_not_understood_is_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2


def test_no_index_is_code_1_and_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NWD_DATA_DIR", str(tmp_path))
    assert main(["search", "rent"]) == 1
    assert "python -m knowledge index" in capsys.readouterr().err


def test_a_wrong_setting_is_code_1_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NWD_STALE_DAYS", "soon")
    assert main(["check"]) == 1
    assert "NWD_STALE_DAYS: " in capsys.readouterr().err


def test_the_content_we_ship_is_without_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert "0 errors" in capsys.readouterr().out


def test_content_with_mistakes_is_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(PACKAGE_DATA, tmp_path / "content")
    (tmp_path / "content" / "crisis_lines.yml").write_text("GB: {lines: []}\nIE: {}")
    needs = tmp_path / "content" / "needs.yml"
    needs.write_text(needs.read_text().replace("\n  urgency: 3", "\n  urgency: 9", 1))
    monkeypatch.setenv("NWD_CONTENT_DIR", str(tmp_path / "content"))
    monkeypatch.setenv("NWD_COUNTRY", "IE")
    assert main(["check"]) == 1
    said = capsys.readouterr().out
    assert "urgency: must be 1, 2 or 3" in said
    assert "crisis_lines.yml: IE: cannot be used" in said


def test_a_whole_encoder_needs_nothing(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-encoder"]) == 0
    assert "Nothing to do" in capsys.readouterr().out


def write_rows(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "\n")
    return str(path)


@pytest.fixture
def measured(environment: dict[str, str], tmp_path: Path) -> list[str]:
    return [
        "evaluate", "--catalogue", write_rows(tmp_path / "c.jsonl", FOREIGN),
        "--queries", write_rows(tmp_path / "q.jsonl", QUERIES), "--qrels", write_rows(tmp_path / "r.jsonl", QRELS),
    ]  # fmt: skip


SYSTEMS = ["random", "bm25", "minilm", "ours"]
MEASURES = {"ndcg@10", "hit@3", "hit@5", "coverage@10", "macro_ndcg@10", "sms_ndcg@10"}


def test_search_is_measured_on_another_catalogue(measured: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*measured, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report) == SYSTEMS
    assert all(set(measures) == MEASURES for measures in report.values())
    assert report["ours"]["ndcg@10"] == pytest.approx(1.0)


def test_figures_with_foreign_terms_are_apart(measured: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*measured, "--json", "--airs-terms"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == [*SYSTEMS, "ours_with_airs_terms"]


def test_every_ranking_can_be_kept(measured: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*measured, "--json", "--runs", str(tmp_path / "deep" / "runs")]) == 0
    for system in SYSTEMS:
        rows = [json.loads(row) for row in (tmp_path / "deep" / "runs" / f"{system}.jsonl").read_text().splitlines()]
        assert [row["qid"] for row in rows] == [row["id"] for row in QUERIES]
        assert all(sorted(row["ranked"]) == sorted(str(each["id"]) for each in FOREIGN) for row in rows)


def test_a_measurement_can_be_read_by_people(measured: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(measured) == 0
    said = capsys.readouterr().out
    assert "2 messages, 3 services" in said
    assert "ours over minilm" in said
    assert "ndcg@10 by need" in said


@pytest.mark.parametrize(
    ("rows", "said"),
    [(None, "cannot be read"), ("{broken", "q.jsonl:1: is not a line of JSON"), ("", "No message has")],
)
def test_files_that_cannot_be_measured_are_said(
    measured: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: str | None, said: str
) -> None:
    path = tmp_path / "q.jsonl"
    path.unlink() if rows is None else path.write_text(rows)
    assert main(measured) == 1
    assert said in capsys.readouterr().err


def test_an_index_for_programs(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["built"] is False
    assert told["services"] > 40


def test_a_check_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["errors"] == 0
    assert told["warnings"] == len(told["findings"])
