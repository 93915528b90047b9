"""How staff prove who they are. Secrets are Fernet tokens; what only has to be recognised is a hash."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from channels.ledger.tables import ID, WORD, Plain, UtcTime, metadata

__all__ = ["invitations", "metadata", "peer_factors", "sign_in_steps"]

# Authenticator apps, passkeys and recovery codes of somebody.
peer_factors = Table(
    "peer_factors",
    metadata,
    Column("id", ID, primary_key=True),
    Column("peer_id", ID, ForeignKey("peers.id"), nullable=False),
    # totp, passkey or recovery
    Column("kind", WORD, nullable=False),
    # A keyed hash: of a passkey's id, of a recovery code, of the peer worker for their one authenticator app.
    Column("factor_key", Plain(64), nullable=False),
    # Encrypted: the app's shared secret; the passkey's id and public key. None for a recovery code.
    Column("secret", Text),
    # The app's last time step that was used, the passkey's signature count: neither may go back.
    Column("counter", BigInteger, nullable=False),
    Column("name", Plain(80), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # An app counts from its first right code on.
    Column("confirmed_at", UtcTime),
    Column("used_at", UtcTime),
    Index("uq_peer_factors_factor_key", "factor_key", unique=True),
    Index("ix_peer_factors_peer_id", "peer_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("token_hash", Plain(64), nullable=False, unique=True),
    Column("name", Plain(80), nullable=False),
    Column("role", WORD, nullable=False),
    Column("invited_by", ID, ForeignKey("peers.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
)

# What one step of signing in leaves for the next: a password that was right, a challenge, a way to a provider and back.
sign_in_steps = Table(
    "sign_in_steps",
    metadata,
    Column("token_hash", Plain(64), primary_key=True),
    Column("kind", WORD, nullable=False),
    Column("peer_id", ID, ForeignKey("peers.id")),
    # Encrypted JSON.
    Column("body", Text, nullable=False),
    Column("tries", BigInteger, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_sign_in_steps_expires_at", "expires_at"),
)
