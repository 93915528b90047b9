"""A conversation that goes on over another channel: who shares it, and whom it reaches now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("people", sa.Column("shares", sa.String(32)))
    op.create_index("ix_people_shares", "people", ["shares"])
    op.add_column("conversations", sa.Column("reach_id", sa.String(32)))
