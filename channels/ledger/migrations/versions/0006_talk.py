"""What peer workers add to a conversation, warm introductions, what is planned, and how they are looked after."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    make_words()
    make_introductions()
    make_plans()
    make_care()


def moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def word(name: str, length: int = 32, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def of(table: str, *columns: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([name], [to], name=f"fk_{table}_{name}") for name, to in columns]


def make_words() -> None:
    op.create_table(
        "talk_notes",
        word("id"),
        word("conversation_id"),
        word("kind"),
        word("author_id"),
        sa.Column("body", sa.Text, nullable=False),
        moment("at"),
        sa.PrimaryKeyConstraint("id", name="pk_talk_notes"),
        *of("talk_notes", ("conversation_id", "conversations.id")),
    )
    op.create_index("ix_talk_notes_conversation_id_kind_at", "talk_notes", ["conversation_id", "kind", "at"])
    op.create_index("ix_talk_notes_at", "talk_notes", ["at"])
    op.create_table(
        "talk_drafts",
        word("id"),
        word("conversation_id"),
        word("peer_id"),
        sa.Column("body", sa.Text, nullable=False),
        moment("at"),
        sa.PrimaryKeyConstraint("id", name="pk_talk_drafts"),
        *of("talk_drafts", ("conversation_id", "conversations.id"), ("peer_id", "peers.id")),
    )
    op.create_index(
        "uq_talk_drafts_conversation_id_peer_id", "talk_drafts", ["conversation_id", "peer_id"], unique=True
    )
    op.create_index("ix_talk_drafts_at", "talk_drafts", ["at"])


def make_introductions() -> None:
    op.create_table(
        "introductions",
        word("id"),
        word("escalation_id"),
        word("conversation_id"),
        word("from_id"),
        word("from_name", 80),
        word("to_kind"),
        word("to_id", 80),
        word("to_name", 80),
        word("guest_id", nullable=True),
        word("guest_name", 80),
        sa.Column("reads_after", sa.Integer, nullable=False),
        word("state"),
        moment("offered_at"),
        moment("joined_at", nullable=True),
        sa.Column("spoke_seq", sa.Integer),
        moment("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_introductions"),
        *of(
            "introductions",
            ("escalation_id", "escalations.id"),
            ("conversation_id", "conversations.id"),
            ("from_id", "peers.id"),
            ("guest_id", "peers.id"),
        ),
    )
    op.create_index("ix_introductions_escalation_id", "introductions", ["escalation_id"])
    op.create_index("ix_introductions_state_offered_at", "introductions", ["state", "offered_at"])


def make_plans() -> None:
    op.create_table(
        "planned_messages",
        word("id"),
        word("conversation_id"),
        word("peer_id"),
        word("peer_name", 80),
        word("kind"),
        sa.Column("body", sa.Text),
        word("state"),
        moment("due_at"),
        moment("made_at"),
        sa.PrimaryKeyConstraint("id", name="pk_planned_messages"),
        *of("planned_messages", ("conversation_id", "conversations.id"), ("peer_id", "peers.id")),
    )
    op.create_index("ix_planned_messages_state_due_at", "planned_messages", ["state", "due_at"])
    op.create_index("ix_planned_messages_conversation_id", "planned_messages", ["conversation_id"])


def make_care() -> None:
    op.create_table(
        "pings",
        word("id"),
        word("to_id"),
        word("from_id"),
        word("from_name", 80),
        word("kind"),
        word("conversation_id", nullable=True),
        moment("at"),
        moment("seen_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pings"),
        *of("pings", ("to_id", "peers.id"), ("from_id", "peers.id"), ("conversation_id", "conversations.id")),
    )
    op.create_index("ix_pings_to_id_seen_at", "pings", ["to_id", "seen_at"])
    op.create_table(
        "peer_care",
        word("peer_id"),
        sa.Column("hard_in_a_row", sa.Integer, nullable=False),
        moment("hard_at", nullable=True),
        sa.Column("debrief_due", sa.Boolean, nullable=False),
        moment("resting_until", nullable=True),
        sa.Column("single_keys", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("peer_id", name="pk_peer_care"),
        *of("peer_care", ("peer_id", "peers.id")),
    )
