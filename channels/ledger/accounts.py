"""Accounts of staff from invitation to end, their sessions, and what one step of signing in leaves for the next."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from channels.errors import ChannelsError
from channels.ledger import audit, rows, staff, tables
from channels.ledger.account_tables import invitations, peer_factors, sign_in_steps
from channels.ledger.database import Database, Work, new_id
from channels.ledger.records import PeerRecord
from channels.ledger.staff import token_hash
from channels.roles import ROLES, grantable

NOTED_EVERY = timedelta(minutes=5)
"""A use of a session is written down at most this often."""
INVITATION_LASTS = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """Somebody who may make an account."""

    id: str
    name: str
    role: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class UsedSession:
    """Whose it is, when it is over, and when it is over if it is not used until then."""

    peer: PeerRecord
    ends_at: datetime
    idle_at: datetime


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """One place where somebody is signed in."""

    opened_at: datetime
    used_at: datetime
    this_one: bool


@dataclass(frozen=True, kw_only=True)
class Step:
    """What the step before left. `tries` counts how often it was looked at, this time included."""

    peer: PeerRecord | None
    body: Mapping[str, Any]
    tries: int


class Accounts:
    """One method, one transaction; each change is in the audit. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Sessions

    async def use_session(self, token: str, *, now: datetime, idle: timedelta, active: bool) -> UsedSession | None:
        """Whose it is. It ends here when it was not used for `idle`, or is over; only an `active` look is a use."""
        match = tables.sessions.c.token_hash == token_hash(token)

        async def look(work: Work) -> tuple[Row[Any] | None, PeerRecord | None]:
            row = (await work.run(select(tables.sessions).where(match))).first()
            return row, await staff.session(work, token)

        row, peer = await self._database.read(look)
        if row is None or peer is None:
            return None
        used = row.used_at or row.created_at
        if now - used >= idle or now >= row.expires_at:
            async with self._database.writing() as work:
                await staff.close_session(work, token)
            return None
        if active and now - used >= NOTED_EVERY:
            async with self._database.writing() as work:
                await work.run(update(tables.sessions).where(match).values(used_at=now))
        last = now if active else used
        return UsedSession(peer=peer, ends_at=row.expires_at, idle_at=last + idle)

    async def sessions(self, peer_id: str, token: str) -> list[OpenSession]:
        """Where somebody is signed in, the newest first; `token` is the one they look with."""
        table = tables.sessions.c
        async with self._database.reading() as work:
            wanted = select(tables.sessions).where(table.peer_id == peer_id, table.expires_at > work.now)
            found = (await work.run(wanted.order_by(table.created_at.desc()))).all()
        here = token_hash(token)
        return [
            OpenSession(
                opened_at=row.created_at, used_at=row.used_at or row.created_at, this_one=row.token_hash == here
            )
            for row in found
        ]

    async def close_sessions(self, peer_id: str, *, keep: str = "") -> int:
        """Sign somebody out everywhere, `keep` apart. Says how many sessions ended."""
        table = tables.sessions.c
        match = (table.peer_id == peer_id, table.token_hash != token_hash(keep))
        async with self._database.writing() as work:
            count = await work.changed(delete(tables.sessions).where(*match))
            await audit.append(work, peer_id, "signed_out_everywhere", peer_id, str(count))
        return count

    # Colleagues

    async def invite(self, actor: PeerRecord, name: str, role: str) -> str:
        """The token of an invitation that works once within seven days. Raises ChannelsError when they may not."""
        if role not in grantable(actor.role):
            raise ChannelsError(f"role: {actor.role} may not give {role}")
        token = secrets.token_urlsafe(24)
        async with self._database.writing() as work:
            row = {"id": new_id(), "token_hash": token_hash(token), "name": name, "role": role}
            when = {"created_at": work.now, "expires_at": work.now + INVITATION_LASTS}
            await work.run(insert(invitations).values(**row, invited_by=actor.id, **when))
            await audit.append(work, actor.id, "invited", str(row["id"]), role)
        return token

    async def invitation(self, token: str) -> Invitation | None:
        """None when it was used, withdrawn or is over."""
        return await self._database.read(lambda work: _invitation(work, token))

    async def accept(self, token: str, login: str, password_hash: str) -> PeerRecord:
        """The account. Raises ChannelsError when the invitation is over or somebody has the login."""
        async with self._database.writing() as work:
            found = await _invitation(work, token)
            if found is None:
                raise ChannelsError("invitation: it was used or is over; ask for a new one")
            await work.run(update(invitations).where(invitations.c.id == found.id).values(used_at=work.now))
            peer = PeerRecord(id=new_id(), name=found.name, login=login, role=found.role, password_hash=password_hash)
            await staff.add_peer(work, peer)
        return peer

    async def open_invitations(self) -> list[Invitation]:
        table = invitations.c
        async with self._database.reading() as work:
            wanted = select(invitations).where(table.used_at.is_(None), table.expires_at > work.now)
            found = await work.run(wanted.order_by(table.created_at))
            return [Invitation(id=row.id, name=row.name, role=row.role, expires_at=row.expires_at) for row in found]

    async def withdraw(self, actor: PeerRecord, invitation_id: str) -> None:
        async with self._database.writing() as work:
            await work.run(delete(invitations).where(invitations.c.id == invitation_id))
            await audit.append(work, actor.id, "invitation_withdrawn", invitation_id)

    async def change_role(self, actor: PeerRecord, peer_id: str, role: str) -> None:
        """Their sessions end, so that nothing goes on with what they might do before. Raises ChannelsError."""
        async with self._database.writing() as work:
            peer = await _colleague(work, actor, peer_id)
            if role not in grantable(actor.role):
                raise ChannelsError(f"role: {actor.role} may not give {role}")
            await work.run(update(tables.peers).where(tables.peers.c.id == peer.id).values(role=role))
            await work.run(delete(tables.sessions).where(tables.sessions.c.peer_id == peer.id))
            await audit.append(work, actor.id, "role_changed", peer.id, role)

    async def end_access(self, actor: PeerRecord, peer_id: str) -> None:
        """They work here no more: sessions, passkeys and links end at once. Raises ChannelsError."""
        async with self._database.writing() as work:
            peer = await _colleague(work, actor, peer_id)
            values = {"ended_at": work.now, "subject_key": None}
            await work.run(update(tables.peers).where(tables.peers.c.id == peer.id).values(**values))
            await work.run(delete(tables.sessions).where(tables.sessions.c.peer_id == peer.id))
            await work.run(delete(sign_in_steps).where(sign_in_steps.c.peer_id == peer.id))
            await audit.append(work, actor.id, "access_ended", peer.id)

    async def restore_access(self, actor: PeerRecord, peer_id: str) -> None:
        """Raises ChannelsError."""
        async with self._database.writing() as work:
            peer = await _colleague(work, actor, peer_id)
            await work.run(update(tables.peers).where(tables.peers.c.id == peer.id).values(ended_at=None))
            await audit.append(work, actor.id, "access_restored", peer.id)

    async def reset_factors(self, actor: PeerRecord, peer_id: str) -> None:
        """Somebody lost their telephone, and a colleague knows them. Raises ChannelsError."""
        async with self._database.writing() as work:
            peer = await _colleague(work, actor, peer_id)
            await work.run(delete(peer_factors).where(peer_factors.c.peer_id == peer.id))
            await work.run(delete(tables.sessions).where(tables.sessions.c.peer_id == peer.id))
            await audit.append(work, actor.id, "factors_reset", peer.id)

    # The organisation's own sign-in

    async def link_subject(self, peer_id: str, issuer: str, subject: str) -> None:
        """From now on this subject at the organisation's sign-in is this account."""
        async with self._database.writing() as work:
            key = work.cipher.keyed_hash("subject", issuer, subject)
            await work.run(update(tables.peers).where(tables.peers.c.id == peer_id).values(subject_key=key))
            await audit.append(work, peer_id, "organisation_sign_in_linked", peer_id)

    async def by_subject(self, issuer: str, subject: str) -> PeerRecord | None:
        async with self._database.reading() as work:
            key = work.cipher.keyed_hash("subject", issuer, subject)
            row = (await work.run(select(tables.peers).where(tables.peers.c.subject_key == key))).first()
            return rows.peer_of(row) if row else None

    # Steps of signing in

    async def begin_step(self, kind: str, body: Mapping[str, Any], lasts: timedelta, peer_id: str | None = None) -> str:
        """A token that leads back to `body`. Clears out steps that nobody finished."""
        token = secrets.token_urlsafe(24)
        async with self._database.writing() as work:
            await work.run(delete(sign_in_steps).where(sign_in_steps.c.expires_at <= work.now))
            row = {"token_hash": token_hash(token), "kind": kind, "peer_id": peer_id, "tries": 0}
            sealed = work.cipher.encrypt(json.dumps(dict(body)))
            await work.run(insert(sign_in_steps).values(**row, body=sealed, expires_at=work.now + lasts))
        return token

    async def step(self, token: str, kind: str) -> Step | None:
        """What was left, and one more try counted."""
        table = sign_in_steps.c
        match = (table.token_hash == token_hash(token), table.kind == kind)
        async with self._database.writing() as work:
            await work.run(update(sign_in_steps).where(*match).values(tries=table.tries + 1))
            row = (await work.run(select(sign_in_steps).where(*match, table.expires_at > work.now))).first()
            if row is None:
                return None
            peer = await staff.peer(work, row.peer_id) if row.peer_id else None
            return Step(peer=peer, body=json.loads(work.cipher.decrypt(row.body)), tries=row.tries)

    async def end_step(self, token: str) -> bool:
        """Whether it was still there: of two who finish the same step, one does."""
        async with self._database.writing() as work:
            match = sign_in_steps.c.token_hash == token_hash(token)
            return bool(await work.changed(delete(sign_in_steps).where(match)))


async def _invitation(work: Work, token: str) -> Invitation | None:
    table = invitations.c
    match = (table.token_hash == token_hash(token), table.used_at.is_(None), table.expires_at > work.now)
    row = (await work.run(select(invitations).where(*match))).first()
    return Invitation(id=row.id, name=row.name, role=row.role, expires_at=row.expires_at) if row else None


async def _colleague(work: Work, actor: PeerRecord, peer_id: str) -> PeerRecord:
    """Somebody else, of a rank that `actor` may give. Raises ChannelsError."""
    peer = await staff.peer(work, peer_id)
    if peer is None or peer.id == actor.id:
        raise ChannelsError("peer: choose a colleague")
    if peer.role in ROLES and peer.role not in grantable(actor.role):
        raise ChannelsError(f"peer: {actor.role} may not change somebody who is {peer.role}")
    return peer
