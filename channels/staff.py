"""Preparing a deployment's ledger: its tables, and the people who can sign in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from channels.demo import DEMO_PASSWORD, DEMO_PEERS, DEMO_TEAMS
from channels.errors import ChannelsError, SettingsError
from channels.ledger import Ledger, migrate, open_ledger
from channels.ledger.duties import Duty
from channels.passwords import hash_password
from channels.settings import Settings
from channels.teams import Teams

EVERY: Final = 5.0
"""Seconds between two words about how far it is."""


def prepare(settings: Settings) -> None:
    """Create or update the tables, look after keys; in demo mode also the demo peers. Safe to run at every start."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate(settings.ledger_url)
    if settings.encryption_keys.get_secret_value():
        asyncio.run(look_after_keys(settings))
    if settings.demo:
        asyncio.run(add_demo_peers(settings))


@dataclass
class Progress:
    """Says every few seconds how far a long sealing has come, so that a start that takes minutes is not taken for one
    that hangs. Whoever stops it loses nothing: the next start goes on where it was."""

    clock: Callable[[], float] = time.monotonic
    last: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.last = self.clock()

    def __call__(self, count: int) -> None:
        if count and self.clock() - self.last >= EVERY:
            self.last = self.clock()
            structlog.get_logger().info(
                "sealing_older_words", done=count, note="may be stopped: the next start goes on"
            )


async def look_after_keys(settings: Settings) -> None:
    """Words from before there was a key for each person are sealed; whom a restored copy brought back is forgotten.

    A key that is missing stops nobody from writing to us: the log says so, and `doctor` what to do.
    """
    ledger = await open_ledger(settings)
    try:
        await ledger.person_keys.forget_again()
        await ledger.reencrypt(Progress())
    except SettingsError as problem:
        structlog.get_logger().error("keys_not_looked_after", fix=str(problem))
    finally:
        await ledger.close()


async def rewrap(settings: Settings) -> int:
    """Everything under the newest of NWD_ENCRYPTION_KEYS. Says how many keys and rows were written anew."""
    ledger = await open_ledger(settings)
    try:
        return await ledger.reencrypt(Progress())
    finally:
        await ledger.close()


async def add_demo_peers(settings: Settings) -> None:
    ledger = await open_ledger(settings)
    try:
        for name, login, role in DEMO_PEERS:
            if await ledger.peer_by_login(login) is None:
                hashed = hash_password(DEMO_PASSWORD)
                peer = await ledger.add_peer(name=name, login=login, role=role, password_hash=hashed)
                if teams := DEMO_TEAMS.get(login):
                    await ledger.queue.keep_duty(Duty(peer_id=peer.id, teams=teams), "system")
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


async def set_teams(settings: Settings, login: str, teams: Collection[str], languages: Collection[str]) -> None:
    """Raises ChannelsError for a login or a team that there is not."""
    known = Teams.of(settings)
    for team_id in teams:
        if known.get(team_id) is None:
            raise ChannelsError(f"teams: there is no team {team_id} in NWD_TEAMS_FILE.")
    ledger: Ledger = await open_ledger(settings)
    try:
        peer = await ledger.peer_by_login(login)
        if peer is None:
            raise ChannelsError(f"login: nobody signs in as {login}.")
        spoken = frozenset(language.lower() for language in languages)
        await ledger.queue.change_duty(
            peer.id, lambda duty: replace(duty, teams=frozenset(teams), languages=spoken), "system"
        )
    finally:
        await ledger.close()
