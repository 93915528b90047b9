"""Which service somebody told us about: whether it helped, or said no."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("told", sa.Column("service_id", sa.String(64), nullable=True))
    op.add_column("told", sa.Column("service_name", sa.String(120), nullable=True))
