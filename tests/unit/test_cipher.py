"""The cipher: what it can read, what it hides, and what it says when it is set up wrongly."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from channels.conversation import Channel
from channels.errors import SettingsError
from channels.ledger.cipher import Cipher

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
NUMBER = "+441632960001"


@given(st.text())
def test_reads_back_what_it_wrote(words: str) -> None:
    cipher = Cipher([OLD], "secret")
    assert cipher.decrypt(cipher.encrypt(words)) == words


def test_half_a_surrogate_pair_is_kept_as_a_question_mark() -> None:
    cipher = Cipher([OLD], "secret")
    assert cipher.decrypt(cipher.encrypt("so \ud83d low")) == "so ? low"


def test_a_token_shows_nothing_of_the_words() -> None:
    token = Cipher([OLD], "secret").encrypt(NUMBER)
    assert NUMBER not in token
    assert token != Cipher([OLD], "secret").encrypt(NUMBER)


def test_an_old_key_still_reads_and_rotating_moves_to_the_newest() -> None:
    token = Cipher([OLD], "secret").encrypt("words")
    both = Cipher([NEW, OLD], "secret")
    assert not both.is_current(token)
    rotated = both.rotate(token)
    assert both.is_current(rotated)
    assert Cipher([NEW], "secret").decrypt(rotated) == "words"


def test_a_missing_key_is_named_and_the_words_are_not() -> None:
    token = Cipher([OLD], "secret").encrypt("words")
    with pytest.raises(SettingsError, match="NWD_ENCRYPTION_KEYS") as caught:
        Cipher([NEW], "secret").decrypt(token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "secret", "named"),
    [
        pytest.param([], "secret", "NWD_ENCRYPTION_KEYS", id="no key"),
        pytest.param([""], "secret", "NWD_ENCRYPTION_KEYS", id="an empty key"),
        pytest.param(["not-a-fernet-key"], "secret", "NWD_ENCRYPTION_KEYS", id="not a Fernet key"),
        pytest.param([OLD], "", "NWD_PERSON_KEY_SECRET", id="no person secret"),
    ],
)
def test_wrong_settings_are_named(keys: list[str], secret: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Cipher(keys, secret)


class TestPersonKey:
    def test_is_128_bits_of_hex(self) -> None:
        key = Cipher([OLD], "secret").person_key(Channel.SMS, NUMBER)
        assert len(key) == 32
        assert int(key, 16) >= 0

    def test_is_the_same_under_other_encryption_keys(self) -> None:
        first = Cipher([OLD], "secret").person_key(Channel.SMS, NUMBER)
        assert Cipher([NEW], "secret").person_key(Channel.SMS, NUMBER) == first

    @pytest.mark.parametrize(
        ("secret", "channel", "address"),
        [
            pytest.param("another", Channel.SMS, NUMBER, id="another secret"),
            pytest.param("secret", Channel.TELEGRAM, NUMBER, id="another channel"),
            pytest.param("secret", Channel.SMS, NUMBER + "0", id="another address"),
        ],
    )
    def test_differs_with(self, secret: str, channel: Channel, address: str) -> None:
        first = Cipher([OLD], "secret").person_key(Channel.SMS, NUMBER)
        assert Cipher([OLD], secret).person_key(channel, address) != first

    def test_parts_never_run_into_each_other(self) -> None:
        cipher = Cipher([OLD], "secret")
        assert cipher.keyed_hash("ab", "c") != cipher.keyed_hash("a", "bc")
