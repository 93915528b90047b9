"""Reading somebody else's files, and what becomes of rankings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.errors import CatalogueFileError
from knowledge.evaluate import report, write_runs
from knowledge.measures import Query
from knowledge.outside_catalogue import read_queries, read_services


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_a_listing_with_gaps_is_still_a_listing(tmp_path: Path) -> None:
    rows = (
        {"id": 7, "name": "Pantry", "organization": None, "description": None, "airs_terms": "A - Food; Xy; Food"},
        {"organization": "Quiet Trust", "eligibility": "Adults", "application": "Call"},
        {"id": "7", "name": "The same again"},
    )
    first, second = read_services(write(tmp_path / "c.jsonl", *rows))
    assert (first.id, first.name, first.organisation.name, first.description) == ("7", "Pantry", "Pantry", "")
    assert (second.id, second.name, second.eligibility, second.how_to) == ("line-2", "Quiet Trust", "Adults", "Call")
    assert first.terms == ()


def test_terms_of_another_taxonomy_are_read_only_when_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "c.jsonl", {"id": "a", "name": "Pantry", "airs_terms": "Basic - Food; Xy; Food; Diapers"})
    assert [each.terms for each in read_services(path, terms=True)] == [("Food", "Diapers")]


def test_messages_without_judgments_are_kept_to_be_ranked(tmp_path: Path) -> None:
    queries = write(
        tmp_path / "q.jsonl",
        {"id": "1", "text": "hungry", "needs": ["food"]},
        {"id": "2", "text": "hello"},
        {"id": "3", "text": None},
        {"text": "nobody"},
    )
    qrels = write(tmp_path / "r.jsonl", {"qid": "1", "rel2": ["a"], "rel1": None}, {"qid": "9", "rel2": ["a"]})
    assert read_queries(queries, qrels) == (
        Query(id="1", text="hungry", needs=("food",), direct=frozenset({"a"})),
        Query(id="2", text="hello"),
        Query(id="3", text=""),
    )


def test_halves_of_characters_are_left_out_and_ids_still_meet(tmp_path: Path) -> None:
    """A text that was cut in the middle of an emoji has them; no tokeniser and no file takes them."""
    (listing,) = read_services(
        write(tmp_path / "c.jsonl", {"id": "a \ud83d", "name": "Pantry \ud83d", "description": "\ud83d"})
    )
    queries = write(tmp_path / "q.jsonl", {"id": "1", "text": "hungry \ud83d"})
    (query,) = read_queries(queries, write(tmp_path / "r.jsonl", {"qid": "1", "rel2": ["a \ud83d"]}))
    assert (listing.name, listing.description, query.text) == ("Pantry", "", "hungry")
    assert query.direct == {listing.id}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "no listing", id="empty"),
        pytest.param("[1]", "c.jsonl:1: is not a JSON object", id="a list"),
        pytest.param("{", "c.jsonl:1: is not a line of JSON", id="broken"),
    ],
)
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(CatalogueFileError, match=said):
        read_services(write(tmp_path / "c.jsonl", content))


QUERIES = (
    Query(id="1", text="x", needs=("food",), direct=frozenset({"a"})),
    Query(id="2", text="x"),
)


def test_a_report_leaves_out_what_has_no_judgment() -> None:
    made = report({"minilm": [["b", "a"], ["a"]], "ours": [["a", "b"], ["b"]]}, QUERIES, 2, ["good", "wider"])
    assert (made.queries, made.services) == (1, 2)
    assert made.to_dict()["ours"]["ndcg@10"] == 1.0
    assert made.gain["ndcg@10"].mean > 0
    assert made.needs["ours"] == {"food": (1, 1.0)}
    assert made.reliability == {"good": (1, 1.0)}


def test_runs_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogueFileError, match="cannot be written"):
        write_runs(tmp_path / "file", QUERIES, {"ours": [["a"], ["b"]]})
