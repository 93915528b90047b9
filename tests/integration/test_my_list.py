"""My list, as a browser without JavaScript uses it, and the copies that are sent of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from channels.conversation import Channel, Holder, Inbound, Reply, Sender
from channels.errors import SendFailed
from channels.fitting import fits_sms
from channels.ledger import Ledger
from channels.ledger.records import Draft, Outcome
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.copies import write_texts
from channels.webchat.visitor import COOKIE
from channels.wording import Wording
from tests.chat_builders import RENT, SCRIPT, BrokenLedger, Story, browser, make_app, words_of

WEEK = "Monday and Tuesday 9:30am to 4:30pm"
DEBT = replace(RENT, service_id="svc-debt", name="Debt Line", phone="0808 157 0011", usual_hours=WEEK)
BOTH = Draft(sender=Sender.ASSISTANT, text="These:", reply=Reply(text="These:", cards=(RENT, DEBT)))
MOBILE = "07700 900123"


@dataclass
class FakeTexts:
    sent: list[tuple[str, str]] = field(default_factory=list)
    failure: SendFailed | None = None

    async def send(self, address: str, text: str) -> str:
        if self.failure:
            raise self.failure
        self.sent.append((address, text))
        return "SM1"


@dataclass
class FakeMail:
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    failure: SendFailed | None = None

    async def send(self, address: str, subject: str, text: str) -> None:
        if self.failure:
            raise self.failure
        self.sent.append((address, subject, text))


@pytest.fixture
def texts() -> FakeTexts:
    return FakeTexts()


@pytest.fixture
def mail() -> FakeMail:
    return FakeMail()


@pytest.fixture
async def chat(
    ledger: Ledger, streams: Streams, settings: Settings, texts: FakeTexts, mail: FakeMail
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who was offered two services, in message 2."""
    async with browser(make_app(ledger, streams, settings, texts=texts, mail=mail)) as client:
        await client.get("/chat")
        await client.post("/chat/messages", data={"text": "cant pay my rent"})
        await Story(ledger, client).answer(BOTH)
        yield client


def at(place: int, **more: str) -> dict[str, str]:
    return {"seq": "2", "place": str(place), **more}


async def test_saving_undoing_and_seeing_the_list(chat: httpx.AsyncClient) -> None:
    assert "Nothing is in your list yet" in words_of(await chat.get("/chat/list"))
    page = await chat.post("/chat/list/save", data=at(1))
    assert page.url.fragment == "m2"
    assert "My list (1)" in words_of(page)
    assert words_of(page).count("Save to my list") == 1
    listed = words_of(await chat.get("/chat/list"))
    for fact in ("Debt Line", "Ring 0808 157 0011", WEEK, "Free", "Bring any letters", "Checked 14 October 2026"):
        assert fact in listed
    assert "open now" not in listed, "a list is read on another day"

    removed = await chat.post("/chat/list/remove", data=at(1, back="list"))
    assert "Debt Line is off your list." in words_of(removed)
    assert removed.url.query == b"seq=2&place=1", "an address does not say what somebody needs"
    back = await chat.post("/chat/list/save", data=at(1, back="list"))
    assert "Debt Line" in words_of(back)
    assert "off your list" not in words_of(back)
    undone = await chat.post("/chat/list/remove", data=at(1))
    assert "My list (1)" not in words_of(undone)


async def test_a_browser_that_names_only_our_public_address_is_no_stranger(
    ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    """Behind a proxy that calls us by another host, as an old browser sees it."""
    public = settings.model_copy(update={"public_url": "http://help.example"})
    async with browser(make_app(ledger, streams, public)) as client:
        await client.get("/chat")
        await client.post("/chat/messages", data={"text": "cant pay my rent"})
        await Story(ledger, client).answer(BOTH)
        saved = await client.post("/chat/list/save", data=at(1), headers={"Origin": "http://help.example"})
        assert saved.status_code == 200
        assert "My list (1)" in words_of(saved)
        elsewhere = await client.post("/chat/list/save", data=at(0), headers={"Origin": "http://other.example"})
        assert elsewhere.status_code == 403


async def test_the_script_gets_the_button_and_the_count_only(chat: httpx.AsyncClient) -> None:
    part = await chat.post("/chat/list/save", data=at(0), headers=SCRIPT)
    assert 'action="/chat/list/remove"' in part.text
    assert "My list (1)" in part.text
    assert "<html" not in part.text
    assert "My list (1)" in (await chat.get("/chat/log?after=2")).text


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"seq": "2", "place": "7"}, id="no such card"),
        pytest.param({"seq": "1", "place": "0"}, id="a message without cards"),
        pytest.param({"seq": "99", "place": "0"}, id="no such message"),
        pytest.param({"seq": "0", "place": "0"}, id="message 0"),
        pytest.param({"seq": "x", "place": "-1"}, id="no numbers"),
        pytest.param({}, id="nothing"),
    ],
)
async def test_what_is_not_there_is_said_and_changes_nothing(chat: httpx.AsyncClient, form: dict[str, str]) -> None:
    page = await chat.post("/chat/list/save", data=form)
    assert page.status_code == 404
    assert "not here any more" in words_of(page)
    assert "Nothing is in your list yet" in words_of(page)


async def test_nobody_sees_or_changes_somebody_elses_list(
    chat: httpx.AsyncClient, ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    await chat.post("/chat/list/save", data=at(0))
    async with browser(make_app(ledger, streams, settings)) as other:
        await other.get("/chat")
        await other.post("/chat/messages", data={"text": "hello"})
        assert "Rent Rescue" not in (await other.get("/chat/list?seq=2&place=0")).text
        assert (await other.post("/chat/list/remove", data=at(0))).status_code == 404
    assert "Rent Rescue" in (await chat.get("/chat/list")).text


@pytest.mark.parametrize("path", ["save", "remove", "text", "email"])
async def test_another_site_changes_and_sends_nothing(
    chat: httpx.AsyncClient, texts: FakeTexts, mail: FakeMail, path: str
) -> None:
    await chat.post("/chat/list/save", data=at(0))
    form = at(1 if path == "save" else 0, number=MOBILE, address="a@b.example")
    answer = await chat.post(f"/chat/list/{path}", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert (texts.sent, mail.sent) == ([], [])
    assert words_of(await chat.get("/chat/list")).count("Take off my list") == 1


async def test_forgotten_means_the_list_too(chat: httpx.AsyncClient, ledger: Ledger) -> None:
    await chat.post("/chat/list/save", data=at(0))
    await ledger.forget((await Story(ledger, chat).person()).id)
    assert "Nothing is in your list yet" in words_of(await chat.get("/chat/list"))


async def test_a_list_in_a_frame_stays_framed(chat: httpx.AsyncClient, ledger: Ledger) -> None:
    await chat.get("/chat?embed=1")
    await chat.post("/chat/messages?embed=1", data={"text": "hello from a frame"})
    page = await chat.get("/chat/list?embed=1")
    assert "Rent Rescue" not in page.text
    addresses = re.findall(r'(?:action|href)="(/chat[^"#]*)', page.text)
    assert addresses
    assert [one for one in addresses if "embed=1" not in one] == []


async def test_when_the_ledger_is_away_the_list_says_so(streams: Streams, settings: Settings) -> None:
    async with browser(make_app(BrokenLedger(), streams, settings)) as client:
        client.headers["Cookie"] = f"{COOKIE}={'A' * 22}"
        assert (await client.get("/chat/list")).status_code == 503
        assert (await client.post("/chat/list/save", data=at(0))).status_code == 503


# -- copies


async def test_a_text_says_who_sends_it_that_it_was_asked_for_and_the_numbers(
    chat: httpx.AsyncClient, texts: FakeTexts
) -> None:
    for place in (0, 1):
        await chat.post("/chat/list/save", data=at(place))
    page = await chat.post("/chat/list/text", data={"number": MOBILE})
    assert "on its way" in words_of(page)
    assert MOBILE not in page.text
    ((address, words),) = texts.sent
    assert address == "+447700900123"
    assert "No Wrong Door" in words
    assert "asked us to send" in words
    assert "Rent Rescue drop-in 01632 960112\nDebt Line 0808 157 0011" in words
    assert fits_sms(words)


@pytest.mark.parametrize("count", [1, 6, 12, 40])
def test_a_long_list_is_three_texts_at_most_and_says_what_is_left(count: int) -> None:
    cards = [replace(RENT, name=f"Service with quite a long name, number {number}") for number in range(count)]
    texts = write_texts(cards, Wording.load())
    assert 1 <= len(texts) <= 3
    assert all(fits_sms(text) for text in texts)
    whole = "\n".join(texts)
    told = re.search(r"and (\d+) more", whole)
    assert whole.count("01632 960112") + (int(told[1]) if told else 0) == count


async def test_an_email_holds_the_whole_list(chat: httpx.AsyncClient, mail: FakeMail) -> None:
    await chat.post("/chat/list/save", data=at(1))
    page = await chat.post("/chat/list/email", data={"address": " Person@Example.org "})
    assert "on its way" in words_of(page)
    ((address, subject, words),) = mail.sent
    assert address == "Person@Example.org"
    assert subject == "The list you asked for"
    for fact in ("No Wrong Door", "asked us to send", "Debt Line 0808 157 0011", WEEK, "12 Bell", "Good to know"):
        assert fact in words
    assert "open now" not in words


@pytest.mark.parametrize(
    "typed",
    ["", "hello", "020 7946 0018", "+1 202 555 0143", "0909 879 0000", "07700 900123 x4", "0" * 300, "٠٧٧٠٠", "\0"],
)
async def test_only_a_uk_or_irish_mobile_is_texted(chat: httpx.AsyncClient, texts: FakeTexts, typed: str) -> None:
    await chat.post("/chat/list/save", data=at(0))
    page = await chat.post("/chat/list/text", data={"number": typed})
    assert page.status_code == 422
    assert "Mobile number: write a UK or Irish mobile number" in words_of(page)
    assert texts.sent == []


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        pytest.param("07400 123456", "+447400123456", id="British"),
        pytest.param("+44 (0)7400-123456", "+447400123456", id="with everything"),
        pytest.param("+353 85 012 3456", "+353850123456", id="Irish"),
    ],
)
async def test_numbers_are_read_as_people_write_them(
    chat: httpx.AsyncClient, texts: FakeTexts, typed: str, number: str
) -> None:
    await chat.post("/chat/list/save", data=at(0))
    await chat.post("/chat/list/text", data={"number": typed})
    assert texts.sent[0][0] == number


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a@b",
        "a b@c.example",
        "a@b.example\r\nBcc: x@y.example",
        "a@b.example, c@d.example",
        "a" * 250 + "@b.example",
    ],
)
async def test_only_one_plain_mailbox_is_written_to(chat: httpx.AsyncClient, mail: FakeMail, typed: str) -> None:
    await chat.post("/chat/list/save", data=at(0))
    page = await chat.post("/chat/list/email", data={"address": typed})
    assert page.status_code == 422
    assert "Email address: write it like" in words_of(page)
    assert mail.sent == []


async def test_three_copies_of_a_list_a_day_and_two_to_one_number(chat: httpx.AsyncClient, texts: FakeTexts) -> None:
    await chat.post("/chat/list/save", data=at(0))
    numbers = ["07700 900123", "+44 7700 900123", "07700900123", "07700 900124", "07700 900125"]
    answers = [(await chat.post("/chat/list/text", data={"number": number})).status_code for number in numbers]
    assert answers == [200, 200, 429, 200, 429]
    assert [number for number, _ in texts.sent] == ["+447700900123", "+447700900123", "+447700900124"]


async def test_all_people_together_have_a_limit(
    ledger: Ledger, streams: Streams, settings: Settings, texts: FakeTexts, chat: httpx.AsyncClient
) -> None:
    tight = settings.model_copy(update={"list_copies_per_day": 1})
    await chat.post("/chat/list/save", data=at(0))
    async with browser(make_app(ledger, streams, tight, texts=texts)) as client:
        client.cookies = chat.cookies
        answers = [
            (await client.post("/chat/list/text", data={"number": f"07700 90012{n}"})).status_code for n in range(2)
        ]
    assert answers == [200, 429]


async def test_an_empty_list_is_not_sent(chat: httpx.AsyncClient, texts: FakeTexts) -> None:
    assert (await chat.post("/chat/list/text", data={"number": MOBILE})).status_code == 404
    assert texts.sent == []


async def test_a_number_that_asked_for_no_texts_gets_none_and_nobody_learns_why(
    chat: httpx.AsyncClient, ledger: Ledger, texts: FakeTexts
) -> None:
    stop = Inbound(channel=Channel.SMS, address="+447700900123", provider_id="SM-stop", text="STOP", opt_out="STOP")
    stored = await ledger.store_inbound(stop)
    person = await ledger.person((await ledger.conversation(stored.conversation_id)).person_id)
    assert await ledger.commit(opted_out(stored.message_id))
    assert (await ledger.person(person.id)).do_not_text_first
    await chat.post("/chat/list/save", data=at(0))
    refused = await chat.post("/chat/list/text", data={"number": MOBILE})
    taken = await chat.post("/chat/list/text", data={"number": "07700 900124"})
    assert [number for number, _ in texts.sent] == ["+447700900124"]
    assert words_of(refused) == words_of(taken)


def opted_out(message_id: str) -> Outcome:
    return Outcome(message_id=message_id, expected_holder=Holder.BOT, kind="opted_out", do_not_text_first=True)


@pytest.mark.parametrize(
    ("retryable", "later"),
    [pytest.param(False, 200, id="certainly not sent"), pytest.param(True, 429, id="perhaps sent: it counts")],
)
async def test_what_did_not_go_out_says_so(
    chat: httpx.AsyncClient, texts: FakeTexts, retryable: bool, later: int
) -> None:
    await chat.post("/chat/list/save", data=at(0))
    texts.failure = SendFailed("x", "no", retryable=retryable)
    for _ in range(2):
        page = await chat.post("/chat/list/text", data={"number": MOBILE})
        assert page.status_code == 503
        assert "did not go out" in words_of(page)
    texts.failure = None
    assert (await chat.post("/chat/list/text", data={"number": MOBILE})).status_code == later


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        pytest.param({}, [], id="no way to send"),
        pytest.param({"texts": FakeTexts()}, ["Text it to me"], id="texts only"),
        pytest.param({"mail": FakeMail()}, ["Email it to me"], id="email only"),
    ],
)
async def test_a_way_that_is_not_set_up_is_not_offered(
    chat: httpx.AsyncClient,
    ledger: Ledger,
    streams: Streams,
    settings: Settings,
    parts: dict[str, Any],
    shown: list[str],
) -> None:
    await chat.post("/chat/list/save", data=at(0))
    async with browser(make_app(ledger, streams, settings, **parts)) as client:
        client.cookies = chat.cookies
        page = words_of(await client.get("/chat/list"))
    assert [way for way in ("Text it to me", "Email it to me") if way in page] == shown


async def test_no_number_and_no_mailbox_reaches_a_log_or_the_file(
    chat: httpx.AsyncClient, settings: Settings, texts: FakeTexts, mail: FakeMail, caplog: pytest.LogCaptureFixture
) -> None:
    await chat.post("/chat/list/save", data=at(0))
    texts.failure = SendFailed("30006", "no", retryable=True)
    with capture_logs() as lines:
        await chat.post("/chat/list/text", data={"number": "07700 900777"})
        await chat.post("/chat/list/email", data={"address": "canary@example.org"})
    assert len(mail.sent) == 1
    logged = str(lines) + caplog.text
    assert "list_copy_failed" in logged
    held = b"".join(path.read_bytes() for path in settings.data_dir.glob("ledger.sqlite*"))
    for secret in ("900777", "canary"):
        assert secret not in logged
        assert secret.encode() not in held
