"""Vonage's requests, in the form its documentation shows, turned into our nouns; and its signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.conversation import Channel, Delivery, Inbound, Media, Receipt
from channels.errors import Malformed
from channels.settings import Settings
from channels.sms.explaining import explain
from channels.sms.twilio import Twilio
from channels.sms.vonage import ERRORS, Vonage

DATA = Path(__file__).parent.parent / "data" / "vonage"
SECRET = "signature-secret-of-the-tests-long-enough"
FORGERIES = 10_000


def settings(**changes: Any) -> Settings:
    given = {
        "sms_provider": "vonage", "vonage_api_key": "abcd1234", "vonage_api_secret": "x",
        "vonage_signature_secret": SECRET, "vonage_from": "+441632960000", "public_url": "https://help.example",
    }  # fmt: skip
    return Settings(**{**given, **changes})


@pytest.fixture(scope="module")
def vonage() -> Vonage:
    return Vonage(settings())


def recorded(name: str) -> bytes:
    return (DATA / f"{name}.json").read_bytes()


def encode(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def token(body: bytes, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """By hand, and not by the library that checks it."""
    header = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    about = {"iat": 1795000000, "iss": "Vonage", "api_key": "abcd1234", "jti": "1", **claims}
    payload = json.dumps({"payload_hash": hashlib.sha256(body).hexdigest(), **about}).encode()
    signed = encode(header) + b"." + encode(payload)
    signature = hmac.digest(secret.encode(), signed, "sha256") if algorithm == "HS256" else b""
    return f"Bearer {(signed + b'.' + encode(signature)).decode()}"


def text(number: str, words: str, **changes: Any) -> Inbound:
    fields = {"address": "+447700900123", "provider_id": f"aaaaaaaa-bbbb-cccc-dddd-0123456789{number}", "text": words}
    return Inbound(channel=Channel.SMS, **{**fields, **changes})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("message", text("ab", "cant pay my rent – \U0001f614 & im so down"), id="a long text, whole"),
        pytest.param(
            "message_picture",
            text(
                "ac",
                "this letter came",
                media=(Media(kind="picture", reference="https://api-us.nexmo.com/v3/media/1"),),
            ),
            id="a picture with words",
        ),
        pytest.param("message_stop", text("ad", "STOP"), id="STOP is a word like any other"),
        pytest.param("message_from_a_name", text("ae", "Your code", address="Bank"), id="a name, and unknown fields"),
    ],
)
def test_a_message_becomes_an_inbound(vonage: Vonage, name: str, expected: Inbound) -> None:
    assert vonage.parse_message(recorded(name)) == expected


def receipt(number: int, state: Delivery, code: str = "") -> Receipt:
    provider_id = f"aaaaaaaa-bbbb-cccc-dddd-{number:012}"
    return Receipt(channel=Channel.SMS, provider_id=provider_id, state=state, error_code=code)


@pytest.mark.parametrize(
    ("name", "expected", "words"),
    [
        pytest.param("status_submitted", receipt(1, Delivery.SENT), "", id="submitted"),
        pytest.param("status_delivered", receipt(1, Delivery.DELIVERED), "", id="delivered"),
        pytest.param("status_rejected", receipt(2, Delivery.FAILED, "vonage-1050"), "may not get texts", id="rejected"),
        pytest.param(
            "status_undeliverable", receipt(3, Delivery.FAILED, "vonage-undeliverable"), "could not reach", id="no code"
        ),
    ],
)
def test_a_status_becomes_a_receipt_and_has_words(vonage: Vonage, name: str, expected: Receipt, words: str) -> None:
    found = vonage.parse_status(recorded(name))
    assert found == expected
    if found.state is Delivery.FAILED:
        assert words in explain(found.error_code)


def test_a_state_from_the_future_tells_nothing(vonage: Vonage) -> None:
    assert vonage.parse_status(b'{"message_uuid": "1", "status": "pondering"}') is None


@pytest.mark.parametrize("name", ["from", "message_uuid"])
def test_a_message_that_lacks_something_is_malformed(vonage: Vonage, name: str) -> None:
    fields = json.loads(recorded("message"))
    with pytest.raises(Malformed) as problem:
        vonage.parse_message(json.dumps({key: value for key, value in fields.items() if key != name}).encode())
    assert str(problem.value) == f"{name} is missing"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b"\xff", b'{"channel": "whatsapp"}'])
def test_what_is_no_text_is_malformed(vonage: Vonage, body: bytes) -> None:
    with pytest.raises(Malformed):
        vonage.parse_message(body)


def test_codes_of_both_providers_have_words() -> None:
    assert all(problem.explanation.endswith(".") for problem in ERRORS.values())
    assert explain("21610").startswith("This person has texted STOP")
    assert explain("vonage-1070") == "Our Vonage account has no credit left."
    assert explain("vonage-9999") == "Vonage answered with error 9999."


# -- the signature


@given(st.binary(max_size=200))
def test_any_body_verifies_until_it_is_changed(vonage: Vonage, body: bytes) -> None:
    assert vonage.verify(body, token(body))
    assert not vonage.verify(body + b" ", token(body))


BODY = b'{"text":"cant pay my rent"}'


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="none"),
        pytest.param("Bearer ", id="no token"),
        pytest.param("Bearer x.y.z", id="no JWT"),
        pytest.param(token(BODY).replace("Bearer", "Basic"), id="another scheme"),
        pytest.param(token(BODY, secret="another secret that is long enough"), id="another secret"),
        pytest.param(token(BODY, algorithm="none"), id="no algorithm"),
        pytest.param(token(BODY, payload_hash=""), id="an empty hash"),
        pytest.param(token(BODY, payload_hash="é"), id="no hash"),
        pytest.param(token(b"other words"), id="a token of another body"),
        pytest.param(token(BODY, exp=1), id="long over"),
    ],
)
def test_a_token_that_is_not_for_this_body_is_refused(vonage: Vonage, authorization: str) -> None:
    assert not vonage.verify(BODY, authorization)


def test_a_token_without_a_hash_says_nothing_about_the_body(vonage: Vonage) -> None:
    signed = encode(b'{"alg":"HS256"}') + b"." + encode(b'{"iss":"Vonage"}')
    signature = encode(hmac.digest(SECRET.encode(), signed, "sha256"))
    assert not vonage.verify(BODY, f"Bearer {(signed + b'.' + signature).decode()}")


def test_of_ten_thousand_forged_tokens_none_is_accepted(vonage: Vonage) -> None:
    chance, real, accepted = random.Random(20261123), token(BODY), 0
    stem = real.rpartition(".")[0]
    for _ in range(FORGERIES):
        accepted += vonage.verify(BODY, f"{stem}.{encode(chance.randbytes(32)).decode()}")
    assert accepted == 0
    assert vonage.verify(BODY, real)


# -- choosing a provider


@pytest.mark.parametrize("missing", ["vonage_api_key", "vonage_api_secret", "vonage_signature_secret", "vonage_from"])
def test_it_is_off_until_it_is_whole(missing: str) -> None:
    assert Vonage.from_settings(settings(**{missing: ""})) is None


def test_one_provider_is_chosen() -> None:
    both = {"twilio_account_sid": "AC1", "twilio_auth_token": "x"}
    chosen = [settings(sms_provider=name, **both) for name in ("twilio", "vonage")]
    assert [Vonage.from_settings(one) is not None for one in chosen] == [False, True]
    assert [Twilio.from_settings(one) is not None for one in chosen] == [True, False]
