"""The real content, indexed once for all tests of this folder.

Vectors and the query encoder are taken from the project's build folder when set-up made them; else they are made.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from knowledge.embedding.export import export_encoder
from knowledge.publish import publish
from knowledge.search import Search
from knowledge.settings import Settings, read_settings


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
