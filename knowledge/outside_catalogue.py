"""Somebody else's catalogue, messages and judgments, read for measuring only. Lenient: what is missing is left out.

    catalogue.jsonl  {"id", "name", "description", "organization", "application", "eligibility", "airs_terms"?}
    queries.jsonl    {"id", "text", "needs": [...]}
    qrels.jsonl      {"qid", "rel2": [id, ...], "rel1": [id, ...]}

Of a listing only these text fields are read; `airs_terms` ("A; B - C; ...") only when asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog

from knowledge.catalogue import Area, Organisation, Service
from knowledge.errors import CatalogueFileError
from knowledge.measures import Query

SHORTEST_TERM = 4


def read_services(path: Path, *, terms: bool = False) -> tuple[Service, ...]:
    """The listings. One without an id gets its line number; of two with one id the first counts.

    Raises CatalogueFileError.
    """
    found: dict[str, Service] = {}
    for number, row in _rows(path):
        service = _service(row, number, terms)
        if service.id in found:
            structlog.get_logger().warning("evaluate_listing_twice", file=path.name, line=number)
        found.setdefault(service.id, service)
    if not found:
        raise CatalogueFileError([f"{path.name}: there is no listing in it. Each line is a JSON object with an id."])
    return tuple(found.values())


def read_queries(messages: Path, judgments: Path) -> tuple[Query, ...]:
    """Every message that has an id, one without words too, with its judgments if any. Raises CatalogueFileError."""
    graded = {_text(row, "qid"): row for _number, row in _rows(judgments)}
    found = []
    for number, row in _rows(messages):
        name = _text(row, "id") or _text(row, "qid")
        if not name:
            structlog.get_logger().warning("evaluate_message_left_out", file=messages.name, line=number, why="no id")
            continue
        grades = graded.get(name, {})
        found.append(
            Query(
                id=name,
                text=_text(row, "text"),
                needs=_texts(row, "needs"),
                direct=frozenset(_texts(grades, "rel2")),
                partly=frozenset(_texts(grades, "rel1")),
            )
        )
    if not any(query.judged for query in found):
        raise CatalogueFileError(["No message has a judgment: check that 'id' in the queries is 'qid' in the qrels."])
    return tuple(found)


def _service(row: Mapping[str, Any], number: int, terms: bool) -> Service:
    name = _text(row, "name") or _text(row, "organization") or "Listing"
    owner = _text(row, "organization") or name
    return Service(
        id=_text(row, "id") or f"line-{number}",
        organisation=Organisation(id=owner, name=owner),
        name=name,
        description=_text(row, "description"),
        how_to=_text(row, "application"),
        eligibility=_text(row, "eligibility"),
        area=Area.COUNTY,
        terms=_terms(_text(row, "airs_terms")) if terms else (),
    )


def _terms(said: str) -> tuple[str, ...]:
    """Of a term like "Basic Needs - Food - Food Pantries" the last part says what it is."""
    parts = (term.rsplit(" - ", 1)[-1].strip() for term in said.split(";"))
    return tuple(dict.fromkeys(part for part in parts if len(part) >= SHORTEST_TERM))


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    return "" if value is None else _one_line(value)


def _texts(row: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = row.get(field)
    several = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(dict.fromkeys(_one_line(each) for each in several))


def _one_line(value: object) -> str:
    """Halves of characters, which a text that was cut between two has, are no text to a tokeniser or a file."""
    return " ".join(str(value).encode("utf-8", "ignore").decode().split())


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, _row(line, f"{path.name}:{number}")
    except OSError as error:
        raise CatalogueFileError([f"{path}: cannot be read ({error.strerror}). Check the name."]) from None
    except UnicodeDecodeError:
        raise CatalogueFileError([f"{path.name}: is not UTF-8 text. Save it as UTF-8."]) from None


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        raise CatalogueFileError([f"{where}: is not a line of JSON."]) from None
    if not isinstance(row, dict):
        raise CatalogueFileError([f"{where}: is not a JSON object. Write one object a line."])
    return row
