"""Codes of an authenticator app (TOTP, RFC 6238: six digits, 30 seconds) and the recovery codes beside them."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import pyotp
import segno

ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without letters and digits that are read for one another."""
RECOVERY_CODES: Final = 8
RECOVERY_LENGTH: Final = 10
STEP: Final = timedelta(seconds=30)
DRIFT: Final = 1
"""Steps a telephone's clock may be off, either way."""


def new_secret() -> str:
    """160 bits as base32, which the app takes."""
    return pyotp.random_base32()


def enrolment_address(secret: str, login: str, service: str) -> str:
    """The otpauth address that the picture carries."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=service)


def enrolment_picture(address: str) -> str:
    """A QR code as SVG, to stand inside a page."""
    return str(segno.make(address, error="m").svg_inline(scale=4, dark="#000", light="#fff", title="QR code"))


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step that a code belongs to, or None. Spaces in it are fine."""
    said = "".join(code.split())
    if not (said.isascii() and said.isdigit() and len(said) == 6):
        return None
    totp, step = pyotp.TOTP(secret), int(now.timestamp() // STEP.total_seconds())
    for near in range(step - DRIFT, step + DRIFT + 1):
        if hmac.compare_digest(totp.at(int(near * STEP.total_seconds())), said):
            return near
    return None


def new_recovery_codes() -> tuple[str, ...]:
    """Eight codes of about 49 bits, such as k3v7p-9xq2m."""
    return tuple(_recovery_code() for _ in range(RECOVERY_CODES))


def tidy_recovery_code(typed: str) -> str:
    """As it was made, however it was typed: capitals, no hyphen, spaces."""
    letters = "".join(letter for letter in typed.lower() if letter in ALPHABET)
    return f"{letters[:5]}-{letters[5:]}"


def _recovery_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH))
    return f"{letters[:5]}-{letters[5:]}"
