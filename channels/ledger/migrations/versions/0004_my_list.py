"""Services that a person keeps in a list of their own, and how often copies of it were sent today."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "saved_services",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("service_key", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_services"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_saved_services_conversation_id"),
    )
    op.create_index(
        "uq_saved_services_conversation_id_service_key",
        "saved_services",
        ["conversation_id", "service_key"],
        unique=True,
    )
    op.create_index("ix_saved_services_saved_at", "saved_services", ["saved_at"])
    op.create_table(
        "list_copies",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.String(32)),
        sa.Column("destination_key", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_list_copies"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_list_copies_conversation_id"),
    )
    op.create_index("ix_list_copies_asked_at", "list_copies", ["asked_at"])
