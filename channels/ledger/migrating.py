"""Bringing a ledger's tables up to date: safe at every start, and when several processes start at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, make_url, text

from channels.ledger.database import WRITING, as_unavailable, keep_private, listen_for_sqlite

SCRIPTS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 684_201_973
"""Any number, as long as it stays the same: only one process at a time migrates a PostgreSQL database."""


def migrate(url: str) -> None:
    """Blocks; call it before anything else is open, or in a thread. Raises LedgerUnavailable."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        keep_private(url)
        address = address.set(drivername="sqlite")
    engine = create_engine(address, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        listen_for_sqlite(engine)
    try:
        with as_unavailable(), engine.connect() as connection:
            connection.execution_options(**WRITING)
            with connection.begin():
                upgrade(connection)
    finally:
        engine.dispose()


def upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)").bindparams(number=MIGRATION_LOCK))
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
