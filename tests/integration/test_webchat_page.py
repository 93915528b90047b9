"""What the chat's page shows, what its script asks for, and what must never get in or out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest
from structlog.testing import capture_logs

from channels.conversation import Channel, Choice, Concern, Inbound, Reply, Sender, ServiceCard
from channels.ledger import Ledger
from channels.ledger.records import Draft, OpenEscalation, Outcome
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.visitor import COOKIE
from tests.chat_builders import (
    OFFER,
    SCRIPT,
    BrokenLedger,
    Story,
    browser,
    make_app,
    said,
    words_of,
)
from tests.integration.serving import free_port, serving

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    'https://evil.example/"onmouseover="alert(1)',
    "{{7*7}} {% raw %} ${7*7}",
    "</textarea></div><iframe src=//evil.example>",
    '0800 1111"><b>',
]


@pytest.fixture
async def chat(ledger: Ledger, streams: Streams, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(make_app(ledger, streams, settings)) as client:
        yield client


@pytest.fixture
def story(ledger: Ledger, chat: httpx.AsyncClient) -> Story:
    return Story(ledger, chat)


# -- who the person is talking to


async def test_the_page_says_who_the_person_is_talking_to(
    chat: httpx.AsyncClient, story: Story, ledger: Ledger
) -> None:
    assert "An assistant, a computer, answers first." in words_of(await chat.get("/chat"))
    await chat.post("/chat/messages", data={"text": "can i talk to someone"})
    assert "You are talking to the assistant, a computer." in words_of(await chat.get("/chat"))
    await story.answer(said("I have asked."), escalation=OpenEscalation(reason="asked"))
    assert "Waiting for a person: you are next." in words_of(await chat.get("/chat"))

    await add_somebody_in_front(ledger)
    assert "Waiting for a person: you are number 2." in words_of(await chat.get("/chat"))

    conversation = await ledger.conversation_of((await story.person()).id)
    escalation = await ledger.escalation_of(conversation.id)
    assert escalation is not None
    await ledger.lapse(escalation.id, said("Sorry."))
    assert "It is taking too long, and you keep your place." in words_of(await chat.get("/chat"))

    sam = await ledger.add_peer(name="Sam", login="sam", role="peer", password_hash="x")
    notice = Draft(sender=Sender.PEER, text="Hi, I am Sam.", sender_name="Sam")
    await ledger.claim(escalation.id, sam, escalation.opened_at.replace(year=2100), notice)
    page = words_of(await chat.get("/chat"))
    assert "You are talking to Sam, a peer worker." in page
    assert "Sam, peer worker" in page


@pytest.mark.parametrize(
    ("hours", "honest"),
    [
        pytest.param("", "Until then you are talking to the assistant, a computer.", id="somebody is there"),
        pytest.param("Mo-Su 00:00-00:01", "People are next here at midnight tomorrow.", id="nobody is there"),
    ],
)
async def test_whoever_waits_reads_when_a_person_can_come(
    ledger: Ledger, streams: Streams, settings: Settings, hours: str, honest: str
) -> None:
    noon = datetime(2026, 10, 14, 12, tzinfo=UTC)
    app = make_app(ledger, streams, settings.model_copy(update={"staffed_hours": hours}), clock=lambda: noon)
    async with browser(app) as chat:
        await chat.get("/chat")
        await chat.post("/chat/messages", data={"text": "can i talk to someone"})
        await Story(ledger, chat).answer(said("I have asked."), escalation=OpenEscalation(reason="asked"))
        page = words_of(await chat.get("/chat"))
    assert f"Waiting for a person: you are next. {honest}" in page


async def add_somebody_in_front(ledger: Ledger) -> None:
    stored = await ledger.store_inbound(
        Inbound(channel=Channel.SMS, address="+447700900009", provider_id="SM9", text="help")
    )
    conversation = await ledger.conversation(stored.conversation_id)
    await ledger.commit(
        Outcome(
            message_id=stored.message_id,
            expected_holder=conversation.holder,
            kind="bot",
            concerns=frozenset({Concern.SUICIDE}),
            escalation=OpenEscalation(reason="concern"),
        )
    )


# -- what the script asks for


async def test_the_log_holds_only_what_came_after(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "first words"})
    await story.answer(OFFER)
    part = await chat.get("/chat/log?after=1")
    assert "first words" not in part.text
    assert 'data-seq="2"' in part.text
    assert 'data-open="2"' in part.text
    assert "<html" not in part.text


@pytest.mark.parametrize("after", ["", "x", "-1", "1e9", "99999999999999999999", "٣"])
async def test_a_strange_number_in_the_address_is_no_number(chat: httpx.AsyncClient, after: str) -> None:
    assert (await chat.get("/chat/log", params={"after": after})).status_code == 200
    assert (await chat.get("/chat", params={"before": after})).status_code == 200


async def test_an_erased_conversation_disappears_from_an_open_page(
    chat: httpx.AsyncClient, story: Story, ledger: Ledger
) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "forget me"})
    await ledger.forget((await story.person()).id)
    part = await chat.get("/chat/log?after=1")
    assert "data-gone" in part.text
    assert "has been erased" in part.text
    assert "forget me" not in (await chat.get("/chat")).text


async def test_earlier_messages_are_a_link_away(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "the very first"})
    await story.answer(*(said(f"number {number}") for number in range(2, 211)))
    page = await chat.get("/chat")
    assert "the very first" not in page.text
    assert "number 210" in page.text
    link = re.search(r'href="(/chat\?before=\d+)"', page.text)
    assert link is not None
    earlier = await chat.get(link[1])
    assert "the very first" in earlier.text
    assert "number 210" not in earlier.text


async def test_the_event_stream_tells_of_changes_and_resumes_after_the_last_one(
    ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    async with (
        serving(make_app(ledger, streams, settings), free_port()) as address,
        httpx.AsyncClient(base_url=address) as client,
        asyncio.timeout(20),
    ):
        assert (await client.get("/chat/events")).status_code == 204
        await client.get("/chat")
        await client.post("/chat/messages", data={"text": "hello"})
        story = Story(ledger, client)
        async with client.stream("GET", "/chat/events?after=1") as stream:
            events = events_of(stream)
            await story.answer(said("one"))
            await streams.changed((await story.messages())[0].conversation_id)
            assert await anext(events) == "2"
        await story.ledger.append((await story.messages())[0].conversation_id, [said("two"), said("three")])
        async with client.stream("GET", "/chat/events", headers={"Last-Event-ID": "2"}) as stream:
            assert await anext(events_of(stream)) == "4"


async def events_of(stream: httpx.Response) -> AsyncIterator[str]:
    """The ids of the events, one after another. They carry nothing else."""
    current: dict[str, str] = {}
    async for line in stream.aiter_lines():
        name, _, value = line.partition(":")
        if line:
            current[name] = value.strip()
        elif current.get("event") == "changed":
            assert json.loads(current["data"]) == {}
            yield current["id"]
            current = {}


# -- what must never get in or out


@pytest.mark.parametrize("nasty", NASTY)
async def test_words_of_either_side_stay_words(chat: httpx.AsyncClient, story: Story, nasty: str) -> None:
    await chat.get("/chat")
    clean = await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": nasty})
    card = ServiceCard(
        service_id="x", name=nasty, phone=nasty, summary=nasty, hours=nasty, website=nasty, email=nasty, checked=nasty,
        call=nasty, usual_hours=nasty,
    )  # fmt: skip
    choice = Choice(title=nasty, payload="more")
    reply = Reply(text=nasty, cards=(card,), choices=(choice,), detail=True)
    await story.answer(Draft(sender=Sender.PEER, text=nasty, reply=reply, choices=(choice,), sender_name=nasty))
    usual = {tag for tag, _ in elements(clean)} | {tag for tag, _ in elements(await chat.get("/chat/log"))} | DRAWN
    for page in (await chat.get("/chat"), await chat.get("/chat/log?after=0")):
        found = elements(page)
        assert {tag for tag, _ in found} <= usual
        assert not [name for _, attributes in found for name in attributes if name.startswith("on")]
        addresses = [attributes.get("href", attributes.get("src", "")) for _, attributes in found]
        assert not [address for address in addresses if address.strip().lower().startswith(("javascript:", "data:"))]
        assert nasty in unescape(page.text)


DRAWN = {"li", "b", "p", "div", "section", "h3", "dl", "dt", "dd", "a", "form", "input", "button", "time"}
"""What a message, its card and its buttons are drawn with."""


def elements(page: httpx.Response) -> list[tuple[str, dict[str, str]]]:
    """Tags with their attributes, as a browser reads them."""
    found: list[tuple[str, dict[str, str]]] = []

    class Reading(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, {name: value or "" for name, value in attrs}))

    Reading().feed(page.text)
    return found


async def test_pages_load_nothing_from_elsewhere_and_run_nothing_inside(chat: httpx.AsyncClient) -> None:
    await chat.get("/chat")
    page = await chat.post("/chat/messages", data={"text": "hello"})
    assert not re.search(r'<(script|link|img|iframe)[^>]+(src|href)="(https?:)?//', page.text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page.text)
    assert not re.search(r"<style|\sstyle=", page.text)
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_the_log_is_announced_and_every_message_says_who_wrote_it(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    await story.answer(said("Hello to you."))
    page = await chat.get("/chat")
    assert 'role="log"' in page.text
    assert page.text.count('class="who"') == 2
    assert '<label for="text"' in page.text


# -- when the ledger is away


@pytest.fixture
async def broken(streams: Streams, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(make_app(BrokenLedger(), streams, settings)) as client:
        client.headers["Cookie"] = f"{COOKIE}={'A' * 22}"
        yield client


async def test_a_message_that_cannot_be_kept_comes_back_with_somebody_to_ring(broken: httpx.AsyncClient) -> None:
    page = await broken.post("/chat/messages", data={"text": "please <i>keep</i> this"})
    assert page.status_code == 503
    assert "please &lt;i&gt;keep&lt;/i&gt; this</textarea>" in page.text
    assert "116 123" in page.text


async def test_the_script_hears_that_it_was_not_sent(broken: httpx.AsyncClient) -> None:
    assert (await broken.post("/chat/messages", data={"text": "x"}, headers=SCRIPT)).status_code == 503
    assert (await broken.get("/chat/log?after=1")).status_code == 503
    assert (await broken.get("/chat/events")).status_code == 503


async def test_no_words_and_no_visitor_reach_a_log(
    chat: httpx.AsyncClient, broken: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as lines:
        await chat.get("/chat")
        await chat.post("/chat/messages", data={"text": "canary words"})
        await broken.post("/chat/messages", data={"text": "canary words"})
    logged = json.dumps(lines, default=str) + caplog.text
    assert "ledger_unavailable" in logged
    for secret in ("canary", chat.cookies[COOKIE], "A" * 22):
        assert secret not in logged
