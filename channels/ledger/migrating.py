"""Bringing a ledger's tables up to date: safe at every start, and when several processes start at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text

from channels.ledger.database import WRITING, as_unavailable, keep_private, listen_for_sqlite

SCRIPTS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 684_201_973
"""Any number, as long as it stays the same: only one process at a time migrates a PostgreSQL database."""


@dataclass(frozen=True)
class MigrationState:
    """Which revision a database is at, None if it has no tables, and which one this release wants."""

    current: str | None
    head: str

    @property
    def up_to_date(self) -> bool:
        return self.current == self.head


def migrate(url: str) -> None:
    """Blocks; call it before anything else is open, or in a thread. Raises LedgerUnavailable."""
    if make_url(url).get_backend_name() == "sqlite":
        keep_private(url)
    with connected(url) as connection:
        connection.execution_options(**WRITING)
        with connection.begin():
            upgrade(connection)


def migration_state(url: str) -> MigrationState:
    """Blocks, and changes nothing: an SQLite file that is not there is not made. Raises LedgerUnavailable."""
    head = ScriptDirectory.from_config(scripts()).get_current_head()
    assert head is not None, "there is at least one migration"
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        return MigrationState(None, head)
    with connected(url) as connection:
        return MigrationState(MigrationContext.configure(connection).get_current_revision(), head)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of its own, by the ordinary driver: Alembic is not asynchronous."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        address = address.set(drivername="sqlite")
    engine = create_engine(address, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        listen_for_sqlite(engine)
    try:
        with as_unavailable(), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)").bindparams(number=MIGRATION_LOCK))
    config = scripts()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
