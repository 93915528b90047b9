"""What providers are answered, and what is kept of what they sent."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import FormData
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator

from channels.conversation import Channel, Delivery, Inbound, Receipt, Sender
from channels.errors import LedgerUnavailable
from channels.gateway import QUARANTINE_PER_MINUTE, Gateway
from channels.intake import Intake
from channels.ledger import Ledger
from channels.ledger.records import Draft, MessageRecord, Stored
from channels.metrics import Metrics
from channels.settings import Settings
from channels.sms.twilio import Twilio
from channels.streams import Streams
from channels.telegram import Press, Telegram
from channels.updates import Updates
from channels.wording import Wording
from tests import patience

DATA = Path(__file__).parent.parent / "data"
TOKEN, SECRET = "twilio-token-of-the-tests", "telegram-secret-of-the-tests"
PUBLIC = "https://help.example"
MESSAGE, STATUS, TELEGRAM = "/hooks/twilio/message", "/hooks/twilio/status", "/hooks/telegram"
NUMBER, CHAT = "+447700900123", "770090123"
CANARY = "canary words that nobody else may read"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    secrets = {"twilio_auth_token": TOKEN, "telegram_token": "123456789:token-of-the-tests", "telegram_secret": SECRET}
    given = {"public_url": PUBLIC, "twilio_account_sid": "AC1"}
    return settings.model_copy(update=given | {name: SecretStr(value) for name, value in secrets.items()})


class AnsweringTelegram(Telegram):
    """Records presses in place of calling Telegram."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.answered: list[Press | str] = []

    async def answer_press(self, press: Press | str) -> None:
        self.answered.append(press)


@dataclass
class BrokenLedger:
    quarantined: list[object] = field(default_factory=list)

    async def store_inbound(self, _inbound: Inbound) -> Stored:
        raise LedgerUnavailable("disk full")

    async def store_receipt(self, _receipt: Receipt) -> bool:
        raise LedgerUnavailable("disk full")

    async def quarantine(self, *_what: object) -> None:
        raise LedgerUnavailable("disk full")


class SlowStreams:
    """Redis that accepts a connection and then says nothing."""

    async def announce_inbound(self, _shard: int, _conversation_id: str) -> bool:
        await asyncio.sleep(60)
        return True

    async def changed(self, _name: str) -> None: ...


@dataclass
class Door:
    """Twilio's and Telegram's view of us."""

    client: httpx.AsyncClient
    telegram: AnsweringTelegram
    metrics: Metrics

    async def twilio(self, path: str, fields: dict[str, str] | FormData, **headers: str) -> httpx.Response:
        form = FormData(fields)
        signed = {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(PUBLIC + path, form), **headers}
        content = urlencode(form.multi_items())
        return await self.client.post(path, content=content, headers={**FORM, **signed})

    async def update(self, update: object, secret: str = SECRET) -> httpx.Response:
        content = update if isinstance(update, bytes) else json.dumps(update).encode()
        return await self.client.post(TELEGRAM, content=content, headers={"X-Telegram-Bot-Api-Secret-Token": secret})


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def text(words: str = CANARY, sid: str = "SM1", **more: str) -> dict[str, str]:
    return {"From": NUMBER, "To": "+441632960000", "Body": words, "MessageSid": sid, "AccountSid": "AC1", **more}


def update(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / "telegram" / f"{name}.json").read_text())
    return loaded


MakeDoor = Callable[[Any, Any], Door]


@pytest.fixture
async def make_door(settings: Settings) -> AsyncIterator[MakeDoor]:
    telegram, twilio, clients = AnsweringTelegram(settings), Twilio(settings), []

    def make(ledger: Any, streams: Any) -> Door:
        metrics = Metrics()
        intake = Intake(ledger, streams, metrics)
        updates = Updates(telegram=telegram, intake=intake, ledger=ledger, streams=streams, wording=Wording.load())
        gateway = Gateway(ledger=ledger, intake=intake, metrics=metrics, twilio=twilio, telegram=updates)
        transport = httpx.ASGITransport(Starlette(routes=gateway.routes()))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://10.0.0.1:8000"))
        return Door(client=clients[-1], telegram=telegram, metrics=metrics)

    yield make
    for client in clients:
        await client.aclose()
    await telegram.close()
    twilio.close()


@pytest.fixture
def door(make_door: MakeDoor, ledger: Ledger, streams: Streams) -> Door:
    return make_door(ledger, streams)


async def messages_of(ledger: Ledger, channel: Channel, address: str) -> list[MessageRecord]:
    person = await ledger.person_at(channel, address)
    return await ledger.messages((await ledger.conversation_of(person.id)).id) if person else []


def quarantined(settings: Settings) -> list[tuple[str, str, str]]:
    with sqlite3.connect(settings.data_dir / "ledger.sqlite") as database:
        return database.execute("SELECT channel, reason, ids FROM quarantine").fetchall()


# -- texts


async def test_a_signed_text_is_stored_announced_and_answered_with_empty_twiml(
    door: Door, ledger: Ledger, streams: Streams
) -> None:
    answer = await door.twilio(MESSAGE, text())
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text.endswith("<Response/>")
    (message,) = await messages_of(ledger, Channel.SMS, NUMBER)
    assert (message.text, message.sender) == (CANARY, Sender.PERSON)
    assert (await streams.depth())["inbound"] == 1


@pytest.mark.parametrize("name", [path.stem for path in sorted((DATA / "twilio").glob("message*.txt"))])
async def test_every_recorded_text_is_accepted_behind_a_proxy_that_changed_host_and_scheme(
    door: Door, name: str
) -> None:
    recorded = parse_qsl((DATA / "twilio" / f"{name}.txt").read_text().strip(), keep_blank_values=True)
    spoofed = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    assert (await door.twilio(MESSAGE, FormData(recorded), **spoofed)).status_code == 200


async def test_a_text_sent_twice_is_stored_once_and_answered_twice(door: Door, ledger: Ledger) -> None:
    answers = await asyncio.gather(*(door.twilio(MESSAGE, text()) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(await messages_of(ledger, Channel.SMS, NUMBER)) == 1
    assert b'nwd_inbound_total{channel="sms",result="duplicate"} 4.0' in door.metrics.render()


async def test_a_text_signed_with_sha_256_is_taken_too(door: Door, ledger: Ledger) -> None:
    signed = RequestValidator(TOKEN).compute_signature(PUBLIC + MESSAGE, FormData(text()), "HMAC_SHA256")
    settings = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
    answer = await door.twilio(MESSAGE, text(), **settings, **{"X-Twilio-Signature": signed})
    assert answer.status_code == 200
    assert len(await messages_of(ledger, Channel.SMS, NUMBER)) == 1
    assert (await door.twilio(MESSAGE, text(sid="SM2"), **settings)).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Twilio-Signature": "0/KCTR6DLpKmkAf8muzZqo1nDgQ="}, id="somebody else's signature"),
        pytest.param({}, id="no signature"),
    ],
)
async def test_a_forged_text_is_turned_away_and_only_ids_are_kept(
    door: Door, ledger: Ledger, settings: Settings, headers: dict[str, str]
) -> None:
    content = urlencode(text(sid="SM0123", MessagingServiceSid="not an id, but words"))
    answer = await door.client.post(MESSAGE, content=content, headers={**FORM, **headers})
    assert answer.status_code == 403
    assert await ledger.person_at(Channel.SMS, NUMBER) is None
    ((channel, reason, ids),) = quarantined(settings)
    assert (channel, reason) == ("sms", "signature")
    assert json.loads(ids) == {"MessageSid": "SM0123", "AccountSid": "AC1"}
    assert b'nwd_refused_total{channel="sms",reason="signature"} 1.0' in door.metrics.render()


async def test_a_flood_of_forgeries_does_not_fill_the_ledger(door: Door, settings: Settings) -> None:
    for _ in range(QUARANTINE_PER_MINUTE + 10):
        await door.client.post(MESSAGE, content="Body=x", headers=FORM)
    assert len(quarantined(settings)) <= QUARANTINE_PER_MINUTE * 2  # A minute may end in between.


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        pytest.param(MESSAGE, {"Body": CANARY, "MessageSid": "SM1"}, id="a text from nobody"),
        pytest.param(MESSAGE, {"Body": CANARY, "From": NUMBER}, id="a text without an id"),
        pytest.param(STATUS, {"MessageSid": "SM1"}, id="a status without a state"),
    ],
)
async def test_what_is_signed_but_unreadable_is_refused_with_a_reason_and_recorded(
    door: Door, settings: Settings, path: str, fields: dict[str, str]
) -> None:
    answer = await door.twilio(path, fields)
    assert answer.status_code == 400
    assert "is missing" in answer.text
    assert CANARY not in answer.text
    assert quarantined(settings)[0][1] == "malformed"


async def test_another_content_type_is_refused(door: Door) -> None:
    answer = await door.client.post(MESSAGE, json=text())
    assert answer.status_code == 400


async def test_more_than_a_megabyte_is_not_read(door: Door, ledger: Ledger) -> None:
    assert (await door.twilio(MESSAGE, text("x" * 1_000_001))).status_code == 413
    assert await ledger.person_at(Channel.SMS, NUMBER) is None


async def test_twenty_thousand_letters_are_stored_whole(door: Door, ledger: Ledger) -> None:
    words = "Przykro mi. " * 1700
    assert (await door.twilio(MESSAGE, text(words))).status_code == 200
    assert (await messages_of(ledger, Channel.SMS, NUMBER))[0].text == words


async def test_hooks_answer_post_only(door: Door) -> None:
    assert [(await door.client.get(path)).status_code for path in (MESSAGE, STATUS, TELEGRAM)] == [405] * 3


# -- receipts


async def test_a_receipt_reaches_the_message_it_is_about(door: Door, ledger: Ledger) -> None:
    await door.twilio(MESSAGE, text())
    person = await ledger.person_at(Channel.SMS, NUMBER)
    assert person is not None
    conversation = await ledger.conversation_of(person.id)
    await ledger.append(conversation.id, [Draft(sender=Sender.ASSISTANT, text="hello")])
    message = await ledger.next_unsent(conversation.id)
    assert message is not None
    await ledger.mark_sending(message.id)
    await ledger.mark_sent(message.id, "SM77")
    answer = await door.twilio(STATUS, {"MessageSid": "SM77", "MessageStatus": "undelivered", "ErrorCode": "30005"})
    assert answer.status_code == 200
    seen = await ledger.message(message.id)
    assert seen is not None
    assert (seen.delivery, seen.error_code) == (Delivery.FAILED, "30005")


@pytest.mark.parametrize("state", ["queued", "delivered"])
async def test_a_receipt_for_a_message_we_do_not_know_is_answered_too(door: Door, state: str) -> None:
    assert (await door.twilio(STATUS, {"MessageSid": "SM404", "MessageStatus": state})).status_code == 200


# -- Telegram


async def test_an_update_is_stored_once(door: Door, ledger: Ledger) -> None:
    answers = [await door.update(update("text")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    (message,) = await messages_of(ledger, Channel.TELEGRAM, CHAT)
    assert message.text == "my landlord wants me out by friday"


async def test_a_press_is_stored_with_its_payload_and_then_answered(door: Door, ledger: Ledger) -> None:
    assert (await door.update(update("press"))).status_code == 200
    (message,) = await messages_of(ledger, Channel.TELEGRAM, CHAT)
    assert (message.text, message.payload) == ("Talk to a person", "person")
    assert door.telegram.answered == [Press(callback_id="4382bfdwdsb323b2d9", chat_id=CHAT, message_id=42)]


@pytest.mark.parametrize("name", ["group_text", "group_press", "channel_post", "blocked_us", "kind_from_the_future"])
async def test_what_is_not_for_us_is_answered_and_not_stored(door: Door, settings: Settings, name: str) -> None:
    assert (await door.update(update(name))).status_code == 200
    with sqlite3.connect(settings.data_dir / "ledger.sqlite") as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (0,)


async def test_a_wrong_secret_is_turned_away(door: Door, ledger: Ledger, settings: Settings) -> None:
    assert (await door.update(update("text"), secret="wrong")).status_code == 403
    assert await ledger.person_at(Channel.TELEGRAM, CHAT) is None
    assert quarantined(settings) == [("telegram", "signature", "{}")]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half of something"),
        pytest.param(b"[" * 100_000, id="very deep"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b'{"message": {}}', id="no update_id"),
    ],
)
async def test_what_is_no_update_is_refused(door: Door, content: bytes) -> None:
    assert (await door.update(content)).status_code == 400


async def test_half_a_surrogate_pair_and_a_nul_do_no_harm(door: Door, ledger: Ledger) -> None:
    broken = update("text")
    broken["message"]["text"] = "so \ud83d tired\x00"
    assert (await door.update(broken)).status_code == 200
    assert (await messages_of(ledger, Channel.TELEGRAM, CHAT))[0].text == "so \ufffd tired"


# -- parts of the machine that are away


async def test_without_the_ledger_providers_are_told_to_send_again(make_door: MakeDoor, streams: Streams) -> None:
    door = make_door(BrokenLedger(), streams)
    answers = [
        await door.twilio(MESSAGE, text()),
        await door.twilio(STATUS, {"MessageSid": "SM1", "MessageStatus": "delivered"}),
        await door.update(update("text")),
    ]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert door.telegram.answered == []


async def test_without_the_ledger_a_forgery_is_still_a_forgery(make_door: MakeDoor, streams: Streams) -> None:
    door = make_door(BrokenLedger(), streams)
    assert (await door.client.post(MESSAGE, content="Body=x", headers=FORM)).status_code == 403


@pytest.mark.parametrize("away", ["gone", "silent"])
async def test_without_redis_texts_are_taken_all_the_same(
    make_door: MakeDoor, ledger: Ledger, settings: Settings, away: str
) -> None:
    gone = Streams.connect(f"unix://{settings.data_dir}/nobody.sock", "test", settings.shards)
    door = make_door(ledger, gone if away == "gone" else SlowStreams())
    async with asyncio.timeout(patience.SECONDS):
        assert (await door.twilio(MESSAGE, text())).status_code == 200
    assert len(await messages_of(ledger, Channel.SMS, NUMBER)) == 1
    assert b"nwd_unannounced_total 1.0" in door.metrics.render()
    await gone.close()


async def test_a_provider_that_is_not_set_up_has_no_hook(ledger: Ledger, streams: Streams) -> None:
    metrics = Metrics()
    gateway = Gateway(
        ledger=ledger, intake=Intake(ledger, streams, metrics), metrics=metrics, twilio=None, telegram=None
    )
    transport = httpx.ASGITransport(Starlette(routes=gateway.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert [(await client.post(path)).status_code for path in (MESSAGE, STATUS, TELEGRAM)] == [404] * 3


async def test_no_words_numbers_or_secrets_reach_a_log(
    make_door: MakeDoor, ledger: Ledger, streams: Streams, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    named = update("text")
    named["message"]["text"] = CANARY
    with capture_logs() as lines:
        for door in (make_door(ledger, streams), make_door(BrokenLedger(), streams)):
            await door.twilio(MESSAGE, text())
            await door.twilio(MESSAGE, {"Body": CANARY, "From": NUMBER})
            await door.client.post(MESSAGE, content=urlencode(text()), headers=FORM)
            await door.update(named)
            await door.update(named, secret="wrong " + CANARY)
            await door.update({"update_id": 1, "message": {"text": CANARY}})
    assert lines
    logged = json.dumps(lines, default=str) + caplog.text
    for secret in (CANARY, NUMBER, "7700900123", CHAT, "Morgan", TOKEN, SECRET, "token-of-the-tests"):
        assert secret not in logged
