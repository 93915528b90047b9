"""Showing that somebody is typing: in time, not too often, and never in the way of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from channels.conversation import Channel, Inbound, Reply, Turn
from channels.errors import SendFailed
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord, PersonRecord
from channels.settings import Settings
from channels.streams import Streams
from channels.typing_signs import TypingSigns
from tests.desk_builders import Browser, Office, person_asks, staff_named, words_of
from tests.integration.serving import eventually
from tests.worker_builders import Bench, said

pytest_plugins = ["tests.desk_fixtures"]
CHAT = "4711"


@dataclass
class Screen:
    """Where a sign shows. `broken`: the channel refuses; `hangs`: it never answers."""

    shown: list[str] = field(default_factory=list)
    broken: bool = False
    hangs: bool = False
    seen: asyncio.Event = field(default_factory=asyncio.Event)

    async def show_typing(self, person: PersonRecord) -> None:
        self.seen.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.broken:
            raise SendFailed("flood", "", retryable=True, retry_after=30.0)
        self.shown.append(person.address)


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def think_until_seen(bench: Bench, screen: Screen) -> list[str]:
    """An assistant that answers only once the sign has been seen (or refused)."""

    async def answering(message: MessageRecord) -> Turn:
        await screen.seen.wait()
        return Turn(replies=(Reply(text="Here it is."),))

    bench.assistant.answering = answering
    async with bench.working(typing={Channel.TELEGRAM: screen}):
        stored = await bench.write("hello", channel=Channel.TELEGRAM, address=CHAT)
        return said(await bench.until_quiet(stored.conversation_id))


async def test_it_shows_while_the_assistant_thinks(bench: Bench) -> None:
    screen = Screen()
    assert (await think_until_seen(bench, screen))[-1] == "Here it is."
    assert screen.shown == [CHAT]


@pytest.mark.parametrize("trouble", ["broken", "hangs"])
async def test_a_sign_that_cannot_be_shown_is_in_nobodys_way(bench: Bench, trouble: str) -> None:
    assert (await think_until_seen(bench, Screen(**{trouble: True})))[-1] == "Here it is."


async def test_a_quick_answer_has_no_sign(bench: Bench) -> None:
    screen = Screen()
    async with bench.working(typing={Channel.TELEGRAM: screen}):
        stored = await bench.write("hello", channel=Channel.TELEGRAM, address=CHAT)
        await bench.until_quiet(stored.conversation_id)
    assert screen.shown == []


# -- a peer worker writes


@asynccontextmanager
async def following(*every: TypingSigns) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(signs.follow(stop)) for signs in every]
    yield
    stop.set()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def typed_until_seen(jo: Browser, page: str, screen: Screen) -> None:
    """A sign may be lost before the worker listens, so a page says it again, as people go on typing."""
    token = await jo.token()

    async def seen() -> bool:
        assert (await jo.post(f"{page}/typing", token)).status_code == 204
        return screen.seen.is_set()

    await eventually(seen)


async def test_it_shows_while_a_peer_worker_writes_and_once_for_all_workers(
    office: Office, jo: Browser, ledger: Ledger, streams: Streams
) -> None:
    person = await person_asks(office, 1, channel=Channel.TELEGRAM)
    await jo.post(f"{person.page}/take")
    assert "data-typing=" in (await jo.get(person.page)).text
    screen = Screen()
    signs = TypingSigns(ledger=ledger, streams=streams, shown_by={Channel.TELEGRAM: screen}, every=60.0)
    async with following(signs, replace(signs)):
        await typed_until_seen(jo, person.page, screen)
        token = await jo.token()
        for _ in range(5):
            await jo.post(f"{person.page}/typing", token)
        await jo.post(f"{person.page}/reply", text="Hi")
    assert len(screen.shown) == 1


async def test_only_who_holds_a_conversation_types_in_it(office: Office, jo: Browser, ana: Browser) -> None:
    person = await person_asks(office, 1, channel=Channel.TELEGRAM)
    assert (await jo.post(f"{person.page}/typing")).status_code == 409
    await jo.post(f"{person.page}/take")
    assert (await ana.post(f"{person.page}/typing")).status_code == 409
    assert (await jo.post("/desk/conversations/nobody/typing")).status_code == 409


async def test_a_text_message_has_no_sign_of_typing(office: Office, jo: Browser) -> None:
    person = await person_asks(office, 1)
    await jo.post(f"{person.page}/take")
    assert "data-typing=" not in (await jo.get(person.page)).text


async def test_two_peer_workers_see_each_other_write_to_a_phone(office: Office, jo: Browser, ana: Browser) -> None:
    person = await person_asks(office, 1)
    await jo.post(f"{person.page}/take")
    ana_id = (await staff_named(office, "Ana")).id
    await jo.post(f"{person.page}/bring-in", whom=f"person:{ana_id}", read="9")
    await ana.post(f"{person.page}/join")
    for colleague in (jo, ana):
        assert "data-typing=" in (await colleague.get(person.page)).text


async def test_the_desk_says_where_somebody_came_from_and_that_they_have_blocked_us(
    office: Office, jo: Browser, ledger: Ledger
) -> None:
    person = await person_asks(office, 1, channel=Channel.TELEGRAM)
    assert "Came by" not in (await jo.get(person.page)).text
    address = (await ledger.person((await ledger.conversation(person.conversation_id)).person_id)).address
    link = Inbound(channel=Channel.TELEGRAM, address=address, provider_id="link", text="hello", came_from="poster-7")
    await ledger.store_inbound(link)
    await ledger.set_blocked(Channel.TELEGRAM, address, True)
    page = words_of((await jo.get(person.page)).text)
    assert "Came by poster-7" in page
    assert "They have shut us out on Telegram." in page
