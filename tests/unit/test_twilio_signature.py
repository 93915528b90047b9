"""Twilio's signatures, computed here by hand from its description and not by the library that checks them."""

from __future__ import annotations

import base64
import hmac
import random
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from channels.settings import Settings
from channels.sms.twilio import Twilio

PATH = "/hooks/twilio/message"
URL = f"https://help.example{PATH}"
TOKEN, KEY = "auth-token-of-the-tests", "signing-key-of-the-tests"
SHA_256 = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
SHA_1 = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA1"
FORGERIES = 10_000

Pairs = list[tuple[str, str]]


def sign(pairs: Pairs, secret: str = TOKEN, algorithm: str = "sha1", url: str = URL) -> str:
    """The address, then every name and value in order of name; of a name that repeats, each different value once."""
    signed = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), algorithm)).decode()


@pytest.fixture(scope="module")
def twilio() -> Twilio:
    return make(KEY)


def make(key: str = "") -> Twilio:
    return Twilio(
        Settings(
            twilio_account_sid="AC1",
            twilio_auth_token=TOKEN,
            twilio_signing_secret=key,
            public_url="https://help.example",
        )
    )


anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.one_of(st.sampled_from(["Body", "From", "Überraschung", "", "X", "x"]), anything)
forms = st.lists(st.tuples(names, st.one_of(st.just(""), anything)), max_size=10)


@given(forms, st.integers(0, 9), st.booleans())
def test_whatever_twilio_signs_is_accepted_as_it_comes_over_the_wire(
    twilio: Twilio, pairs: Pairs, repeated: int, with_key: bool
) -> None:
    """Blank, repeated, unknown and non-Latin fields."""
    pairs = [*pairs, *pairs[repeated : repeated + 1]]
    arrived = FormData(parse_qsl(urlencode(pairs), keep_blank_values=True))
    if with_key:
        assert twilio.verify(PATH, arrived, sign(pairs, KEY, "sha256"), SHA_256)
        assert twilio.verify(PATH, arrived, sign(pairs, KEY), SHA_1)
    else:
        assert twilio.verify(PATH, arrived, sign(pairs))


@given(forms, names, anything, st.booleans())
def test_a_field_added_or_left_out_is_noticed(
    twilio: Twilio, pairs: Pairs, name: str, value: str, with_key: bool
) -> None:
    assume((name, value) not in pairs and name + value)
    secret, algorithm, header = (KEY, "sha256", SHA_256) if with_key else (TOKEN, "sha1", "")
    longer = [*pairs, (name, value)]
    # Names and values are joined without a mark between them, so some different forms are signed alike.
    assume(sign(pairs) != sign(longer))
    assert not twilio.verify(PATH, FormData(longer), sign(pairs, secret, algorithm), header)
    assert not twilio.verify(PATH, FormData(pairs), sign(longer, secret, algorithm), header)


PAIRS = [("Body", "cant pay my rent"), ("From", "+447700900123"), ("MessageSid", "SM1")]


@pytest.mark.parametrize(
    ("signature", "header"),
    [
        pytest.param(sign(PAIRS, TOKEN, "sha256"), SHA_256, id="the auth token, where the key should have signed"),
        pytest.param(sign(PAIRS, KEY), "", id="the key, where the auth token should have signed"),
        pytest.param(sign(PAIRS, KEY), SHA_256, id="SHA-1 called SHA-256"),
        pytest.param(sign(PAIRS, KEY, "md5"), "algorithm=HMAC_MD5", id="a weaker algorithm"),
        pytest.param(sign(PAIRS, KEY, "sha256"), "algorithm=none", id="no algorithm"),
        pytest.param("", SHA_256, id="no signature"),
        pytest.param("é", SHA_256, id="no base64"),
        pytest.param(sign(PAIRS, "", "sha256"), SHA_256, id="an empty secret"),
    ],
)
def test_another_secret_or_algorithm_is_not_accepted(twilio: Twilio, signature: str, header: str) -> None:
    assert not twilio.verify(PATH, FormData(PAIRS), signature, header)


def test_without_a_signing_key_the_auth_token_signs_both_ways() -> None:
    assert make().verify(PATH, FormData(PAIRS), sign(PAIRS, TOKEN, "sha256"), SHA_256)
    assert make().verify(PATH, FormData(PAIRS), sign(PAIRS))
    assert not make().verify(PATH, FormData(PAIRS), sign(PAIRS, "", "sha256"), SHA_256)


def test_of_ten_thousand_forged_signatures_none_is_accepted(twilio: Twilio) -> None:
    """Random ones of the right length, and the true one with a single letter changed."""
    chance = random.Random(20261123)
    form, accepted = FormData(PAIRS), 0
    for number in range(FORGERIES):
        header, size, true = ("", 20, sign(PAIRS)) if number % 2 else (SHA_256, 32, sign(PAIRS, KEY, "sha256"))
        signature = base64.b64encode(chance.randbytes(size)).decode()
        if number % 4 >= 2:
            place = chance.randrange(len(true))
            signature = f"{true[:place]}{'A' if true[place] != 'A' else 'B'}{true[place + 1 :]}"
        accepted += twilio.verify(PATH, form, signature, header)
    assert accepted == 0
    assert twilio.verify(PATH, form, sign(PAIRS))
    assert twilio.verify(PATH, form, sign(PAIRS, KEY, "sha256"), SHA_256)
