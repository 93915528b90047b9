"""Keys of people that are to be destroyed. Words that are not under a key yet are sealed at the next start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "doomed_keys",
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("leave_trace", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_doomed_keys"),
    )
