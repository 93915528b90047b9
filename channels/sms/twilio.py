"""SMS through Twilio.

Oddities worth knowing:
- A signature covers the public address exactly as Twilio was given it, and every form field, blank ones
  included. Twilio adds fields without notice, so the whole form is checked and never a fixed list of fields.
- A signed request can be played again (there is no time in the signature): the ledger's unique
  MessageSid is what makes that harmless.
- A text that is only STOP, START or HELP (or a word of their families) still reaches us, with `OptOutType`;
  after STOP every send fails with 21610 until the person writes START.
- Status callbacks repeat and overtake one another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple, Self, TypeVar

import phonenumbers
from requests.exceptions import ReadTimeout, RequestException
from starlette.datastructures import FormData
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from channels.conversation import Channel, Delivery, Inbound, Media, Receipt
from channels.errors import Malformed, SendFailed
from channels.settings import Settings

__all__ = ["SIGNATURE_HEADER", "SIGNATURE_SETTINGS_HEADER", "Problem", "Twilio", "explain"]

STATUS_PATH: Final = "/hooks/twilio/status"
TIMEOUT_SECONDS: Final = 10.0
THREADS: Final = 8
"""Sends under way at once. Twilio's client is synchronous, so each one needs a thread of its own."""
FIND_LIMIT: Final = 50
PAGE: Final = 1000
"""The most that Twilio lists in one answer; its client asks for the next page by itself."""


class Problem(NamedTuple):
    """What a peer worker reads on the desk, and whether sending again can help."""

    explanation: str
    retryable: bool


ERRORS: Final[Mapping[str, Problem]] = {
    "20003": Problem("Twilio does not accept our account details.", False),
    "20404": Problem("Twilio does not know our account or sender.", False),
    "20429": Problem("Twilio asked us to slow down.", True),
    "20500": Problem("Twilio had a problem of its own.", True),
    "20503": Problem("Twilio had a problem of its own.", True),
    "14107": Problem("Twilio asked us to slow down.", True),
    "21211": Problem("This is not a phone number that can get texts.", False),
    "21214": Problem("This number cannot be reached.", False),
    "21265": Problem("Short numbers cannot get texts from us.", False),
    "21408": Problem("Our Twilio account may not text this country.", False),
    "21602": Problem("There was nothing in the message.", False),
    "21603": Problem("Our own number is not set up.", False),
    "21606": Problem("Our own number cannot send texts to this person.", False),
    "21610": Problem("This person has texted STOP. They can text START to hear from us again.", False),
    "21611": Problem("Too many texts are waiting at Twilio.", True),
    "21612": Problem("This number cannot be reached from our number.", False),
    "21614": Problem("This is not a mobile number.", False),
    "21617": Problem("The message is too long for a text.", False),
    "21703": Problem("The Messaging Service has no number to send from.", False),
    "21705": Problem("The Messaging Service is not set up properly.", False),
    "30001": Problem("Too many texts are waiting at Twilio.", True),
    "30002": Problem("Our Twilio account is suspended.", False),
    "30003": Problem("The phone is switched off or out of reach.", True),
    "30004": Problem("The phone or its network blocks our texts.", False),
    "30005": Problem("This number is not in use.", False),
    "30006": Problem("This is a landline, or a network that cannot get texts.", False),
    "30007": Problem("The network filtered the text.", False),
    "30008": Problem("The network did not say why the text failed.", True),
    "30034": Problem("Our number is not registered with the networks of this country.", False),
    "30036": Problem("The text was not delivered in time.", True),
    "63038": Problem("Our Twilio account has reached its limit for today.", False),
    "timeout": Problem("Twilio did not answer in time; the text may have gone out.", True),
    "unreachable": Problem("Twilio could not be reached.", True),
}

STATES: Final[Mapping[str, Delivery]] = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
    "undelivered": Delivery.FAILED,
    "failed": Delivery.FAILED,
}
"""accepted, scheduled, queued and sending tell us nothing that the answer to our request did not."""

MEDIA_KINDS: Final[Mapping[str, str]] = {"image": "picture", "audio": "voice", "video": "video"}

T = TypeVar("T")


def explain(code: str) -> Problem:
    """Words for one of Twilio's codes, from a refused request or a receipt. An unknown one says its number.

    A refused request that is retryable is tried again by itself. A receipt is about a text that Twilio had taken: it
    is not sent again even if `retryable`, since it may yet arrive; the desk shows it and a person decides.
    """
    if code.isdecimal() and (code == "429" or 500 <= int(code) < 600):
        # An answer without a code of Twilio's, from something in front of it.
        code = "20429" if code == "429" else "20500"
    return ERRORS.get(code) or Problem(f"Twilio answered with error {code}.", False)


class Twilio:
    """Verify, parse and send. Holds one connection pool and a few threads; `close` frees them."""

    def __init__(self, settings: Settings) -> None:
        token = settings.twilio_auth_token.get_secret_value()
        self._base_url = settings.base_url
        self._from = settings.twilio_from
        self._service_sid = settings.twilio_messaging_service_sid
        self._validator = RequestValidator(token)
        self._key_validator = RequestValidator(settings.twilio_signing_secret.get_secret_value() or token)
        self._client = Client(settings.twilio_account_sid, token, http_client=TwilioHttpClient(timeout=TIMEOUT_SECONDS))
        if settings.twilio_api_url:
            self._client.api.base_url = settings.twilio_api_url.rstrip("/")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="twilio")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """None when another provider is chosen, or SMS is not set up: no account or no auth token."""
        whole = settings.twilio_account_sid and settings.twilio_auth_token.get_secret_value()
        return cls(settings) if settings.sms_provider == "twilio" and whole else None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def verify(self, url: str, form: FormData, signature: str, signed_with: str = "") -> bool:
        """Check a signature against the configured public address.

        `url` is path and query as they arrived; what a proxy says of host or scheme is never used.
        `signed_with` is the header with the signature's settings: without it the auth token signed (SHA-1), with it
        the signing key did. Nobody gains by writing or leaving out that header: they need a secret of ours either way.
        """
        algorithm = get_signature_algorithm(signed_with)
        if not signature or algorithm not in {HMAC_SHA1, HMAC_SHA256}:
            return False
        address = url if url.startswith(("http://", "https://")) else self._base_url + url
        validator = self._key_validator if signed_with else self._validator
        return bool(validator.validate(address, form, signature, algorithm))

    def parse_message(self, form: FormData) -> Inbound:
        """Raises Malformed when the sender or the message's id is missing."""
        opt_out = _field(form, "OptOutType").upper()
        return Inbound(
            channel=Channel.SMS,
            address=_e164(_required(form, "From")),
            provider_id=_field(form, "MessageSid") or _required(form, "SmsSid"),
            text=_field(form, "Body"),
            media=_media(form),
            opt_out=opt_out if opt_out in {"STOP", "START", "HELP"} else None,
        )

    def parse_status(self, form: FormData) -> Receipt | None:
        """None for a state that adds nothing. Raises Malformed when the message's id or state is missing."""
        provider_id = _field(form, "MessageSid") or _required(form, "SmsSid")
        word = _field(form, "MessageStatus") or _required(form, "SmsStatus")
        state = STATES.get(word.lower())
        if state is None:
            return None
        code = _field(form, "ErrorCode") if state is Delivery.FAILED else ""
        return Receipt(channel=Channel.SMS, provider_id=provider_id, state=state, error_code=code)

    async def send(self, address: str, text: str, status_callback: str | None = None) -> str:
        """Send one text and return Twilio's id for it. Raises SendFailed."""
        arguments = {"to": address, "body": text, "status_callback": status_callback or self._base_url + STATUS_PATH}
        if self._service_sid:
            arguments["messaging_service_sid"] = self._service_sid
        else:
            arguments["from_"] = self._from
        message = await self._in_thread(lambda: self._client.messages.create(**arguments))
        return str(message.sid)

    async def find_sent(self, address: str, text: str, since: datetime) -> str | None:
        """The id of a text that did go out although we never saw Twilio's answer. Raises SendFailed.

        Twilio keeps the date only to the second, and a trial account puts words of its own in front.
        """
        found = await self._in_thread(
            lambda: self._client.messages.list(
                to=address, date_sent_after=since.replace(microsecond=0), limit=FIND_LIMIT
            )
        )
        for message in found:
            if str(message.status) not in {"failed", "undelivered"} and (message.body or "").endswith(text):
                return str(message.sid)
        return None

    async def receipt_of(self, provider_id: str) -> Receipt | None:
        """What Twilio knows of a text we sent; None if nothing new, or no such text. Raises SendFailed."""
        try:
            message = await self._in_thread(lambda: self._client.messages(provider_id).fetch())
        except SendFailed as failure:
            if failure.code == "20404":
                return None
            raise
        state = STATES.get(str(message.status).lower())
        if state is None:
            return None
        code = str(message.error_code or "") if state is Delivery.FAILED else ""
        return Receipt(channel=Channel.SMS, provider_id=provider_id, state=state, error_code=code)

    async def inbound_since(self, since: datetime) -> list[Inbound]:
        """Texts that Twilio took for us since then, oldest first. Raises SendFailed.

        Twilio lists the newest first and keeps the date only to the second, so equal dates keep the list's order.
        Without our number, only texts that Twilio says came through our Messaging Service can be told from those
        to other numbers of the account. `OptOutType` is not in the list: routing knows the words themselves.
        """
        ours = {"to": self._from} if self._from else {}
        listed = await self._in_thread(
            lambda: self._client.messages.list(date_sent_after=since.replace(microsecond=0), page_size=PAGE, **ours)
        )
        wanted = [message for message in reversed(listed) if self._is_for_us(message)]
        return [_listed(message) for message in sorted(wanted, key=lambda message: message.date_sent or since)]

    async def complete(self, inbound: Inbound) -> Inbound:
        """A listed text with its pictures, which the list only counts. If they cannot be had, the words come alone."""
        if not inbound.media:
            return inbound
        try:
            found = await self._in_thread(lambda: self._client.messages(inbound.provider_id).media.list(limit=10))
        except SendFailed:
            return inbound
        base = str(self._client.api.base_url)
        media = [_medium(base + str(item.uri).removesuffix(".json"), str(item.content_type)) for item in found]
        return replace(inbound, media=tuple(media) or inbound.media)

    def _is_for_us(self, message: MessageInstance) -> bool:
        if str(message.direction) != "inbound" or not message.from_:
            return False
        return bool(self._from) or (bool(self._service_sid) and message.messaging_service_sid == self._service_sid)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        """Errors come out as SendFailed without their cause: Twilio's own text holds the number."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except (TwilioException, RequestException) as error:
            failure = _failure(error)
        raise failure


def _failure(error: TwilioException | RequestException) -> SendFailed:
    if isinstance(error, TwilioRestException | TwilioServiceException):
        code = str(error.code or error.status)
        problem = explain(code)
        busy = error.status == 429 or error.status >= 500
        return SendFailed(code, problem.explanation, retryable=busy or problem.retryable)
    code = "timeout" if isinstance(error, ReadTimeout) else "unreachable"
    return SendFailed(code, ERRORS[code].explanation, retryable=True)


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _required(form: FormData, name: str) -> str:
    value = _field(form, name).strip()
    if not value:
        raise Malformed(f"{name} is missing")
    return value


def _e164(sender: str) -> str:
    """A short code or a sender with a name in place of a number stays as it is: nobody is turned away."""
    try:
        number = phonenumbers.parse(sender, None)
    except phonenumbers.NumberParseException:
        return sender
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _media(form: FormData) -> tuple[Media, ...]:
    count = _field(form, "NumMedia")
    items = []
    for index in range(min(int(count), 10) if count.isdecimal() else 0):
        items.append(_medium(_field(form, f"MediaUrl{index}"), _field(form, f"MediaContentType{index}")))
    return tuple(items)


def _medium(reference: str, content_type: str) -> Media:
    kind = MEDIA_KINDS.get(content_type.split("/", 1)[0], "file")
    if content_type.endswith(("vcard", "x-vcard")):
        kind = "contact"
    return Media(kind=kind, reference=reference, content_type=content_type)


def _listed(message: MessageInstance) -> Inbound:
    count = str(message.num_media or "0")
    return Inbound(
        channel=Channel.SMS,
        address=_e164(str(message.from_)),
        provider_id=str(message.sid),
        text=message.body or "",
        media=(Media(kind="file"),) * (min(int(count), 10) if count.isdecimal() else 0),
    )
