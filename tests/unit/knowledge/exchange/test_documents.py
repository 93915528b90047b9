"""JSON files of every kind and size, whole and broken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from knowledge.exchange.documents import FIRST_READ, MOST_BROKEN, expand, read_document
from knowledge.exchange.limits import LIMITS
from knowledge.exchange.listings import Item
from tests.unit.knowledge.exchange.standard import EXAMPLES, READER, minimal


def read_text(folder: Path, text: str | bytes) -> list[Item]:
    path = folder / "feed.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_document(path, path.name))


def names(items: list[Item]) -> list[Any]:
    return [item.body["name"] for item in items if item.body]


def problems(items: list[Item]) -> list[str]:
    return [str(problem) for item in items for problem in item.problems]


SERVICES = [minimal(name="A"), minimal(name="B")]
OWNER = {"id": "o1", "name": "Owner", "description": "Runs it."}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        pytest.param(minimal(name="A"), [""], id="one service"),
        pytest.param(SERVICES, ["[0]", "[1]"], id="a list"),
        pytest.param({"total_items": 2, "contents": SERVICES, "x": 1}, ["contents[0]", "contents[1]"], id="page"),
        pytest.param({**OWNER, "services": SERVICES}, ["services[0]", "services[1]"], id="an organisation"),
        pytest.param([{**OWNER, "services": SERVICES}], ["[0].services[0]", "[0].services[1]"], id="organisations"),
        pytest.param({"id": "s", "location": {"name": "Hall"}, "service": SERVICES[0]}, [""], id="service at location"),
    ],
)
def test_every_kind_of_document(tmp_path: Path, body: Any, pointers: list[str]) -> None:
    for indent in (None, 2):
        items = read_text(tmp_path, json.dumps(body, indent=indent))
        assert names(items) == ["A", "B"][: len(pointers)]
        assert [item.pointer for item in items] == pointers


def test_a_service_in_an_organisation_belongs_to_it(tmp_path: Path) -> None:
    bare = {name: value for name, value in SERVICES[0].items() if name != "organization"}
    whole = {**OWNER, "services": [bare]}
    for body in (whole, [whole], {"services": [bare], **OWNER}, {"id": "o1", "services": [bare], **OWNER}):
        (item,) = read_text(tmp_path, json.dumps(body))
        assert item.body and item.body["organization"] == OWNER


def test_services_wait_for_their_organisation_only_as_long_as_memory_is_bounded(tmp_path: Path) -> None:
    bare = [{"name": f"Service {number}", "description": "x" * 500} for number in range(400)]
    path = tmp_path / "feed.json"
    path.write_text(json.dumps({"services": bare, **OWNER}))
    items = list(read_document(path, path.name, replace(LIMITS, item_bytes=100_000)))
    assert names(items) == [each["name"] for each in bare]
    assert not any(item.body and "organization" in item.body for item in items)


def test_what_waited_for_its_organisation_is_not_lost_where_the_file_is_broken(tmp_path: Path) -> None:
    items = read_text(tmp_path, '{"services": [{"name": "A"}, {"name": "B"}], "id": oops')
    assert names(items) == ["A", "B"]
    assert "is not JSON" in problems(items)[0]


def test_a_line_each(tmp_path: Path) -> None:
    items = read_text(tmp_path, "\n".join(json.dumps(each) for each in SERVICES))
    assert names(items) == ["A", "B"]
    assert [item.where for item in items] == ["feed.json:1", "feed.json:2"]


def test_the_official_list_is_read_with_its_lines() -> None:
    items = list(read_document(EXAMPLES / "service_list_31.json", "service_list_31.json"))
    assert len(items) == 128
    assert items[1].where == "service_list_31.json:36"


def test_a_document_far_larger_than_the_buffer(tmp_path: Path) -> None:
    many = [minimal(name=f"Service {number}", description="x" * 500) for number in range(400)]
    assert len(json.dumps(many)) > 3 * FIRST_READ
    assert names(read_text(tmp_path, json.dumps({"contents": many}))) == [each["name"] for each in many]


@pytest.mark.parametrize(
    ("text", "read", "said"),
    [
        pytest.param('[{"name": "A"}, {"name": ', ["A"], "is not JSON", id="cut off"),
        pytest.param('[{"name": "A"},\n {"name": "B"} {"name": "C"}]', ["A", "B"], "feed.json:2", id="a comma missing"),
        pytest.param('[{"name": "A"}, 7, {"name": "C"}]', ["A", "C"], "is not an object", id="an entry that is none"),
        pytest.param('{"name": "A"}\n{"name"\n{"name": "C"}\n', ["A", "C"], "feed.json:3", id="a line of lines"),
        pytest.param('[{"name": "A"},\n{"name"\n{"name": "C"}\n]', ["A"], "feed.json:3", id="a line of a list"),
        pytest.param("{1: 2}", [], "in quotation marks", id="a name without quotation marks"),
        pytest.param("[1" + "[" * 100_000, [], "is not", id="brackets without end"),
        pytest.param('[{"name": ' + "[" * 100_000, [], "nested too deeply", id="a bomb of brackets"),
        pytest.param("hello", [], "was not expected", id="no JSON at all"),
        pytest.param("", [], "is empty", id="nothing"),
        pytest.param(" \n ", [], "is empty", id="spaces"),
        pytest.param('{"services": []}', [], "", id="an empty list"),
        pytest.param("{}", [None], "", id="an empty object"),
        pytest.param('{"id": "o", "name": "O", "legal_status": "x"}', [], "organisation without services", id="owner"),
    ],
)
def test_what_is_broken_is_said_and_the_rest_is_read(tmp_path: Path, text: str, read: list[Any], said: str) -> None:
    items = read_text(tmp_path, text)
    assert [item.body.get("name") for item in items if item.body is not None] == read
    assert (said in " ".join(problems(items))) if said else not problems(items)


def test_a_file_of_broken_lines_is_not_read_for_ever(tmp_path: Path) -> None:
    items = read_text(tmp_path, '{"name}\n' * (MOST_BROKEN + 100) + '{"name": "A"}\n')
    assert len(problems(items)) == MOST_BROKEN
    assert names(items) == []


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 5_000])
def test_a_number_that_is_none_costs_its_field_and_nothing_else(tmp_path: Path, number: str) -> None:
    bad = json.dumps(minimal(name="A", minimum_age=0, description=0, x=0)).replace(": 0", f": {number}")
    first, second = read_text(tmp_path, f"[{bad}, {json.dumps(SERVICES[1])}]")
    assert names([first, second]) == ["A", "B"]
    assert {each.pointer for each in READER.read(first).problems if each.error} == {
        "[0].minimum_age",
        "[0].description",
    }
    json.dumps(first.body, allow_nan=False)  # what is kept of it can be given out again


def test_what_is_nested_too_deeply_is_left_out() -> None:
    deep: Any = "x"
    for _level in range(LIMITS.depth + 5):
        deep = {"a": deep}
    (item,) = expand({"id": "1", "name": "A", "deep": deep}, "feed.json:1", "")
    assert item.body is None
    assert "nested deeper than 32 levels" in problems([item])[0]


def test_an_entry_larger_than_the_limit_ends_the_file(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    path.write_text(json.dumps([minimal(name="A"), minimal(name="x" * 400_000)])[:-5])
    items = list(read_document(path, path.name, replace(LIMITS, item_bytes=100_000)))
    assert names(items) == ["A"]
    assert "an entry larger than 100,000 characters" in problems(items)[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_people_save_in(tmp_path: Path, encoding: str) -> None:
    items = read_text(tmp_path, json.dumps(minimal(name="Café"), ensure_ascii=False).encode(encoding))
    assert names(items) == ["Café"]
    assert bool(problems(items)) is (encoding == "cp1252")


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert "cannot be read" in problems(list(read_document(tmp_path / "no.json", "no.json")))[0]
