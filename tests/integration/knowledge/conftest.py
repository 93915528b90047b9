"""The real content, indexed once for all tests of this folder.

Vectors and the query encoder are taken from the project's build folder when set-up made them; else they are made.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from knowledge.embedding.export import export_encoder
from knowledge.publish import publish
from knowledge.search import Search
from knowledge.settings import Settings, read_settings
from tests.integration.knowledge.databases import BOTH, empty_catalogue


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a data folder whose catalogue is filled and indexed."""
    settings = read_settings(data_dir=tmp_path_factory.mktemp("knowledge"), demo=True, country="GB")
    export_encoder(settings)
    publish(settings)
    return settings


@pytest.fixture
def own(published: Settings, tmp_path: Path) -> Settings:
    """A copy of that data folder which a test may change."""
    shutil.copytree(published.data_dir, tmp_path / "data")
    return published.model_copy(update={"data_dir": tmp_path / "data"})


@pytest.fixture(scope="session")
def real_search(published: Settings) -> Search:
    return Search.open(published)


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty catalogue on each database that the product supports."""
    with empty_catalogue(request, tmp_path / "deep") as made:
        yield made


@pytest.fixture
def anywhere(own: Settings, url: str) -> Settings:
    """`own`, with its catalogue in each database."""
    return own.model_copy(update={"catalogue_url": SecretStr(url)})
