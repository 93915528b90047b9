"""The truth about every conversation, in SQL: whatever else is lost, nothing in here is."""

from __future__ import annotations

from datetime import timedelta

from channels.errors import SettingsError
from channels.ledger.cipher import Cipher
from channels.ledger.ledger import Ledger
from channels.ledger.migrating import MigrationState, migrate, migration_state
from channels.settings import Settings

__all__ = ["Cipher", "Ledger", "MigrationState", "migrate", "migration_state", "open_ledger"]


async def open_ledger(settings: Settings) -> Ledger:
    """The ledger of a deployment, reached and ready.

    Raises SettingsError naming what is missing, LedgerUnavailable when the database does not answer.
    """
    keys = [key.strip() for key in settings.encryption_keys.get_secret_value().split(",") if key.strip()]
    cipher = Cipher(keys, settings.person_key_secret.get_secret_value())
    if settings.shards < 1:
        raise SettingsError("NWD_SHARDS: must be 1 or more.")
    ledger = Ledger.open(
        settings.ledger_url, cipher, shards=settings.shards, retention=timedelta(days=settings.retention_days)
    )
    await ledger.ping()
    return ledger
