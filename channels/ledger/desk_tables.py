"""Tables of the desk: who is on duty, and which organisations a person said yes to."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from channels.ledger.tables import ID, WORD, UtcTime, metadata

# One row for each peer worker who has ever said anything about their shift.
duties = Table(
    "duties",
    metadata,
    Column("peer_id", ID, ForeignKey("peers.id"), primary_key=True),
    Column("state", WORD, nullable=False),
    Column("since", UtcTime, nullable=False),
    # When a break is over by itself.
    Column("until", UtcTime),
    # Whether the next person comes to them without being taken.
    Column("automatic", Boolean, nullable=False),
    Column("most", Integer, nullable=False),
    # Words of ours, separated by spaces.
    Column("teams", Text, nullable=False),
    Column("languages", Text, nullable=False),
)

# A person's yes to one organisation seeing their conversation. No row: no.
consents = Table(
    "consents",
    metadata,
    Column("conversation_id", ID, ForeignKey("conversations.id"), primary_key=True),
    Column("organisation", WORD, primary_key=True),
    Column("agreed_at", UtcTime, nullable=False),
    Index("ix_consents_organisation", "organisation"),
)
