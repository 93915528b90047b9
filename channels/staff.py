"""Preparing a deployment's ledger: its tables, and the people who can sign in."""

from __future__ import annotations

import asyncio

from channels.demo import DEMO_PASSWORD, DEMO_PEERS
from channels.errors import ChannelsError
from channels.ledger import Ledger, migrate, open_ledger
from channels.passwords import hash_password
from channels.settings import Settings


def prepare(settings: Settings) -> None:
    """Create or update the tables; in demo mode also the demo peers. Safe to run at every start."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate(settings.ledger_url)
    if settings.demo:
        asyncio.run(add_demo_peers(settings))


async def add_demo_peers(settings: Settings) -> None:
    ledger = await open_ledger(settings)
    try:
        for name, login, role in DEMO_PEERS:
            if await ledger.peer_by_login(login) is None:
                await ledger.add_peer(name=name, login=login, role=role, password_hash=hash_password(DEMO_PASSWORD))
    finally:
        await ledger.close()


async def add_peer(settings: Settings, name: str, login: str, role: str, password: str) -> None:
    """Raises PasswordTooShort, and ChannelsError when the login is taken."""
    ledger: Ledger = await open_ledger(settings)
    try:
        if await ledger.peer_by_login(login) is not None:
            raise ChannelsError(f"login: somebody signs in as {login} already; choose another one.")
        await ledger.add_peer(name=name, login=login, role=role, password_hash=hash_password(password))
    finally:
        await ledger.close()
