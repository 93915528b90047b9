"""Tables of following up: what was agreed with a person, and what people told, without who they are."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table

from channels.ledger.tables import ID, WORD, Plain, UtcTime, metadata

check_ins = Table(
    "check_ins",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    # agreed, asked, done or cancelled; for a concern also offered or declined.
    Column("state", WORD, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    # helped (they agreed to be asked about help they were pointed to) or concern (something worried us).
    Column("kind", WORD, nullable=False, server_default="helped"),
    Index("ix_check_ins_state_due_at", "state", "due_at"),
    Index("ix_check_ins_conversation_id", "conversation_id"),
)

told = Table(
    "told",
    metadata,
    Column("id", ID, primary_key=True),
    # An id of a need, or empty where none was known. Nothing here leads to a person, so the moment is cut to its day.
    Column("need", WORD, nullable=False),
    Column("answer", WORD, nullable=False),
    # The service they had looked at last, as an editor published it; empty where none was.
    Column("service_id", Plain(64)),
    Column("service_name", Plain(120)),
    Column("told_on", UtcTime, nullable=False),
    Index("ix_told_told_on", "told_on"),
)
