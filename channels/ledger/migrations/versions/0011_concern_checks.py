"""What a check-in is about: help that was found, or something that worried us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    kind = sa.Column("kind", sa.String(32), nullable=False, server_default="helped")
    with op.batch_alter_table("check_ins") as table:
        table.add_column(kind)
