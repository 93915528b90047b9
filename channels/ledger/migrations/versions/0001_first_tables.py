"""The first tables: conversations, work that is not finished, escalations, staff, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.String(32)
WORD = sa.String(32)
HASH = sa.String(64)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_people()
    create_conversations()
    create_messages()
    create_staff()
    create_escalations()
    create_audit()


def create_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", ID, nullable=False),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("person_key", HASH),
        sa.Column("address", sa.Text),
        sa.Column("language", WORD),
        sa.Column("do_not_text_first", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("forgotten_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("person_key", name="uq_people_person_key"),
    )


def create_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("holder", WORD, nullable=False),
        sa.Column("episode", ID, nullable=False),
        sa.Column("episode_turns", sa.Integer, nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("notes", sa.Text),
        sa.Column("last_inbound_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_conversations_person_id"),
        sa.UniqueConstraint("person_id", name="uq_conversations_person_id"),
    )


def create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("sender", WORD, nullable=False),
        sa.Column("provider_key", HASH),
        sa.Column("provider_id", sa.Text),
        sa.Column("body", sa.Text),
        sa.Column("opt_out", WORD),
        sa.Column("language", WORD),
        sa.Column("episode", ID, nullable=False),
        sa.Column("answered", sa.Boolean, nullable=False),
        sa.Column("outcome", WORD, nullable=False),
        sa.Column("intent", sa.String(64), nullable=False),
        sa.Column("delivery", WORD),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("sending_since", TIME),
        sa.Column("error_code", sa.String(64), nullable=False),
        sa.Column("error_text", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_messages_conversation_id"),
    )
    op.create_index("uq_messages_conversation_id_seq", "messages", ["conversation_id", "seq"], unique=True)
    op.create_index(
        "uq_messages_inbound_provider_key",
        "messages",
        ["provider_key"],
        unique=True,
        sqlite_where=sa.text("sender = 'person'"),
        postgresql_where=sa.text("sender = 'person'"),
    )
    op.create_index("ix_messages_provider_key", "messages", ["provider_key"])
    op.create_index("ix_messages_created_at", "messages", ["created_at"])
    op.create_table(
        "outbox",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_outbox_message_id"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_outbox_conversation_id"),
    )
    op.create_index("ix_outbox_conversation_id_kind_seq", "outbox", ["conversation_id", "kind", "seq"])
    op.create_index("ix_outbox_kind_due_at", "outbox", ["kind", "due_at"])
    op.create_table(
        "receipts",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider_key", HASH, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("error_code", sa.String(64), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_receipts"),
    )
    op.create_index(
        "uq_receipts_provider_key_state_error_code", "receipts", ["provider_key", "state", "error_code"], unique=True
    )


def create_staff() -> None:
    op.create_table(
        "peers",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("login", sa.String(80), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_peers"),
        sa.UniqueConstraint("login", name="uq_peers_login"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", HASH, nullable=False),
        sa.Column("peer_id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name="fk_sessions_peer_id"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def create_escalations() -> None:
    op.create_table(
        "escalations",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("notes", sa.Text),
        sa.Column("language", WORD),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("waiting_since", TIME, nullable=False),
        sa.Column("claimed_by", ID),
        sa.Column("claimed_name", sa.String(80), nullable=False),
        sa.Column("claimed_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("closed_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_escalations"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_escalations_conversation_id"),
        sa.ForeignKeyConstraint(["claimed_by"], ["peers.id"], name="fk_escalations_claimed_by"),
    )
    op.create_index(
        "uq_escalations_open",
        "escalations",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index("ix_escalations_state_opened_at", "escalations", ["state", "opened_at"])


def create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("chain", HASH, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("chain", HASH, nullable=False),
        sa.Column("seal", HASH, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", ID, nullable=False),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("ids", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
    )
