"""Words under the key of one person: what opens them, and what does not."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from channels.errors import SettingsError
from channels.ledger import sealing
from channels.ledger.cipher import Cipher

SERVICE = Fernet.generate_key().decode()
WORDS = b"cant pay my rent"
FIXED = bytes(12)
"""A nonce of the tests, so that what is changed is the same in each run."""


class Kept:
    """Keys in memory."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes | None] = {}

    def to_write(self, owner: str) -> bytes | None:
        return self.keys.setdefault(owner, sealing.new_key())

    def to_read(self, key_id: str) -> bytes | None:
        return self.keys[key_id]

    def destroy(self, key_ids: list[str], *, leave_trace: bool) -> bool:
        self.keys.update(dict.fromkeys(key_ids))
        return True

    def close(self) -> None: ...


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def cipher(kept: Kept) -> Cipher:
    return Cipher([SERVICE], "secret").with_people(kept)


def test_a_token_says_which_key_it_needs_and_nothing_else() -> None:
    token = sealing.seal(sealing.new_key(), "ab12", WORDS)
    assert sealing.is_sealed(token)
    assert sealing.key_id_of(token) == "ab12"
    assert WORDS not in base64.urlsafe_b64decode(token.rsplit(":", 1)[1])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: token.replace("ab12", "cd34"), id="put under another person's id"),
        pytest.param(
            lambda token: token[:-6] + ("AAAA" if token[-6:-2] != "AAAA" else "BBBB") + token[-2:], id="changed"
        ),
    ],
)
def test_what_was_tampered_with_does_not_open(spoil: Callable[[str], str]) -> None:
    key = bytes(32)
    token = "p1:ab12:" + base64.urlsafe_b64encode(FIXED + AESGCM(key).encrypt(FIXED, WORDS, b"p1:ab12")).decode()
    assert sealing.unseal(key, token) == WORDS
    with pytest.raises(InvalidTag):
        sealing.unseal(key, spoil(token))


def test_each_person_has_a_key_and_any_reader_finds_it(cipher: Cipher, kept: Kept) -> None:
    tokens = [cipher.of(owner).encrypt("words") for owner in ("one", "two")]
    assert [sealing.key_id_of(token) for token in tokens] == ["one", "two"]
    assert kept.keys["one"] != kept.keys["two"]
    assert [cipher.decrypt(token) for token in tokens] == ["words", "words"]


def test_the_services_own_words_are_under_its_own_key(cipher: Cipher) -> None:
    assert not sealing.is_sealed(cipher.encrypt("a secret of a peer worker"))


def test_a_destroyed_key_reads_as_erased_for_one_person_only(cipher: Cipher, kept: Kept) -> None:
    gone, here = (cipher.of(owner).encrypt("words") for owner in ("one", "two"))
    kept.destroy(["one"], leave_trace=True)
    assert cipher.decrypt(gone) == ""
    assert cipher.decrypt(here) == "words"


def test_what_is_written_after_that_is_not_lost(cipher: Cipher, kept: Kept) -> None:
    kept.keys["one"] = None
    token = cipher.of("one").encrypt("the ambulance was called at six")
    assert not sealing.is_sealed(token)
    assert cipher.decrypt(token) == "the ambulance was called at six"


def test_the_wrong_key_is_named_not_taken_for_erased(cipher: Cipher, kept: Kept) -> None:
    token = cipher.of("one").encrypt("words")
    kept.keys["one"] = sealing.new_key()
    with pytest.raises(SettingsError, match=r"keys\.db"):
        cipher.decrypt(token)
    with pytest.raises(SettingsError, match=r"keys\.db"):
        Cipher([SERVICE], "secret").decrypt(token)
