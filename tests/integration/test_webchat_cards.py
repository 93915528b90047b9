"""Services in the web chat: what a tap does, hours that are true when they are read, and all of it in detail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from channels.conversation import Reply, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.settings import Settings
from channels.streams import Streams
from tests.chat_builders import RENT, Story, browser, make_app, words_of

WEEK = "Monday and Tuesday 9:30am to 4:30pm"


@pytest.fixture
async def chat(ledger: Ledger, streams: Streams, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(make_app(ledger, streams, settings)) as client:
        await client.get("/chat")
        await client.post("/chat/messages", data={"text": "cant pay my rent"})
        yield client


def offer(**changes: object) -> Draft:
    card = replace(RENT, **changes)  # type: ignore[arg-type]
    return Draft(sender=Sender.ASSISTANT, text="", reply=Reply(cards=(card,), detail=bool(changes.get("how_to"))))


@pytest.mark.parametrize(
    ("phone", "call", "drawn"),
    [
        pytest.param("01632 960112", "tel:01632960112", 'href="tel:01632960112">Ring 01632 960112<', id="a number"),
        pytest.param("01632 960112", "", 'href="tel:01632960112">Ring 01632 960112<', id="said by an older release"),
        pytest.param(
            "01632 960112 ext 4",
            "tel:01632960112",
            'href="tel:01632960112">Ring 01632 960112 ext 4<',
            id="an extension",
        ),
        pytest.param(
            "text SHOUT to 85258",
            "sms:85258?&body=SHOUT",
            'href="sms:85258?&amp;body=SHOUT">Text SHOUT to 85258<',
            id="a text line",
        ),
        pytest.param("text SHOUT to 85258", "", "<b>Text SHOUT to 85258</b>", id="a text line of an older release"),
        pytest.param("ring the bell", "javascript:alert(1)", "<b>Ring the bell</b>", id="something else altogether"),
    ],
)
async def test_a_tap_rings_or_texts_the_very_number(
    chat: httpx.AsyncClient, ledger: Ledger, phone: str, call: str, drawn: str
) -> None:
    await Story(ledger, chat).answer(offer(phone=phone, call=call))
    assert drawn in (await chat.get("/chat")).text


async def test_hours_of_another_day_are_not_shown_as_todays(
    chat: httpx.AsyncClient, ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    await Story(ledger, chat).answer(offer(usual_hours=WEEK))
    assert "open now until 4:30pm" in words_of(await chat.get("/chat"))
    tomorrow = make_app(ledger, streams, settings, clock=lambda: datetime.now(UTC) + timedelta(days=1))
    async with browser(tomorrow) as later:
        later.cookies = chat.cookies
        page = words_of(await later.get("/chat"))
    assert "open now" not in page
    assert WEEK in page


async def test_the_whole_of_a_service_is_there_in_detail(chat: httpx.AsyncClient, ledger: Ledger) -> None:
    how = {"how_to": "Just turn up.", "email": "rent@wren.example", "website": "https://wren.example"}
    await Story(ledger, chat).answer(offer(**how, place="12 Bell Street, WZ1 2AB; 0.4 miles"))
    page = await chat.get("/chat")
    facts = ("Just turn up.", "12 Bell Street, WZ1 2AB; 0.4 miles", "Free", "Bring any letters", "Checked 14 October")
    for fact in facts:
        assert fact in words_of(page)
    assert 'href="mailto:rent@wren.example"' in page.text
    assert 'href="https://wren.example" rel="nofollow noreferrer"' in page.text
