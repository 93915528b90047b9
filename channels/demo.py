"""What demo mode makes up so that nobody has to configure anything: secrets, and people who can sign in.

Secrets are drawn once and kept in the data folder, readable by its owner only. A setting that the
environment gives always wins. None of this runs when `NWD_DEMO=0`.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from channels.settings import Settings

DEMO_NUMBER = "+441632960000"
"""From the range that Ofcom keeps free for drama."""

DEMO_PEERS = (("Sam", "sam", "peer"), ("Ana", "ana", "peer"), ("Robin", "robin", "coordinator"), ("Dee", "dee", "peer"))
DEMO_TEAMS = {"dee": frozenset({"debt"})}
"""Of another organisation (`data/demo_teams.yml`); everybody else is at home."""
DEMO_PASSWORD = "wrenbridge-demo"  # noqa: S105 - shown on the sign-in page of the demo, which listens on loopback only


def demo_secrets(settings: Settings) -> dict[str, str]:
    """Environment variables that demo mode adds, the same ones at every start on this data folder."""
    path = settings.data_dir / "demo-secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    wanted = {
        "NWD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "NWD_PERSON_KEY_SECRET": secrets.token_hex(32),
        "NWD_RASA_TOKEN": secrets.token_hex(24),
        "NWD_ACTIONS_TOKEN": secrets.token_hex(24),
        "NWD_STAFF_TOKEN": secrets.token_hex(24),
        "NWD_REPORTS_TOKEN": secrets.token_hex(24),
        "NWD_TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
        "NWD_TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "NWD_TELEGRAM_TOKEN": f"{secrets.randbelow(10**9) + 10**9}:{secrets.token_urlsafe(26)}",
        "NWD_TELEGRAM_SECRET": secrets.token_urlsafe(32),
    }
    merged = {name: kept.get(name, fresh) for name, fresh in wanted.items()}
    if merged != kept:
        write_private(path, json.dumps(merged, indent=1))
    local = f"http://127.0.0.1:{settings.port}/simulator"
    merged["NWD_TWILIO_FROM"] = DEMO_NUMBER
    merged["NWD_TWILIO_API_URL"] = f"{local}/twilio"
    merged["NWD_TELEGRAM_API_URL"] = f"{local}/telegram/bot"
    return {name: os.environ.get(name) or value for name, value in merged.items()}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    scratch.replace(path)


def demo_environment(settings: Settings) -> dict[str, object]:
    """The demo's settings as keyword arguments of `read_settings`, for a command beside a running demo."""
    names = {name: name.removeprefix("NWD_").lower() for name in demo_secrets(settings)}
    return {names[name]: value for name, value in demo_secrets(settings).items()}
