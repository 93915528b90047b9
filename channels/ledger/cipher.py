"""Words and numbers of people, unreadable in the database file and in its backups.

The first key writes, every key reads: to change keys put a new one in front, run `Ledger.reencrypt()`,
then take the old one away. What belongs to a person is under a key of that person instead (`Cipher.of`, see
`sealing`), and the service's keys wrap those. The person secret is apart from the keys, because it can never change:
it turns an address into the key that a returning person is recognised by.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from channels.conversation import Channel
from channels.errors import KeyLost, SettingsError
from channels.ledger import sealing

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
        self._owner = ""
        self.people: sealing.Keys | None = None
        """Keys of people; without them everything is under the service's own."""

    def with_people(self, keys: sealing.Keys) -> Cipher:
        other = copy.copy(self)
        other.people = keys
        return other

    def of(self, owner: str) -> Cipher:
        """The same, writing under the key of this owner: the id of a conversation, which is one person's."""
        other = copy.copy(self)
        other._owner = owner
        return other

    def encrypt(self, text: str) -> str:
        """Never fails on strange text: half of a surrogate pair, which no encoding can carry, becomes a '?'.

        What is still written about somebody whose key was destroyed is under the service's.
        """
        words = text.encode("utf-8", "replace")
        key = self.people.to_write(self._owner) if self.people and self._owner else None
        if key is not None:
            return sealing.seal(key, self._owner, words)
        return self._fernets.encrypt(words).decode("ascii")

    def decrypt(self, token: str) -> str:
        """Empty when the key was destroyed with its person. Raises SettingsError when none of the keys fits, and
        of those KeyLost when it is a person's that is not here.
        """
        if sealing.is_sealed(token):
            return self._unseal(token)
        try:
            return self._fernets.decrypt(token).decode("utf-8")
        except InvalidToken:
            raise SettingsError(
                "NWD_ENCRYPTION_KEYS: something in the ledger was written with a key that is not listed. Add that key."
            ) from None

    def _unseal(self, token: str) -> str:
        if self.people is None:
            raise SettingsError("keys.db: something in the ledger is under the key of a person, and no keys are open.")
        key = self.people.to_read(sealing.key_id_of(token))
        if key is None:
            return ""
        try:
            return sealing.unseal(key, token).decode("utf-8")
        except (InvalidTag, ValueError):
            raise KeyLost(
                "keys.db: the key of a person does not open what is under it. It is of another ledger, or the words "
                "were changed."
            ) from None

    def rotate(self, token: str) -> str:
        """The same words under the newest key."""
        return self.encrypt(self.decrypt(token))

    def is_current(self, token: str) -> bool:
        """Whether the newest key wrote it, or a person's, which is not what changes."""
        if sealing.is_sealed(token):
            return True
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
