"""Tables of what peer workers add to a conversation, and of how they are looked after. Same rules as `tables`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from channels.ledger.tables import ID, WORD, Plain, UtcTime, metadata

NAME = Plain(80)

# Private notes, summaries, safeguarding, outcomes, safe contact ...: never sent, gone with the person's words.
talk_notes = Table(
    "talk_notes",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("kind", WORD, nullable=False),
    Column("author_id", ID, nullable=False),
    # Encrypted JSON, by kind.
    Column("body", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_talk_notes_conversation_id_kind_at", "conversation_id", "kind", "at"),
    Index("ix_talk_notes_at", "at"),
)

# What somebody has written and not sent.
talk_drafts = Table(
    "talk_drafts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("peer_id", ID, ForeignKey("peers.id"), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("uq_talk_drafts_conversation_id_peer_id", "conversation_id", "peer_id", unique=True),
    Index("ix_talk_drafts_at", "at"),
)

# One peer worker bringing in another: a person, or whoever of a team comes.
introductions = Table(
    "introductions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("escalation_id", ID, ForeignKey("escalations.id"), nullable=False),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("from_id", ID, ForeignKey("peers.id"), nullable=False),
    Column("from_name", NAME, nullable=False),
    Column("to_kind", WORD, nullable=False),
    Column("to_id", NAME, nullable=False),
    Column("to_name", NAME, nullable=False),
    Column("guest_id", ID, ForeignKey("peers.id")),
    Column("guest_name", NAME, nullable=False),
    # The guest reads what comes after this message: 0 is everything.
    Column("reads_after", Integer, nullable=False),
    Column("state", WORD, nullable=False),
    Column("offered_at", UtcTime, nullable=False),
    Column("joined_at", UtcTime),
    # The first message of the guest, after which the person can say that it is fine.
    Column("spoke_seq", Integer),
    Column("ended_at", UtcTime),
    Index("ix_introductions_escalation_id", "escalation_id"),
    Index("ix_introductions_state_offered_at", "state", "offered_at"),
)

# What is to happen later: a message or a check-in that the person agreed to, or a look that a peer worker put off.
planned_messages = Table(
    "planned_messages",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("peer_id", ID, ForeignKey("peers.id"), nullable=False),
    Column("peer_name", NAME, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("body", Text),
    Column("state", WORD, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Index("ix_planned_messages_state_due_at", "state", "due_at"),
    Index("ix_planned_messages_conversation_id", "conversation_id"),
)

# Somebody of ours should look: ids and words of ours only.
pings = Table(
    "pings",
    metadata,
    Column("id", ID, primary_key=True),
    Column("to_id", ID, ForeignKey("peers.id"), nullable=False),
    Column("from_id", ID, ForeignKey("peers.id"), nullable=False),
    Column("from_name", NAME, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("conversation_id", ID, ForeignKey("conversations.id")),
    Column("at", UtcTime, nullable=False),
    Column("seen_at", UtcTime),
    Index("ix_pings_to_id_seen_at", "to_id", "seen_at"),
)

# How somebody who answers people is doing, as far as the queue must know.
peer_care = Table(
    "peer_care",
    metadata,
    Column("peer_id", ID, ForeignKey("peers.id"), primary_key=True),
    Column("hard_in_a_row", Integer, nullable=False),
    Column("hard_at", UtcTime),
    Column("debrief_due", Boolean, nullable=False),
    Column("resting_until", UtcTime),
    Column("single_keys", Boolean, nullable=False),
)
