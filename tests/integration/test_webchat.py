"""The web chat, as a browser without JavaScript uses it, and the pieces that the script asks for."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from structlog.testing import capture_logs

from channels.conversation import Channel, Choice, Concern, Inbound, Reply, Sender, ServiceCard
from channels.errors import LedgerUnavailable
from channels.intake import Intake
from channels.ledger import Ledger
from channels.ledger.records import Draft, MessageRecord, OpenEscalation, Outcome, PersonRecord, Stored
from channels.metrics import Metrics
from channels.pages import EXIT_TO, SecurityHeaders
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat import WebChat
from channels.webchat.visitor import COOKIE, Visitor
from channels.wording import Wording
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
SCRIPT = {"Accept": "application/json"}


class BrokenLedger:
    """A ledger whose database is away."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def unavailable(*_arguments: object, **_named: object) -> Stored:
            raise LedgerUnavailable("away")

        return unavailable


def make_app(ledger: Any, streams: Streams, settings: Settings) -> Starlette:
    metrics = Metrics()
    chat = WebChat(
        ledger=ledger,
        streams=streams,
        intake=Intake(ledger, streams, metrics),
        settings=settings,
        wording=Wording.load(),
    )
    return Starlette(routes=chat.routes(), middleware=[Middleware(SecurityHeaders)])


def browser(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", follow_redirects=True)


@pytest.fixture
async def chat(ledger: Ledger, streams: Streams, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(make_app(ledger, streams, settings)) as client:
        yield client


class Story:
    """What the worker and the desk would do meanwhile."""

    def __init__(self, ledger: Ledger, client: httpx.AsyncClient) -> None:
        self.ledger = ledger
        self.client = client

    @property
    def visitor(self) -> Visitor:
        return Visitor(secret=self.client.cookies[COOKIE])

    async def person(self) -> PersonRecord:
        person = await self.ledger.person_at(Channel.WEB, self.visitor.address)
        assert person is not None
        return person

    async def messages(self) -> list[MessageRecord]:
        conversation = await self.ledger.conversation_of((await self.person()).id)
        return await self.ledger.messages(conversation.id)

    async def answer(self, *drafts: Draft, **outcome: Any) -> None:
        conversation = await self.ledger.conversation_of((await self.person()).id)
        message = await self.ledger.next_unanswered(conversation.id)
        assert message is not None
        done = Outcome(message_id=message.id, expected_holder=conversation.holder, kind="bot", drafts=drafts, **outcome)
        assert await self.ledger.commit(done)


@pytest.fixture
def story(ledger: Ledger, chat: httpx.AsyncClient) -> Story:
    return Story(ledger, chat)


RENT = ServiceCard(
    service_id="svc-rent-help",
    name="Rent Rescue drop-in",
    phone="01632 960112",
    summary="Help to talk to your landlord.",
    hours="open now until 4:30pm",
    place="12 Bell Street",
    cost="Free",
    good_to_know="Bring any letters you have.",
    checked="checked 14 October 2026",
)
DETAILS = Choice(title="Rent Rescue drop-in", payload="details:svc-rent-help")
PERSON = Choice(title="Talk to a person", payload="person")
OFFER = Draft(
    sender=Sender.ASSISTANT,
    text="This may help:",
    reply=Reply(text="This may help:", cards=(RENT,), choices=(DETAILS, PERSON)),
    choices=(DETAILS, PERSON),
)


def said(words: str) -> Draft:
    return Draft(sender=Sender.ASSISTANT, text=words)


def words_of(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.text)))


# -- a whole conversation without JavaScript


async def test_a_conversation_without_javascript(chat: httpx.AsyncClient, story: Story) -> None:
    first = await chat.get("/chat")
    assert "Hello. What is going on?" in first.text
    sent = await chat.post("/chat/messages", data={"text": "cant pay my rent", "client_message_id": "first-one"})
    assert sent.url == "http://test/chat#end"
    assert "cant pay my rent" in sent.text

    await story.answer(OFFER)
    page = await chat.get("/chat")
    shown = words_of(page)
    for fact in ("Rent Rescue drop-in", "open now until 4:30pm", "12 Bell Street", "Free", "Bring any letters"):
        assert fact in shown
    assert "Checked 14 October 2026" in shown
    assert 'href="tel:01632960112"' in page.text
    assert '<button name="payload" value="details:svc-rent-help">' in page.text

    await chat.post("/chat/messages", data={"payload": "details:svc-rent-help"})
    pressed = (await story.messages())[-1]
    assert (pressed.text, pressed.payload) == ("Rent Rescue drop-in", "details:svc-rent-help")


async def test_nothing_is_stored_and_nothing_asked_before_the_first_message(
    chat: httpx.AsyncClient, story: Story, ledger: Ledger
) -> None:
    page = await chat.get("/chat")
    assert page.text.count("<input") == 1  # The hidden id of the message; no name, number or consent first.
    assert await ledger.person_at(Channel.WEB, story.visitor.address) is None


async def test_the_cookie_ends_with_the_browser_session_and_is_not_for_scripts(chat: httpx.AsyncClient) -> None:
    header = (await chat.get("/chat")).headers["set-cookie"].lower()
    assert "httponly" in header
    assert "samesite=lax" in header
    assert "path=/chat" in header
    assert "expires" not in header
    assert "max-age" not in header
    assert "secure" not in header  # On plain http a secure cookie would be thrown away.


async def test_the_cookie_is_secure_once_the_service_is_public(
    ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    public = settings.model_copy(update={"public_url": "https://help.example"})
    async with browser(make_app(ledger, streams, public)) as client:
        assert "secure" in (await client.get("/chat")).headers["set-cookie"].lower()


async def test_the_ledger_never_learns_what_is_in_the_cookie(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    secret = chat.cookies[COOKIE]
    assert secret not in (await story.person()).address
    assert secret not in (await story.messages())[0].provider_id


async def test_two_browsers_see_only_their_own_conversation(
    chat: httpx.AsyncClient, ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "only for my eyes"})
    async with browser(make_app(ledger, streams, settings)) as other:
        assert "only for my eyes" not in (await other.get("/chat")).text
        assert "only for my eyes" not in (await other.get("/chat/log?after=0")).text


async def test_a_browser_that_keeps_no_cookies_is_told_why_it_sees_no_answer(
    chat: httpx.AsyncClient, ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    async with browser(make_app(ledger, streams, settings)) as forgetful:
        forgetful.event_hooks["response"] = [forget_cookies(forgetful)]
        page = await forgetful.post("/chat/messages", data={"text": "hello"})
    assert "keeps no cookies" in page.text
    assert "116 123" in page.text


def forget_cookies(client: httpx.AsyncClient) -> Callable[[httpx.Response], Any]:
    async def forget(response: httpx.Response) -> None:
        response.headers.pop("set-cookie", None)
        client.cookies.clear()

    return forget


# -- sending


async def test_the_same_message_sent_twice_is_stored_once(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    for _ in range(3):
        answer = await chat.post(
            "/chat/messages", data={"text": "hello", "client_message_id": "0123456789abcdef"}, headers=SCRIPT
        )
        assert answer.status_code == 204
    assert len(await story.messages()) == 1


async def test_an_old_form_with_new_words_is_a_new_message(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    for words in ("first", "second"):
        await chat.post("/chat/messages", data={"text": words, "client_message_id": "0123456789abcdef"})
    assert [message.text for message in await story.messages()] == ["first", "second"]


@pytest.mark.parametrize("words", ["", "   ", "\r\n"])
async def test_nothing_to_say_is_not_stored(chat: httpx.AsyncClient, story: Story, ledger: Ledger, words: str) -> None:
    await chat.get("/chat")
    assert (await chat.post("/chat/messages", data={"text": words})).status_code == 200
    assert await ledger.person_at(Channel.WEB, story.visitor.address) is None


async def test_twenty_thousand_letters_arrive_whole(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    words = "困" * 20_000
    await chat.post("/chat/messages", data={"text": words})
    assert (await story.messages())[0].text == words


async def test_more_than_that_comes_back_to_be_sent_in_parts(chat: httpx.AsyncClient) -> None:
    page = await chat.post("/chat/messages", data={"text": "x" * 20_001})
    assert page.status_code == 413
    assert "two or three parts" in page.text
    assert "x" * 20_001 in page.text


async def test_a_payload_counts_only_if_it_is_on_offer(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    await story.answer(OFFER)
    await chat.post("/chat/messages", data={"payload": "forget:yes", "text": "not a press"})
    last = (await story.messages())[-1]
    assert (last.text, last.payload) == ("not a press", None)


async def test_a_button_that_is_out_of_date_counts_as_its_words(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    await story.answer(OFFER, *(said(f"more {number}") for number in range(6)))
    page = await chat.get("/chat")
    assert '<button name="payload"' not in page.text
    await chat.post("/chat/messages", data={"payload": "person"})
    last = (await story.messages())[-1]
    assert (last.text, last.payload) == ("Talk to a person", None)


async def test_another_site_cannot_write_in_somebodys_name(chat: httpx.AsyncClient, story: Story) -> None:
    await chat.get("/chat")
    answer = await chat.post("/chat/messages", data={"text": "hello"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert await story.ledger.person_at(Channel.WEB, story.visitor.address) is None


@pytest.mark.parametrize(("header", "language"), [("cy-GB,en;q=0.8", "cy"), ("PL", "pl"), ("*", None), ("", None)])
async def test_the_browsers_language_goes_with_the_message(
    chat: httpx.AsyncClient, story: Story, header: str, language: str | None
) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"}, headers={"Accept-Language": header})
    assert (await story.messages())[0].language == language


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


# -- leaving


async def test_leaving_forgets_the_browser_and_goes_somewhere_ordinary(chat: httpx.AsyncClient) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "words that stay here"})
    page = await chat.get("/chat")
    assert "Leave this page" in page.text
    answer = await chat.post("/chat/leave", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, EXIT_TO)
    assert answer.headers["clear-site-data"] == '"cache"'
    assert COOKIE not in chat.cookies
    assert "words that stay here" not in (await chat.get("/chat")).text


async def test_the_beacon_of_the_script_goes_nowhere(chat: httpx.AsyncClient) -> None:
    await chat.get("/chat")
    answer = await chat.post("/chat/leave?quiet=1", follow_redirects=False)
    assert answer.status_code == 204
    assert COOKIE not in chat.cookies


# -- what must never get in or out


@pytest.mark.parametrize("nasty", NASTY)
async def test_words_of_either_side_stay_words(chat: httpx.AsyncClient, story: Story, nasty: str) -> None:
    await chat.get("/chat")
    clean = await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": nasty})
    card = ServiceCard(
        service_id="x", name=nasty, phone=nasty, summary=nasty, hours=nasty, website=nasty, email=nasty, checked=nasty
    )
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


DRAWN = {"li", "p", "div", "section", "h3", "dl", "dt", "dd", "a", "form", "input", "button", "time"}
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
