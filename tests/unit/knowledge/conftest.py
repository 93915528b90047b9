"""A small search that needs no model and no files."""

from __future__ import annotations

import pytest

from knowledge.index import Index
from knowledge.search import Search
from tests.unit.knowledge.builders import make_index, make_search


@pytest.fixture(scope="session")
def index() -> Index:
    return make_index()


@pytest.fixture(scope="session")
def search(index: Index) -> Search:
    return make_search(index)
