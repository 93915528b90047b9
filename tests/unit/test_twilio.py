"""Twilio's requests, as the bytes they come as, turned into our nouns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from channels.conversation import Channel, Delivery, Inbound, Media, Receipt
from channels.errors import Malformed
from channels.settings import Settings
from channels.sms.twilio import ERRORS, Twilio, explain

DATA = Path(__file__).parent.parent / "data" / "twilio"
MESSAGE = "/hooks/twilio/message"
TOKEN = "auth-token-of-the-tests"


def recorded(name: str) -> FormData:
    return FormData(parse_qsl((DATA / f"{name}.txt").read_text().strip(), keep_blank_values=True))


def make(token: str = TOKEN, **changes: object) -> Twilio:
    return Twilio(
        Settings(twilio_account_sid="AC1", twilio_auth_token=token, public_url="https://help.example/", **changes)
    )


@pytest.fixture
def twilio() -> Twilio:
    return make()


def sign(form: FormData, url: str = f"https://help.example{MESSAGE}", token: str = TOKEN) -> str:
    return RequestValidator(token).compute_signature(url, form)


def sid(number: int, kind: str = "SM") -> str:
    return f"{kind}{number:032x}"


def text(number: int, words: str, **changes: object) -> Inbound:
    fields: dict[str, object] = {"address": "+447700900123", "provider_id": sid(number), "text": words}
    return Inbound(channel=Channel.SMS, **{**fields, **changes})  # type: ignore[arg-type]


MEDIA = "https://api.twilio.com/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages/MM4/Media"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("message", text(1, "cant pay my rent this month and im so down"), id="plain text"),
        pytest.param(
            "message_unicode",
            text(2, "Ich weiß nicht weiter \U0001f614 – pomóż mi & 50% off? +1 'ok'"),
            id="other letters, an emoji, signs that forms escape",
        ),
        pytest.param("message_empty", text(3, ""), id="nothing in it"),
        pytest.param(
            "message_picture",
            text(
                0,
                "",
                provider_id=sid(4, "MM"),
                media=(
                    Media(kind="picture", reference=f"{MEDIA}/ME1", content_type="image/jpeg"),
                    Media(kind="contact", reference=f"{MEDIA}/ME2", content_type="text/x-vcard"),
                ),
            ),
            id="a picture and a contact, kept as references",
        ),
        pytest.param("message_stop", text(5, "Stop", opt_out="STOP"), id="Twilio's own opt-out marker"),
        pytest.param("message_from_short_code", text(6, "Your code", address="88000"), id="a sender without E.164"),
        pytest.param("message_new_fields", text(7, "hello"), id="fields we have never seen"),
    ],
)
def test_a_recorded_message_becomes_an_inbound(twilio: Twilio, name: str, expected: Inbound) -> None:
    assert twilio.parse_message(recorded(name)) == expected


def receipt(number: int, state: Delivery, code: str = "") -> Receipt:
    return Receipt(channel=Channel.SMS, provider_id=sid(number), state=state, error_code=code)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("status_queued", None, id="queued tells nothing new"),
        pytest.param("status_sent", receipt(20, Delivery.SENT), id="sent"),
        pytest.param("status_delivered", receipt(20, Delivery.DELIVERED), id="delivered"),
        pytest.param("status_undelivered", receipt(21, Delivery.FAILED, "30005"), id="undelivered, with its code"),
        pytest.param("status_failed_stop", receipt(22, Delivery.FAILED, "21610"), id="failed after STOP"),
    ],
)
def test_a_recorded_status_becomes_a_receipt(twilio: Twilio, name: str, expected: Receipt | None) -> None:
    assert twilio.parse_status(recorded(name)) == expected


@pytest.mark.parametrize("missing", ["From", "MessageSid"])
def test_a_message_without_sender_or_id_is_malformed(twilio: Twilio, missing: str) -> None:
    lost = {missing, "SmsSid"} if missing == "MessageSid" else {missing}
    form = FormData([(name, value) for name, value in recorded("message").multi_items() if name not in lost])
    with pytest.raises(Malformed) as problem:
        twilio.parse_message(form)
    assert "is missing" in str(problem.value)
    assert "rent" not in str(problem.value)


def test_a_status_without_a_state_is_malformed(twilio: Twilio) -> None:
    with pytest.raises(Malformed):
        twilio.parse_status(FormData([("MessageSid", sid(1))]))


@pytest.mark.parametrize("count", ["", "x", "-1", "99999999"])
def test_a_strange_number_of_media_is_survived(twilio: Twilio, count: str) -> None:
    form = FormData([("From", "+447700900123"), ("MessageSid", sid(1)), ("NumMedia", count)])
    assert len(twilio.parse_message(form).media) <= 10


@pytest.mark.parametrize("name", [path.stem for path in sorted(DATA.glob("*.txt"))])
def test_every_recorded_request_verifies_with_its_signature_and_not_with_another(twilio: Twilio, name: str) -> None:
    form = recorded(name)
    assert twilio.verify(MESSAGE, form, sign(form))
    assert not twilio.verify(MESSAGE, form, sign(form, token="somebody else's token"))


def test_the_signature_in_twilios_own_documentation_verifies() -> None:
    form = FormData(
        CallSid="CA1234567890ABCDE", Caller="+14158675309", Digits="1234", From="+14158675309", To="+18005551212"
    )
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert make("12345").verify(url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(words, words), max_size=8), words, words)
def test_any_form_verifies_until_something_is_added(pairs: list[tuple[str, str]], name: str, value: str) -> None:
    """Blank, repeated, unknown and non-Latin fields: whatever Twilio signs is accepted, nothing else."""
    twilio, form = make(), FormData(pairs)
    signature = sign(form)
    assert twilio.verify(MESSAGE, form, signature)
    longer = FormData([*pairs, (name, value + "x")])
    if (name, value + "x") not in pairs:
        assert not twilio.verify(MESSAGE, longer, signature)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"http://help.example{MESSAGE}", id="http, as the proxy talks to us"),
        pytest.param(f"https://evil.example{MESSAGE}", id="another host"),
        pytest.param(f"https://help.example{MESSAGE}?x=1", id="a query that did not come"),
        pytest.param("https://help.example/hooks/twilio/status", id="another hook"),
    ],
)
def test_only_the_configured_public_address_counts(twilio: Twilio, url: str) -> None:
    form = recorded("message")
    assert not twilio.verify(MESSAGE, form, sign(form, url))


def test_a_query_is_part_of_what_is_signed(twilio: Twilio) -> None:
    form = recorded("message")
    assert twilio.verify(f"{MESSAGE}?a=1&b=", form, sign(form, f"https://help.example{MESSAGE}?a=1&b="))


@pytest.mark.parametrize("signature", ["", "x", "é", "0" * 28])
def test_no_signature_is_no_signature(twilio: Twilio, signature: str) -> None:
    assert not twilio.verify(MESSAGE, recorded("message"), signature)


def test_every_code_has_words_for_a_peer_worker() -> None:
    assert all(problem.explanation.endswith(".") for problem in ERRORS.values())
    assert explain("99999").explanation == "Twilio answered with error 99999."
    assert not explain("21610").retryable
    assert explain("20429").retryable


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(Settings(), id="nothing set"),
        pytest.param(Settings(twilio_account_sid="AC1"), id="no token"),
        pytest.param(Settings(twilio_auth_token="x"), id="no account"),
    ],
)
def test_sms_is_off_until_it_is_set_up(settings: Settings) -> None:
    assert Twilio.from_settings(settings) is None


async def test_a_closed_adapter_takes_no_more_work(twilio: Twilio) -> None:
    twilio.close()
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(twilio.send("+447700900123", "hello"), 1)
