"""Check-ins that people agreed to, and what they told of the help they were pointed to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "check_ins",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_check_ins"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_check_ins_conversation_id"),
    )
    op.create_index("ix_check_ins_state_due_at", "check_ins", ["state", "due_at"])
    op.create_index("ix_check_ins_conversation_id", "check_ins", ["conversation_id"])
    op.create_table(
        "told",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("need", sa.String(32), nullable=False),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("told_on", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_told"),
    )
    op.create_index("ix_told_told_on", "told", ["told_on"])
