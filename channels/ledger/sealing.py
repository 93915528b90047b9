"""Words under the key of one person: a token says which key it needs, so that whoever reads has to know nothing else.

    p1:<id of the key>:<nonce and AES-256-GCM ciphertext, url-safe base64>

The id is the associated data: a token that is put under another person's key does not open. With the key gone,
nobody can read it, wherever a copy of it lies.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX: Final = "p1:"
NONCE_BYTES: Final = 12
KEY_BITS: Final = 256


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """How many keys there are, and how many the service's keys do not open, or only an older one does."""

    kept: int = 0
    destroyed: int = 0
    closed: int = 0
    old: int = 0


class Keys(Protocol):
    """Where the keys of people are."""

    def to_write(self, owner: str) -> bytes | None:
        """The key of this owner, made now if there was none. None once it was destroyed: it never comes back."""

    def make(self, owners: Iterable[str]) -> None:
        """The keys of those who have none, with one write to the disk: for many at once."""

    def to_read(self, key_id: str) -> bytes | None:
        """None once it was destroyed. Raises KeyLost for a key that was never here."""

    def missing(self, key_ids: Collection[str]) -> set[str]:
        """Those that are not here and were not destroyed: some hundred at a time."""

    def destroy(self, key_ids: list[str], *, leave_trace: bool) -> bool:
        """Whether no byte of them is left on the disk. With a trace it is known for ever that they were destroyed."""

    def destroyed(self) -> Iterator[list[str]]:
        """Their ids, some at a time."""

    def rewrap(self) -> int:
        """Put every key under the newest of the service's keys. Says how many were written anew."""

    def state(self) -> KeyState:
        """Looks at every key."""

    def close(self) -> None: ...


def new_key() -> bytes:
    return AESGCM.generate_key(KEY_BITS)


def is_sealed(token: str) -> bool:
    return token.startswith(PREFIX)


def key_id_of(token: str) -> str:
    """Of a sealed token."""
    return token.split(":", 2)[1]


def seal(key: bytes, key_id: str, words: bytes) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, words, _context(key_id))
    return f"{PREFIX}{key_id}:{base64.urlsafe_b64encode(sealed).decode('ascii')}"


def unseal(key: bytes, token: str) -> bytes:
    """Raises cryptography's InvalidTag when it is another key's, or was changed."""
    _, key_id, encoded = token.split(":", 2)
    sealed = base64.urlsafe_b64decode(encoded)
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _context(key_id))


def _context(key_id: str) -> bytes:
    return f"{PREFIX}{key_id}".encode()
