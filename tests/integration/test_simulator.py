"""Text messages: the real client library on one side, our own webhooks on the other, real HTTP between."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from channels import simulator
from channels.conversation import Channel, Choice, Delivery, Sender
from channels.errors import SendFailed
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.settings import Settings
from channels.simulator import Simulator
from channels.simulator.lines import ACCOUNTS, PHONES
from channels.simulator.network import FILE
from channels.simulator.store import NewBubble, PhoneStore
from channels.sms.twilio import Twilio
from channels.streams import Streams
from tests.integration.serving import eventually, serving
from tests.phone_builders import ASH, PHONE, World, open_world, with_phones


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_phones(settings)


@pytest.fixture
async def world(settings: Settings, ledger: Ledger, streams: Streams) -> AsyncIterator[World]:
    async with open_world(settings, ledger, streams) as opened:
        yield opened


# -- text messages


async def test_a_text_from_a_phone_goes_through_the_signed_webhook(world: World) -> None:
    message = await world.texted("cant pay my rent 😟 & im so down")
    assert message.sender is Sender.PERSON
    await world.shows("cant pay my rent 😟 & im so down Sent")


async def test_a_text_to_a_phone_is_shown_with_its_segments_and_its_receipts_come_back(world: World) -> None:
    inbound = await world.texted("hello")
    await world.ledger.append(inbound.conversation_id, [Draft(sender=Sender.ASSISTANT, text="x" * 161)])
    draft = await world.ledger.next_unsent(inbound.conversation_id)
    assert draft is not None
    await world.ledger.mark_sending(draft.id)
    sid = await world.twilio.send(PHONE.address, draft.text)
    await world.ledger.mark_sent(draft.id, sid)
    assert re.fullmatch(r"SM[0-9a-f]{32}", sid)

    async def delivered() -> bool:
        message = await world.ledger.message(draft.id)
        return message is not None and message.delivery is Delivery.DELIVERED

    await eventually(delivered)
    await world.shows("161 characters, 2 segments, delivered")


async def test_a_text_to_a_number_that_nobody_has_fails_with_twilios_code(world: World) -> None:
    inbound = await world.texted("hello")
    await world.ledger.append(inbound.conversation_id, [Draft(sender=Sender.ASSISTANT, text="anybody there")])
    draft = await world.ledger.next_unsent(inbound.conversation_id)
    assert draft is not None
    await world.ledger.mark_sending(draft.id)
    await world.ledger.mark_sent(draft.id, await world.twilio.send("+447700900999", draft.text))

    async def failed() -> str:
        message = await world.ledger.message(draft.id)
        return message.error_code if message and message.delivery is Delivery.FAILED else ""

    assert await eventually(failed) == "30005"


async def test_stop_blocks_our_texts_until_start_and_never_blocks_theirs(world: World) -> None:
    assert (await world.texted("stop")).opt_out == "STOP"
    await world.shows("You have successfully been unsubscribed.")
    with pytest.raises(SendFailed) as failure:
        await world.twilio.send(PHONE.address, "hello")
    assert (failure.value.code, failure.value.retryable) == ("21610", False)
    assert "STOP" in failure.value.explanation
    assert (await world.texted("i need help after all")).opt_out is None
    assert (await world.texted("START")).opt_out == "START"
    await world.twilio.send(PHONE.address, "good to hear from you")
    await world.shows("good to hear from you")


async def test_reserved_words_act_only_when_they_are_the_whole_text(world: World) -> None:
    markers = {"STOPALL ": "STOP", "revoke": "STOP", "Yes": "START", "help": "HELP", "i want it to stop": None}
    assert {words: (await world.texted(words)).opt_out for words in markers} == markers


async def test_what_twilio_would_not_take_is_not_taken_here(world: World) -> None:
    for address, words, code in (
        ("07700900001", "a number that is not E.164", "21211"),
        (PHONE.address, "", "21602"),
        (PHONE.address, "x" * 1601, "21617"),
    ):
        with pytest.raises(SendFailed) as failure:
            await world.twilio.send(address, words)
        assert (failure.value.code, failure.value.retryable) == (code, False)
        assert address not in repr(failure.value)


async def test_the_fake_checks_who_sends(world: World) -> None:
    changed = {"twilio_auth_token": SecretStr("wrong")}
    stranger = Twilio(world.settings.model_copy(update=changed))
    with pytest.raises(SendFailed) as failure:
        await stranger.send(PHONE.address, "hello")
    with pytest.raises(SendFailed):
        await stranger.find_sent(PHONE.address, "hello", datetime.now(UTC))
    assert (failure.value.code, failure.value.retryable) == ("20003", False)
    stranger.close()


@pytest.mark.parametrize(
    ("status", "code"), [pytest.param(429, "20429", id="too fast"), pytest.param(500, "20500", id="their fault")]
)
async def test_a_bad_moment_at_twilio_is_worth_another_try(world: World, status: int, code: str) -> None:
    world.phones.misbehave["sms"].status, world.phones.misbehave["sms"].times = status, 1
    with pytest.raises(SendFailed) as failure:
        await world.twilio.send(PHONE.address, "hello")
    assert (failure.value.code, failure.value.retryable) == (code, True)
    assert await world.twilio.send(PHONE.address, "hello")


async def test_a_text_whose_answer_was_lost_is_found_again(world: World) -> None:
    began = datetime.now(UTC)
    world.phones.misbehave["sms"].reset, world.phones.misbehave["sms"].times = True, 1
    with pytest.raises(SendFailed) as failure:
        await world.twilio.send(PHONE.address, "did this go out?")
    assert failure.value.retryable
    found = await world.twilio.find_sent(PHONE.address, "did this go out?", began)
    assert found is not None
    assert found.startswith("SM")
    assert await world.twilio.find_sent(PHONE.address, "something else", began) is None
    assert await world.twilio.find_sent(PHONES[1].address, "did this go out?", began) is None
    assert await world.twilio.find_sent(PHONE.address, "did this go out?", began + timedelta(hours=1)) is None


async def test_an_unreachable_twilio_is_worth_another_try(settings: Settings) -> None:
    twilio = Twilio(settings)
    with pytest.raises(SendFailed) as failure:
        await twilio.send(PHONE.address, "hello")
    assert (failure.value.code, failure.value.retryable) == ("unreachable", True)
    twilio.close()


async def test_a_webhook_called_three_times_is_stored_once(world: World) -> None:
    world.phones.misbehave["sms"].duplicate = 2
    await world.texted("hello")
    await world.shows("hello Sent")
    assert len(await world.stored(Channel.SMS, PHONE.address)) == 1


async def test_a_text_that_we_refuse_is_shown_as_not_delivered(settings: Settings) -> None:
    phones = await Simulator.open(settings)
    app = Starlette(routes=simulator.routes(phones, settings))  # No webhook: 404.
    async with serving(app, settings.port) as address, httpx.AsyncClient(base_url=address) as browser:
        await browser.post(f"{PHONE.page}/messages", data={"text": "hello"})

        async def shown() -> bool:
            return "Not delivered" in (await browser.get(PHONE.page)).text

        await eventually(shown)
        await phones.close()


# -- the pages


NASTY = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</li><svg/onload=alert(1)>"]


async def test_words_on_a_phone_stay_words(world: World) -> None:
    for nasty in NASTY:
        await world.texted(nasty)
        await world.twilio.send(PHONE.address, nasty)
        await world.telegram.send(ASH.address, nasty, [Choice(title=nasty, payload=nasty)])
    for path in (PHONE.page, f"{PHONE.page}/log", ASH.page):
        page = await world.page(path)
        assert not [nasty for nasty in NASTY if nasty in page]
        assert not [nasty for nasty in NASTY if nasty not in unescape(page)]


async def test_an_open_page_hears_of_every_change(world: World) -> None:
    async with world.browser.stream("GET", f"{PHONE.page}/events") as stream, asyncio.timeout(10):
        lines = stream.aiter_lines()
        await world.phones.store.add(NewBubble(line=PHONE.key, side="theirs", text="hello"))
        assert [line async for line in _until_event(lines)] == ["event: changed"]


async def _until_event(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        if line.startswith("event:"):
            yield line
            return


async def test_the_list_leads_to_every_phone_and_account(world: World) -> None:
    index = await world.page("/simulator")
    for line in PHONES + ACCOUNTS:
        assert f'href="{line.page}"' in index
        assert line.label in await world.page(line.page)


@pytest.mark.parametrize("path", ["/simulator/phone/99", "/simulator/telegram/99", "/simulator/fax/1"])
async def test_a_phone_that_does_not_exist_has_no_page(world: World, path: str) -> None:
    assert (await world.browser.get(path)).status_code == 404


async def test_another_site_cannot_write_from_a_phone(world: World) -> None:
    answer = await world.browser.post(
        f"{PHONE.page}/messages", data={"text": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert await world.phones.store.of_line(PHONE.key) == []


async def test_phones_remember_after_a_restart(settings: Settings) -> None:
    first = await PhoneStore.open(settings.data_dir / FILE)
    await first.add(NewBubble(line=PHONE.key, side="mine", text="still here", keyboard=[[{"text": "x"}]]))
    await first.block(PHONE.key)
    number = await first.next_number("update_id")
    await first.close()
    second = await PhoneStore.open(settings.data_dir / FILE)
    (bubble,) = await second.of_line(PHONE.key)
    assert (bubble.text, bubble.keyboard) == ("still here", [[{"text": "x"}]])
    assert await second.is_blocked(PHONE.key)
    assert await second.next_number("update_id") == number + 1
    await second.close()


async def test_outside_demo_mode_there_is_no_simulator(settings: Settings) -> None:
    live = settings.model_copy(update={"demo": False})
    phones = await Simulator.open(live)
    assert simulator.routes(phones, live) == []
    await phones.close()


def test_numbers_and_names_of_the_simulator_are_nobodys() -> None:
    assert all(re.fullmatch(r"\+447700900\d{3}", line.address) for line in PHONES)
    assert len({replace(line, number=0).key + line.address for line in PHONES + ACCOUNTS}) == len(PHONES + ACCOUNTS)
