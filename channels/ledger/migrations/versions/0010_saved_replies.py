"""What leads have made of the saved replies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_saved_replies"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "saved_replies",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reply_id", sa.String(64), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("by_id", sa.String(32), nullable=False),
        sa.Column("by_name", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_saved_replies"),
    )
    op.create_index("ix_saved_replies_reply_id_language", "saved_replies", ["reply_id", "language"])
