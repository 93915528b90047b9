"""The part of the ledger's front door that is about the people who work here, and what they did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from channels.conversation import Channel
from channels.ledger import audit, staff
from channels.ledger.database import Database, new_id
from channels.ledger.records import AuditRecord, PeerRecord


class StaffLedger:
    """Peer workers, their sessions, the audit trail and what was refused. Raises LedgerUnavailable as `Ledger` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_peer(self, *, name: str, login: str, role: str, password_hash: str) -> PeerRecord:
        """Raises ChannelsError when the login is taken."""
        peer = PeerRecord(id=new_id(), name=name, login=login, role=role, password_hash=password_hash)
        async with self._database.writing() as work:
            await staff.add_peer(work, peer)
        return peer

    async def change_password(self, peer_id: str, password_hash: str) -> None:
        async with self._database.writing() as work:
            await staff.change_password(work, peer_id, password_hash)

    async def peer(self, peer_id: str) -> PeerRecord | None:
        return await self._database.read(lambda work: staff.peer(work, peer_id))

    async def peer_by_login(self, login: str) -> PeerRecord | None:
        return await self._database.read(lambda work: staff.peer_by_login(work, login))

    async def peers(self) -> list[PeerRecord]:
        return await self._database.read(staff.peers)

    async def open_session(self, peer_id: str, ttl: timedelta) -> str:
        async with self._database.writing() as work:
            return await staff.open_session(work, peer_id, ttl)

    async def session(self, token: str) -> PeerRecord | None:
        return await self._database.read(lambda work: staff.session(work, token))

    async def close_session(self, token: str) -> None:
        async with self._database.writing() as work:
            await staff.close_session(work, token)

    async def audit(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Ids and words of ours only."""
        async with self._database.writing() as work:
            await audit.append(work, actor, action, subject, detail)

    async def audit_log(self, limit: int = 100, *, before: int | None = None) -> list[AuditRecord]:
        """Newest first; with `before` only what is older than that row."""
        return await self._database.read(lambda work: audit.latest(work, limit, before))

    async def verify_audit(self) -> bool:
        return await self._database.read(audit.verify)

    async def quarantine(self, channel: Channel, reason: str, ids: Mapping[str, str]) -> None:
        async with self._database.writing() as work:
            await staff.quarantine(work, channel, reason, ids)
