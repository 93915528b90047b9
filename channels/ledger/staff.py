"""People who sign in, and their sessions. A session's token is kept only as a hash: a copied database opens no door."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from channels.conversation import Channel
from channels.errors import ChannelsError
from channels.ledger import audit, rows, tables
from channels.ledger.database import Work, new_id
from channels.ledger.records import PeerRecord
from channels.roles import ROLES


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


async def add_peer(work: Work, peer: PeerRecord) -> None:
    """Raises ChannelsError when the login is taken or the role is none of ours."""
    if peer.role not in ROLES:
        raise ChannelsError(f"role: {peer.role} is not one of {', '.join(ROLES)}")
    row = {
        "id": peer.id,
        "name": peer.name,
        "login": peer.login,
        "role": peer.role,
        "password_hash": peer.password_hash,
        "created_at": work.now,
    }
    if not await work.insert_new(tables.peers, **row):
        raise ChannelsError("login: somebody signs in with it already; choose another one")
    await audit.append(work, "system", "peer_added", peer.id, peer.role)


async def change_password(work: Work, peer_id: str, password_hash: str) -> None:
    """Ends their sessions too."""
    await work.run(update(tables.peers).where(tables.peers.c.id == peer_id).values(password_hash=password_hash))
    await work.run(delete(tables.sessions).where(tables.sessions.c.peer_id == peer_id))
    await audit.append(work, peer_id, "password_changed", peer_id)


async def peer(work: Work, peer_id: str) -> PeerRecord | None:
    row = (await work.run(select(tables.peers).where(tables.peers.c.id == peer_id))).first()
    return rows.peer_of(row) if row else None


async def peer_by_login(work: Work, login: str) -> PeerRecord | None:
    row = (await work.run(select(tables.peers).where(tables.peers.c.login == login))).first()
    return rows.peer_of(row) if row else None


async def peers(work: Work) -> list[PeerRecord]:
    return [rows.peer_of(row) for row in await work.run(select(tables.peers).order_by(tables.peers.c.name))]


async def open_session(work: Work, peer_id: str, ttl: timedelta) -> str:
    """The token, which exists nowhere else from now on. Clears out sessions that have ended."""
    token = secrets.token_hex(32)
    await work.run(delete(tables.sessions).where(tables.sessions.c.expires_at <= work.now))
    await work.run(
        insert(tables.sessions).values(
            token_hash=token_hash(token), peer_id=peer_id, created_at=work.now, expires_at=work.now + ttl
        )
    )
    await audit.append(work, peer_id, "signed_in", peer_id)
    return token


async def session(work: Work, token: str) -> PeerRecord | None:
    wanted = (
        select(tables.peers)
        .join(tables.sessions, tables.sessions.c.peer_id == tables.peers.c.id)
        .where(
            tables.sessions.c.token_hash == token_hash(token),
            tables.sessions.c.expires_at > work.now,
            tables.peers.c.ended_at.is_(None),
        )
    )
    row = (await work.run(wanted)).first()
    return rows.peer_of(row) if row else None


async def close_session(work: Work, token: str) -> None:
    """Harmless for a token that has ended already."""
    match = tables.sessions.c.token_hash == token_hash(token)
    peer_id = (await work.run(select(tables.sessions.c.peer_id).where(match))).scalar_one_or_none()
    if peer_id is not None:
        await work.run(delete(tables.sessions).where(match))
        await audit.append(work, peer_id, "signed_out", peer_id)


async def quarantine(work: Work, channel: Channel, reason: str, ids: Mapping[str, str]) -> None:
    """Remember which provider ids came with a request that was refused, and nothing else of it."""
    await work.run(
        insert(tables.quarantine).values(
            id=new_id(), channel=channel, reason=reason, ids=json.dumps(dict(ids)), at=work.now
        )
    )
