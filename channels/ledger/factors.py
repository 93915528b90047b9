"""What staff prove who they are with, beside a password: an authenticator app, passkeys, recovery codes.

Each use moves a counter forwards in one statement, so that a code or a signature that somebody overheard counts once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from channels.ledger import audit
from channels.ledger.account_tables import peer_factors
from channels.ledger.database import Database, Work, new_id

TABLE = peer_factors.c


class FactorKind(StrEnum):
    """A way to prove who one is."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"


@dataclass(frozen=True, kw_only=True)
class Factor:
    """What somebody sees of it in their own account."""

    id: str
    kind: FactorKind
    name: str
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class App:
    """An authenticator app: the shared secret."""

    id: str
    secret: str
    confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """A passkey that was registered: its id and public key as base64url, and its count of signatures."""

    id: str
    peer_id: str
    credential_id: str
    public_key: str
    count: int


class Factors:
    """One method, one transaction; each change is in the audit. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, peer_id: str) -> list[Factor]:
        """Those that count. Recovery codes that were used are not among them."""
        wanted = select(peer_factors).where(TABLE.peer_id == peer_id, TABLE.confirmed_at.is_not(None))
        async with self._database.reading() as work:
            found = await work.run(wanted.order_by(TABLE.created_at))
            return [_factor(row) for row in found if row.kind != FactorKind.RECOVERY or row.used_at is None]

    async def start_app(self, peer_id: str, secret: str) -> None:
        """A secret that counts from its first right code on. An earlier one that did not get that far is dropped."""
        async with self._database.writing() as work:
            await work.run(delete(peer_factors).where(_app_of(peer_id), TABLE.confirmed_at.is_(None)))
            key = work.cipher.keyed_hash("totp", peer_id, new_id())
            await _add(work, peer_id, FactorKind.TOTP, key, secret=work.cipher.encrypt(secret))

    async def app(self, peer_id: str, *, confirmed: bool) -> App | None:
        is_so = TABLE.confirmed_at.is_not(None) if confirmed else TABLE.confirmed_at.is_(None)
        async with self._database.reading() as work:
            row = (await work.run(select(peer_factors).where(_app_of(peer_id), is_so))).first()
            if row is None:
                return None
            return App(id=row.id, secret=work.cipher.decrypt(row.secret), confirmed=confirmed)

    async def use_app(self, peer_id: str, app: App, step: int) -> bool:
        """Whether this time step's code is new. The first one confirms the app, and ends the one before it."""
        async with self._database.writing() as work:
            match = (TABLE.id == app.id, TABLE.peer_id == peer_id, TABLE.counter < step)
            values: dict[str, Any] = {"counter": step, "used_at": work.now}
            if not app.confirmed:
                values["confirmed_at"] = work.now
            if not await work.changed(update(peer_factors).where(*match).values(**values)):
                return False
            if not app.confirmed:
                await work.run(delete(peer_factors).where(_app_of(peer_id), TABLE.id != app.id))
                await audit.append(work, peer_id, "authenticator_added", peer_id)
        return True

    async def add_passkey(self, passkey: Passkey, name: str) -> bool:
        """Whether it is new: a passkey belongs to one account."""
        body = json.dumps({"credential_id": passkey.credential_id, "public_key": passkey.public_key})
        async with self._database.writing() as work:
            if await _passkey_row(work, passkey.credential_id) is not None:
                return False
            key = work.cipher.keyed_hash("passkey", passkey.credential_id)
            secret = work.cipher.encrypt(body)
            values = {"counter": passkey.count, "name": name, "confirmed_at": work.now}
            await _add(work, passkey.peer_id, FactorKind.PASSKEY, key, secret=secret, **values)
            await audit.append(work, passkey.peer_id, "passkey_added", passkey.peer_id)
        return True

    async def passkey(self, credential_id: str) -> Passkey | None:
        async with self._database.reading() as work:
            row = await _passkey_row(work, credential_id)
            return _passkey(work, row) if row else None

    async def passkeys(self, peer_id: str) -> list[Passkey]:
        async with self._database.reading() as work:
            wanted = select(peer_factors).where(TABLE.peer_id == peer_id, TABLE.kind == FactorKind.PASSKEY)
            return [_passkey(work, row) for row in await work.run(wanted)]

    async def use_passkey(self, passkey: Passkey, count: int) -> bool:
        """Whether its signature count moved on, as it must where the authenticator counts at all.

        One that does not count says 0 each time (WebAuthn level 2, 7.2 step 21).
        """
        match = TABLE.counter == 0 if count == 0 else TABLE.counter < count
        change = update(peer_factors).where(TABLE.id == passkey.id, match)
        async with self._database.writing() as work:
            return bool(await work.changed(change.values(counter=count, used_at=work.now)))

    async def set_recovery_codes(self, peer_id: str, codes: Sequence[str]) -> None:
        """In place of those before. Only hashes are kept."""
        async with self._database.writing() as work:
            await work.run(delete(peer_factors).where(TABLE.peer_id == peer_id, TABLE.kind == FactorKind.RECOVERY))
            for code in codes:
                key = _recovery_key(work, peer_id, code)
                await _add(work, peer_id, FactorKind.RECOVERY, key, confirmed_at=work.now)
            await audit.append(work, peer_id, "recovery_codes_made", peer_id)

    async def use_recovery_code(self, peer_id: str, code: str) -> bool:
        """Each works once."""
        async with self._database.writing() as work:
            key = _recovery_key(work, peer_id, code)
            match = (TABLE.factor_key == key, TABLE.peer_id == peer_id, TABLE.used_at.is_(None))
            used = await work.changed(update(peer_factors).where(*match).values(used_at=work.now))
            if used:
                await audit.append(work, peer_id, "recovery_code_used", peer_id)
        return bool(used)

    async def remove(self, peer_id: str, factor_id: str) -> bool:
        """One of their own."""
        match = (TABLE.id == factor_id, TABLE.peer_id == peer_id)
        async with self._database.writing() as work:
            gone = await work.changed(delete(peer_factors).where(*match))
            if gone:
                await audit.append(work, peer_id, "factor_removed", peer_id)
        return bool(gone)


def _app_of(peer_id: str) -> Any:
    return (TABLE.peer_id == peer_id) & (TABLE.kind == FactorKind.TOTP)


def _recovery_key(work: Work, peer_id: str, code: str) -> str:
    return work.cipher.keyed_hash("recovery", peer_id, code)


async def _add(work: Work, peer_id: str, kind: FactorKind, key: str, **values: Any) -> None:
    row = {"counter": 0, "name": "", "created_at": work.now, **values}
    await work.run(insert(peer_factors).values(id=new_id(), peer_id=peer_id, kind=kind, factor_key=key, **row))


async def _passkey_row(work: Work, credential_id: str) -> Row[Any] | None:
    key = work.cipher.keyed_hash("passkey", credential_id)
    wanted = select(peer_factors).where(TABLE.factor_key == key, TABLE.kind == FactorKind.PASSKEY)
    return (await work.run(wanted)).first()


def _passkey(work: Work, row: Row[Any]) -> Passkey:
    body = json.loads(work.cipher.decrypt(row.secret))
    return Passkey(id=row.id, peer_id=row.peer_id, count=row.counter, **body)


def _factor(row: Row[Any]) -> Factor:
    return Factor(id=row.id, kind=FactorKind(row.kind), name=row.name, created_at=row.created_at, used_at=row.used_at)
