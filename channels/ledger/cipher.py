"""Words and numbers of people, unreadable in the database file and in its backups.

The first key writes, every key reads: to change keys put a new one in front, run `Ledger.reencrypt()`,
then take the old one away. The person secret is apart from the keys, because it can never change: it turns
an address into the key that a returning person is recognised by.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from channels.conversation import Channel
from channels.errors import SettingsError

PERSON_KEY_BITS = 128


class Cipher:
    """Encrypts with the first of `keys`, decrypts with any. Raises SettingsError when there is nothing to work with."""

    def __init__(self, keys: Sequence[str], person_secret: str) -> None:
        if not keys or not all(keys):
            raise SettingsError("NWD_ENCRYPTION_KEYS: no key. Put one or more Fernet keys there, comma separated.")
        if not person_secret:
            raise SettingsError("NWD_PERSON_KEY_SECRET: empty. Put a long random text there and never change it.")
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise SettingsError("NWD_ENCRYPTION_KEYS: not a Fernet key (32 bytes, url-safe base64).") from None
        self._newest = fernets[0]
        self._fernets = MultiFernet(fernets)
        self._secret = person_secret.encode()

    def encrypt(self, text: str) -> str:
        """Never fails on strange text: half of a surrogate pair, which no encoding can carry, becomes a '?'."""
        return self._fernets.encrypt(text.encode("utf-8", "replace")).decode("ascii")

    def decrypt(self, token: str) -> str:
        """Raises SettingsError when none of the keys fits."""
        try:
            return self._fernets.decrypt(token).decode("utf-8")
        except InvalidToken:
            raise SettingsError(
                "NWD_ENCRYPTION_KEYS: something in the ledger was written with a key that is not listed. Add that key."
            ) from None

    def rotate(self, token: str) -> str:
        """The same words under the newest key."""
        return self.encrypt(self.decrypt(token))

    def is_current(self, token: str) -> bool:
        """Whether the newest key wrote it."""
        try:
            self._newest.decrypt(token)
        except InvalidToken:
            return False
        return True

    def person_key(self, channel: Channel, address: str) -> str:
        """A keyed hash, because all the phone numbers of a country can be tried against a plain one."""
        return self.keyed_hash("person", channel, address)

    def keyed_hash(self, *parts: str) -> str:
        """Recognises a value without holding it; `parts` never run into each other."""
        message = b"".join(
            len(raw).to_bytes(4, "big") + raw for raw in (part.encode("utf-8", "replace") for part in parts)
        )
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()[: PERSON_KEY_BITS // 4]
