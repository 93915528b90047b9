"""The ledger's tables. A column that can hold words, numbers or places of a person holds a token of `cipher`.

Changing anything here needs a migration; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC times. SQLite keeps no offset, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Plain(TypeDecorator[str]):
    """Short words and ids, without what PostgreSQL refuses: NUL, half a surrogate pair, too much.

    Some come from outside: a provider's code, a language, an id typed into an address bar.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        clean = str(value).replace("\x00", "").encode("utf-8", "replace").decode()
        return clean[: self.length]


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = Plain(32)
WORD = Plain(32)

people = Table(
    "people",
    metadata,
    Column("id", ID, primary_key=True),
    Column("channel", WORD, nullable=False),
    # Empty once forgotten: the same number writing again is somebody new.
    Column("person_key", Plain(64), unique=True),
    Column("address", Text),
    Column("language", WORD),
    Column("do_not_text_first", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("forgotten_at", UtcTime),
    # The conversation they write to, when they carried on with one from another channel.
    Column("shares", ID),
    Index("ix_people_shares", "shares"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ID, ForeignKey("people.id"), nullable=False, unique=True),
    Column("channel", WORD, nullable=False),
    Column("holder", WORD, nullable=False),
    Column("episode", ID, nullable=False),
    Column("episode_turns", Integer, nullable=False),
    Column("turns", Integer, nullable=False),
    # Encrypted JSON: concerns, needs, place.
    Column("notes", Text),
    Column("last_inbound_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("last_seq", Integer, nullable=False),
    # Whom it reaches: whoever of its people wrote last. Empty while that is the one it began with.
    Column("reach_id", ID),
)

messages = Table(
    "messages",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("channel", WORD, nullable=False),
    Column("sender", WORD, nullable=False),
    # The provider's id may name the person (a Telegram chat): a keyed hash finds it, a token shows it.
    Column("provider_key", Plain(64)),
    Column("provider_id", Text),
    # Encrypted JSON: text, sender_name, reply, choices, payload, media. Empty once erased.
    Column("body", Text),
    Column("opt_out", WORD),
    Column("language", WORD),
    Column("episode", ID, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("outcome", WORD, nullable=False),
    Column("intent", Plain(64), nullable=False),
    Column("delivery", WORD),
    Column("attempts", Integer, nullable=False),
    Column("sending_since", UtcTime),
    Column("error_code", Plain(64), nullable=False),
    Column("error_text", Text),
    Column("created_at", UtcTime, nullable=False),
    Index("uq_messages_conversation_id_seq", "conversation_id", "seq", unique=True),
    Index(
        "uq_messages_inbound_provider_key",
        "provider_key",
        unique=True,
        sqlite_where=text("sender = 'person'"),
        postgresql_where=text("sender = 'person'"),
    ),
    Index("ix_messages_provider_key", "provider_key"),
    Index("ix_messages_created_at", "created_at"),
)

# Work that is not finished: a row goes in with its message and out with its last consequence.
outbox = Table(
    "outbox",
    metadata,
    Column("message_id", ID, ForeignKey("messages.id"), primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("kind", WORD, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("urgent", Boolean, nullable=False),
    # When something should have happened to it by; the sweeper looks at nothing else.
    Column("due_at", UtcTime, nullable=False),
    Index("ix_outbox_conversation_id_kind_seq", "conversation_id", "kind", "seq"),
    Index("ix_outbox_kind_due_at", "kind", "due_at"),
)

peers = Table(
    "peers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Plain(80), nullable=False),
    Column("login", Plain(80), nullable=False, unique=True),
    Column("role", WORD, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # They work here no more: nothing opens, their name stays beside what they wrote.
    Column("ended_at", UtcTime),
    # Who they are to the organisation's own sign-in (OIDC issuer and subject), as a keyed hash.
    Column("subject_key", Plain(64)),
    Index("uq_peers_subject_key", "subject_key", unique=True),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("state", WORD, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("reason", WORD, nullable=False),
    # Encrypted JSON: concerns, needs.
    Column("notes", Text),
    Column("language", WORD),
    Column("opened_at", UtcTime, nullable=False),
    Column("waiting_since", UtcTime, nullable=False),
    Column("claimed_by", ID, ForeignKey("peers.id")),
    Column("claimed_name", Plain(80), nullable=False),
    Column("claimed_at", UtcTime),
    Column("lease_until", UtcTime),
    Column("closed_at", UtcTime),
    # The place in the queue: when they asked, moved back if something worries us.
    Column("rank_at", UtcTime, nullable=False),
    # When the first peer worker came.
    Column("answered_at", UtcTime),
    # What they heard while they waited: when last, and how often.
    Column("told_at", UtcTime),
    Column("told_count", Integer, nullable=False),
    # They said yes to hearing from us when somebody is here.
    Column("follow_up", Boolean, nullable=False),
    Column("lapsed_at", UtcTime),
    # The team they were passed on to.
    Column("team", WORD),
    Index(
        "uq_escalations_open",
        "conversation_id",
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
    Index("ix_escalations_state_opened_at", "state", "opened_at"),
    Index(
        "ix_escalations_in_line",
        "rank_at",
        "id",
        sqlite_where=text("claimed_by IS NULL AND closed_at IS NULL"),
        postgresql_where=text("claimed_by IS NULL AND closed_at IS NULL"),
    ),
    Index("ix_escalations_opened_at", "opened_at"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("provider_key", Plain(64), nullable=False),
    Column("state", WORD, nullable=False),
    Column("error_code", Plain(64), nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Index("uq_receipts_provider_key_state_error_code", "provider_key", "state", "error_code", unique=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", Plain(64), nullable=False),
    Column("action", Plain(64), nullable=False),
    Column("subject", Plain(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("chain", Plain(64), nullable=False),
)

# One row: where the chain ends, sealed, so that cutting rows off its end shows as well.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("rows", BigInteger, nullable=False),
    Column("chain", Plain(64), nullable=False),
    Column("seal", Plain(64), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Plain(64), primary_key=True),
    Column("peer_id", ID, ForeignKey("peers.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    # To within a few minutes.
    Column("used_at", UtcTime),
    Index("ix_sessions_expires_at", "expires_at"),
)

return_codes = Table(
    "return_codes",
    metadata,
    Column("code_hash", Plain(64), primary_key=True),
    Column("person_id", ID, ForeignKey("people.id"), nullable=False),
    Column("visit", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_return_codes_expires_at", "expires_at"),
)

saved_services = Table(
    "saved_services",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    # Which service somebody keeps says what they need: a keyed hash finds it.
    Column("service_key", Plain(64), nullable=False),
    # Encrypted JSON: the card as it was shown.
    Column("body", Text, nullable=False),
    # The message it was offered in, and its place there.
    Column("seq", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("saved_at", UtcTime, nullable=False),
    Index("uq_saved_services_conversation_id_service_key", "conversation_id", "service_key", unique=True),
    Index("ix_saved_services_saved_at", "saved_at"),
)

# Copies of lists in the last 24 hours. Without the conversation once that has been forgotten.
list_copies = Table(
    "list_copies",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id")),
    Column("destination_key", Plain(64), nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Index("ix_list_copies_asked_at", "asked_at"),
)

# People whose words are kept beyond their time.
holds = Table(
    "holds",
    metadata,
    Column("person_id", ID, ForeignKey("people.id"), primary_key=True),
    # Encrypted: why.
    Column("reason", Text, nullable=False),
    Column("held_by", ID, ForeignKey("peers.id"), nullable=False),
    Column("held_at", UtcTime, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", ID, primary_key=True),
    Column("channel", WORD, nullable=False),
    Column("reason", WORD, nullable=False),
    Column("ids", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)
