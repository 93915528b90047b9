"""Networks on a bad day, set on the simulator's page: what changes, and that everybody is answered all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.conversation import Channel, Inbound
from channels.conversation import Sender as By
from channels.errors import SendFailed
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.senders import SmsSender, TelegramSender
from channels.sending import FIRST_PAUSE, Sending
from channels.settings import Settings
from channels.simulator.misbehave import BrokenOff
from channels.sms.vonage import Vonage
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics
from tests.integration.serving import eventually, free_port, serving
from tests.phone_builders import ASH, PHONE, World, open_world, with_phones
from tests.worker_builders import Bench, without_offer

LINES = {"sms": PHONE, "telegram": ASH}
ANSWER = "You said: "


@pytest.fixture
async def world(settings: Settings, ledger: Ledger, streams: Streams) -> AsyncIterator[World]:
    async with open_world(with_phones(settings), ledger, streams) as opened:
        yield opened


@asynccontextmanager
async def answering(world: World, streams: Streams) -> AsyncIterator[None]:
    """A worker that sends through both fakes. Its clock makes a second try due at once."""
    hurried = world.settings.model_copy(update={"sweep_seconds": 0.3, "sms_per_second": 0.0, "reconcile_seconds": 0.0})
    bench = Bench(settings=hurried, ledger=world.ledger, streams=streams)
    senders = {Channel.SMS: SmsSender(world.twilio), Channel.TELEGRAM: TelegramSender(world.telegram, world.ledger)}
    async with bench.working(senders=senders, clock=lambda: datetime.now(UTC) - FIRST_PAUSE):
        yield


async def misbehave(world: World, kind: str, **form: str) -> str:
    answer = await world.browser.post(f"/simulator/misbehave/{kind}", data=form)
    assert answer.status_code == 200
    return answer.text


async def arrived(world: World, kind: str) -> list[str]:
    """What we sent to the phone, oldest first."""
    bubbles = await world.phones.store.of_line(LINES[kind].key)
    return [without_offer(bubble.text) for bubble in bubbles if bubble.side == "theirs"]


async def write_and_wait(world: World, kind: str, *texts: str) -> list[str]:
    """Write, and give what has arrived once every text is answered and nothing waits any more."""
    line = LINES[kind]
    for text in texts:
        await world.browser.post(f"{line.page}/messages", data={"text": text})

    async def finished() -> list[str]:
        found = await arrived(world, kind)
        stored = [
            message for message in await world.stored(Channel(kind), line.address) if message.sender is not By.PERSON
        ]
        done = {ANSWER + text for text in texts} <= set(found) and all(message.provider_id for message in stored)
        return found if done else []

    found = await eventually(finished)
    assert isinstance(found, list)
    return found


# -- the page


async def test_the_page_says_what_is_on_and_one_button_ends_it(world: World) -> None:
    page = await misbehave(world, "sms", duplicate="on", sends="429", times="once")
    assert "Send every message twice; Answer our sends with 429 (slow down), the next one only." in page
    assert page.count("Misbehaves now:") == 1
    assert page.count(">Behaves.<") == 1
    assert (world.phones.misbehave["sms"].duplicate, world.phones.misbehave["telegram"].duplicate) == (1, 0)
    page = await misbehave(world, "sms", behave="1", duplicate="on")
    assert "Misbehaves now:" not in page
    with pytest.raises(AssertionError):
        await misbehave(world, "fax", duplicate="on")


async def test_what_the_form_does_not_know_changes_nothing(world: World) -> None:
    assert "Misbehaves now:" not in await misbehave(world, "telegram", sends="418", drop="on", times="never")


async def test_another_site_cannot_make_a_network_misbehave(world: World) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await world.browser.post("/simulator/misbehave/sms", data={"duplicate": "on"}, headers=headers)
    assert answer.status_code == 403
    assert not world.phones.misbehave["sms"].duplicate


async def test_telegram_has_no_delivery_reports_to_lose(world: World) -> None:
    page = await world.page("/simulator")
    assert page.count("Lose every delivery report") == 1
    assert page.count("Send every message twice") == 2


# -- what it does, and what the product makes of it


async def test_the_page_changes_what_happens(world: World) -> None:
    await misbehave(world, "sms", sends="429", times="once")
    with pytest.raises(SendFailed) as failure:
        await world.twilio.send(PHONE.address, "hello")
    assert failure.value.code == "20429"
    assert await world.telegram.send(ASH.address, "the other network behaves")
    assert await world.twilio.send(PHONE.address, "hello")
    assert "Misbehaves now:" not in await world.page("/simulator")


TROUBLES: list[dict[str, str]] = [
    {"duplicate": "on"},
    {"delay": "on"},
    {"sends": "429", "times": "once"},
    {"sends": "500", "times": "once"},
    {"sends": "reset", "times": "once"},
]


@pytest.mark.parametrize("kind", ["sms", "telegram"])
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda form: form.get("sends") or next(iter(form)))
async def test_a_person_is_answered_whatever_the_network_does(
    world: World, streams: Streams, kind: str, trouble: dict[str, str]
) -> None:
    """Once, and in order; twice only where Telegram took a message and did not say so: it cannot be asked."""
    await misbehave(world, kind, **trouble)
    if "delay" in trouble:
        world.phones.misbehave[kind].delay = 0.2
    async with answering(world, streams):
        found = await write_and_wait(world, kind, "cant pay my rent")
        found = await write_and_wait(world, kind, "they cut off the gas as well")
    counted = Counter(found)
    assert [text for text in found if text.startswith(ANSWER)] == [
        f"{ANSWER}cant pay my rent", f"{ANSWER}they cut off the gas as well",
    ]  # fmt: skip
    twice = [text for text, count in counted.items() if count > 1]
    assert len(twice) == (1 if kind == "telegram" and trouble.get("sends") == "reset" else 0)


@pytest.mark.parametrize("kind", ["sms", "telegram"])
async def test_texts_that_overtake_each_other_are_each_answered_once_in_the_order_they_came(
    world: World, streams: Streams, kind: str
) -> None:
    await misbehave(world, kind, reorder="on")
    async with answering(world, streams):
        found = await write_and_wait(world, kind, "written first", "written second")
    assert [text for text in found if text.startswith(ANSWER)] == [f"{ANSWER}written second", f"{ANSWER}written first"]


@pytest.mark.parametrize("kind", ["sms", "telegram"])
async def test_a_send_that_is_never_answered_is_tried_again(world: World, streams: Streams, kind: str) -> None:
    """With less patience than in life, where the clients wait 10 seconds."""
    channel, line = Channel(kind), LINES[kind]
    await misbehave(world, kind, sends="hang", times="once")
    stored = await world.ledger.store_inbound(
        Inbound(channel=channel, address=line.address, provider_id="in-1", text="hello")
    )
    await world.ledger.append(stored.conversation_id, [Draft(sender=By.ASSISTANT, text="hello to you")])
    senders: dict[Channel, Any] = {
        Channel.SMS: SmsSender(world.twilio), Channel.TELEGRAM: TelegramSender(world.telegram, world.ledger),
    }  # fmt: skip
    sending = Sending(
        ledger=world.ledger, streams=streams, senders=senders, metrics=WorkerMetrics(), patience=1.0,
        clock=lambda: datetime.now(UTC) - FIRST_PAUSE,
    )  # fmt: skip
    await sending.work_through(stored.conversation_id)
    assert await arrived(world, kind) == []
    await sending.work_through(stored.conversation_id)
    assert await arrived(world, kind) == ["hello to you"]


async def test_vonage_cannot_be_asked_so_what_it_took_without_saying_so_is_sent_again(
    settings: Settings, ledger: Ledger, streams: Streams
) -> None:
    """Better twice than never; the README says so."""
    taken: list[str] = []

    async def take(request: Request) -> Response:
        taken.append((await request.json())["text"])
        return BrokenOff() if len(taken) == 1 else JSONResponse({"message_uuid": f"uuid-{len(taken)}"}, 202)

    async with serving(Starlette(routes=[Route("/v1/messages", take, methods=["POST"])]), free_port()) as address:
        vonage = Vonage(
            settings.model_copy(
                update={"vonage_api_key": "k", "vonage_from": "+441632960000", "vonage_api_url": address,
                        "vonage_api_secret": SecretStr("s"), "vonage_signature_secret": SecretStr("x" * 32)}
            )
        )  # fmt: skip
        stored = await ledger.store_inbound(
            Inbound(channel=Channel.SMS, address=PHONE.address, provider_id="in-1", text="hello")
        )
        await ledger.append(stored.conversation_id, [Draft(sender=By.ASSISTANT, text="hello to you")])
        sending = Sending(
            ledger=ledger, streams=streams, senders={Channel.SMS: SmsSender(vonage)}, metrics=WorkerMetrics(),
            clock=lambda: datetime.now(UTC) - FIRST_PAUSE,
        )  # fmt: skip
        await sending.work_through(stored.conversation_id)
        await sending.work_through(stored.conversation_id)
        await vonage.close()
    assert taken == ["hello to you"] * 2
    message = (await ledger.messages(stored.conversation_id))[-1]
    assert message.provider_id == "uuid-2"
