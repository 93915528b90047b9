"""Short codes with which a person goes on with a web chat on another device."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "return_codes",
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("visit", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name="pk_return_codes"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_return_codes_person_id"),
    )
    op.create_index("ix_return_codes_expires_at", "return_codes", ["expires_at"])
