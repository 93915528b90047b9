"""Keys of people that are to be destroyed: written with the erasure that wants it, gone once it is done."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table

from channels.ledger.tables import ID, metadata

__all__ = ["doomed_keys", "metadata"]

doomed_keys = Table(
    "doomed_keys",
    metadata,
    Column("key_id", ID, primary_key=True),
    # False for our own test messages: that they were need not be known for ever.
    Column("leave_trace", Boolean, nullable=False),
)
