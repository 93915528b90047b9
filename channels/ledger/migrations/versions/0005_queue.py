"""The queue: its order, what people were told while they waited, teams, shifts, and consent by organisation."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

HEAD_START = timedelta(hours=72)
IN_LINE = sa.text("claimed_by IS NULL AND closed_at IS NULL")
LONG_AGO = sa.text("'1970-01-01 00:00:00.000000'")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("escalations", sa.Column("rank_at", moment, nullable=False, server_default=LONG_AGO))
    op.add_column("escalations", sa.Column("answered_at", moment))
    op.add_column("escalations", sa.Column("told_at", moment))
    op.add_column("escalations", sa.Column("told_count", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("escalations", sa.Column("follow_up", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("escalations", sa.Column("lapsed_at", moment))
    op.add_column("escalations", sa.Column("team", sa.String(32)))
    op.create_index(
        "ix_escalations_in_line",
        "escalations",
        ["rank_at", "id"],
        sqlite_where=IN_LINE,
        postgresql_where=IN_LINE,
    )
    op.create_index("ix_escalations_opened_at", "escalations", ["opened_at"])
    fill_ranks(moment)
    op.create_table(
        "duties",
        sa.Column("peer_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment),
        sa.Column("automatic", sa.Boolean, nullable=False),
        sa.Column("most", sa.Integer, nullable=False),
        sa.Column("teams", sa.Text, nullable=False),
        sa.Column("languages", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("peer_id", name="pk_duties"),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name="fk_duties_peer_id"),
    )
    op.create_table(
        "consents",
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("organisation", sa.String(32), nullable=False),
        sa.Column("agreed_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "organisation", name="pk_consents"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_consents_conversation_id"),
    )
    op.create_index("ix_consents_organisation", "consents", ["organisation"])


def fill_ranks(moment: sa.DateTime) -> None:
    """Those who wait already keep their place."""
    table = sa.table(
        "escalations",
        sa.column("id", sa.String(32)),
        sa.column("urgent", sa.Boolean),
        sa.column("opened_at", moment),
        sa.column("claimed_at", moment),
        sa.column("rank_at", moment),
        sa.column("answered_at", moment),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(table)).all():
        rank_at = row.opened_at - HEAD_START if row.urgent else row.opened_at
        values = {"rank_at": rank_at, "answered_at": row.claimed_at}
        connection.execute(sa.update(table).where(table.c.id == row.id).values(**values))
