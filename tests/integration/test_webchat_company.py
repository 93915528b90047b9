"""What the web chat tells whoever waits, as texts do: the place, who is there, how long; and that they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.async_api import Browser, expect

from channels.conversation import Channel, Concern, Inbound, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft, OpenEscalation
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.view import is_read
from tests.chat_builders import Story, browser, make_app, said, words_of
from tests.chat_visits import chat_app, visit
from tests.desk_builders import Browser as Desk
from tests.desk_builders import Office
from tests.integration.serving import free_port, serving
from tests.ledger_builders import answer

pytest_plugins = ["tests.desk_fixtures"]


@dataclass
class FakeAttendance:
    """So many are at the desk, and people waited so long."""

    number: int | None = 2
    words: str = "20 minutes"

    async def here(self) -> int | None:
        return self.number

    async def wait(self, *, urgent: bool) -> str:
        return "" if urgent else self.words


@pytest.fixture
def attendance() -> FakeAttendance:
    return FakeAttendance()


@pytest.fixture
async def chat(
    ledger: Ledger, streams: Streams, settings: Settings, attendance: FakeAttendance
) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(make_app(ledger, streams, settings, attendance=attendance)) as client:
        yield client


async def waits(ledger: Ledger, chat: httpx.AsyncClient, *concerns: Concern) -> Story:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "can i talk to someone"})
    story = Story(ledger, chat)
    await story.answer(said("Asked."), escalation=OpenEscalation(reason="asked"), concerns=frozenset(concerns))
    return story


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        pytest.param(2, "20 minutes", "2 people are at the desk now. Most people waited 20 minutes or less", id="both"),
        pytest.param(1, "", "1 person is at the desk now. Until then", id="too little is known of waiting"),
        pytest.param(0, "20 minutes", "Right now no one is at the desk. We keep your place", id="nobody is there"),
        pytest.param(None, "", "you are next. Until then", id="nobody can know"),
    ],
)
async def test_whoever_waits_is_told_who_is_there_and_how_long(
    ledger: Ledger, chat: httpx.AsyncClient, attendance: FakeAttendance, number: int | None, words: str, told: str
) -> None:
    attendance.number, attendance.words = number, words
    await waits(ledger, chat)
    page = words_of(await chat.get("/chat"))
    assert "Waiting for a person: you are next." in page
    assert told in page
    assert ("Most people waited" in page) is (number == 2)


async def test_somebody_in_danger_is_told_no_time(ledger: Ledger, chat: httpx.AsyncClient) -> None:
    await waits(ledger, chat, Concern.SUICIDE)
    page = words_of(await chat.get("/chat"))
    assert "2 people are at the desk now." in page
    assert "Most people waited" not in page


async def test_whoever_does_not_wait_is_told_nothing_of_it(ledger: Ledger, chat: httpx.AsyncClient) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    assert "at the desk" not in words_of(await chat.get("/chat"))


# -- being read


async def test_only_whoever_holds_it_and_looks_has_read_it(
    office: Office, jo: Desk, ledger: Ledger, streams: Streams
) -> None:
    stored = await ledger.store_inbound(Inbound(channel=Channel.WEB, address="v", provider_id="1", text="hello"))
    await answer(ledger, stored, escalation=OpenEscalation(reason="asked"))
    page, here = f"/desk/conversations/{stored.conversation_id}", stored.conversation_id
    await jo.get(page)
    assert await streams.read_upto(here) == 0, "reading before taking is nobody's business"
    await jo.post(f"{page}/take")
    await jo.get(f"{page}/log")
    assert await streams.read_upto(here) == 0, "a page in the background has read nothing"
    await jo.get(f"{page}/log?seen=1")
    conversation = await ledger.conversation(here)
    assert await streams.read_upto(here) == conversation.last_seq

    messages = await ledger.messages(here)
    assert not is_read(conversation, messages, 99), "the last word is ours"
    await ledger.store_inbound(Inbound(channel=Channel.WEB, address="v", provider_id="2", text="are you there"))
    messages = await ledger.messages(here)
    assert not is_read(conversation, messages, conversation.last_seq)
    await jo.get(page)
    assert is_read(conversation, messages, await streams.read_upto(here))


@pytest.mark.browser
async def test_the_open_page_follows_place_people_and_reading(
    chromium: Browser, ledger: Ledger, streams: Streams, settings: Settings, attendance: FakeAttendance
) -> None:
    app = chat_app(ledger, streams, settings, attendance=attendance)
    async with serving(app, free_port()) as address:
        here = await visit(chromium, address, ledger, streams)
        await here.begins("can i talk to someone")
        await here.waits_for_a_person()
        standing = here.page.locator(".talk-head [data-part=standing]")
        await expect(standing).to_contain_text("you are next. 2 people are at the desk now.")
        attendance.number = 0
        await streams.changed(await here.conversation_id())
        await expect(standing).to_contain_text("Right now no one is at the desk.")

        escalation = await ledger.escalation_of(await here.conversation_id())
        assert escalation is not None
        sam = await ledger.add_peer(name="Sam", login="sam", role="peer", password_hash="x")
        hello = Draft(sender=Sender.PEER, text="Hi, I am Sam.", sender_name="Sam")
        await ledger.claim(escalation.id, sam, escalation.opened_at.replace(year=2100), hello)
        await here.says("hello sam")
        await expect(here.page.locator("li.you[data-seq='3']")).to_be_visible()
        await streams.has_read(await here.conversation_id(), 3)
        await expect(here.page.get_by_text("Sam has read it.")).to_be_visible()
        await here.says("my rent is late")
        await expect(here.page.get_by_text("Sam has read it.")).to_have_count(0)
        await streams.typing(await here.conversation_id())
        await expect(here.page.get_by_text("Somebody is writing to you.")).to_be_visible()
        assert here.complaints == []
        await here.context.close()
