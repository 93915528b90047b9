"""The official examples and schemas, and readers of them for tests."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema

from knowledge.catalogue import Need
from knowledge.exchange.listings import Incoming, Item, Reader
from knowledge.exchange.writing import Writer

EXAMPLES = Path(__file__).resolve().parents[3] / "data" / "open_referral_uk"
TODAY = date(2026, 11, 23)
NEEDS = (Need(id="food", label="Food"), Need(id="debt", label="Debt"))
READER = Reader(needs=[need.id for need in NEEDS], today=TODAY)
WRITER = Writer(needs={need.id: need for need in NEEDS}, reader=READER)


def example(name: str) -> Any:
    return json.loads((EXAMPLES / name).read_text(encoding="utf-8"))


def validator(name: str = "schema_service.json") -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(example(name), format_checker=jsonschema.FormatChecker())


def wrong_by_schema(body: Any, name: str = "schema_service.json") -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(body)]


def minimal(**fields: Any) -> dict[str, Any]:
    """The least that is a whole service, with these fields on top."""
    return {
        "id": "ac148810-d857-441c-9679-408f346de14b",
        "name": "Soup kitchen",
        "status": "active",
        "organization": {"id": "d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610", "name": "Soup Trust", "description": "Soup."},
        **fields,
    }


def read(body: Any) -> Incoming:
    return READER.read(Item(where="feed.json:1", pointer="services[3]", body=body))


def problems(body: Any) -> list[str]:
    return [str(problem) for problem in read(body).problems]
