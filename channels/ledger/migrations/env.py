"""Alembic's entry point. The connection, its transaction and its lock come from `channels.ledger.migrating`."""

from __future__ import annotations

from alembic import context

from channels.ledger.account_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
