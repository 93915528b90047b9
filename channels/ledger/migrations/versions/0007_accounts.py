"""Accounts of staff: second factors, invitations, the steps of signing in, and sessions that know their last use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("peers", sa.Column("ended_at", sa.DateTime(timezone=True)))
    op.add_column("peers", sa.Column("subject_key", sa.String(64)))
    op.create_index("uq_peers_subject_key", "peers", ["subject_key"], unique=True)
    op.add_column("sessions", sa.Column("used_at", sa.DateTime(timezone=True)))
    op.create_table(
        "peer_factors",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("peer_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("factor_key", sa.String(64), nullable=False),
        sa.Column("secret", sa.Text),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_peer_factors"),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name="fk_peer_factors_peer_id"),
    )
    op.create_index("uq_peer_factors_factor_key", "peer_factors", ["factor_key"], unique=True)
    op.create_index("ix_peer_factors_peer_id", "peer_factors", ["peer_id"])
    op.create_table(
        "holds",
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("held_by", sa.String(32), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_holds"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_holds_person_id"),
        sa.ForeignKeyConstraint(["held_by"], ["peers.id"], name="fk_holds_held_by"),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("invited_by", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
        sa.ForeignKeyConstraint(["invited_by"], ["peers.id"], name="fk_invitations_invited_by"),
    )
    op.create_table(
        "sign_in_steps",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("peer_id", sa.String(32)),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("tries", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sign_in_steps"),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name="fk_sign_in_steps_peer_id"),
    )
    op.create_index("ix_sign_in_steps_expires_at", "sign_in_steps", ["expires_at"])
