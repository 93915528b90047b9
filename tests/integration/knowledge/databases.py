"""An empty catalogue in each database that the product supports."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
"""The databases that a catalogue may be in: parameters of a fixture."""


@contextmanager
def empty_catalogue(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """For fixtures with a scope of their own. On PostgreSQL a database of its own, gone afterwards."""
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'catalogue.sqlite'}"
        return
    server: str = request.getfixturevalue("postgres_server")
    name = f"nwd_catalogue_{secrets.token_hex(6)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
