"""Passwords of the people who sign in: argon2id, with the parameters the library recommends."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from channels.errors import ChannelsError

MINIMUM_LENGTH = 15
"""OWASP ASVS 5.0 6.2.1: at least 8, 15 recommended; length instead of composition rules."""


class PasswordTooShort(ChannelsError):
    """The password has fewer than 15 characters. Three or four words that do not belong together do well."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def hash_password(password: str) -> str:
    """Raises PasswordTooShort."""
    if len(password) < MINIMUM_LENGTH:
        raise PasswordTooShort
    return PasswordHasher().hash(password)


def password_matches(password_hash: str, password: str) -> bool:
    """False for a wrong password and for a hash that cannot be read. Takes tens of milliseconds on purpose."""
    try:
        return PasswordHasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
