"""Where things are when somebody works: the last words and the box together, on a phone and on a desk."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from pydantic import SecretStr

from channels.app import create_app
from channels.conversation import Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft
from channels.settings import Settings
from channels.streams import Streams
from tests.integration.serving import free_port, serving
from tests.integration.test_accessibility import House
from tests.integration.test_talk_browser import (
    DESK,
    answer,
    open_tool,
    sideways,
    sit_down,
    somebody_asks,
    write,
)
from tests.ledger_builders import TEST_PREFIX
from tests.phone_builders import with_phones

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
ENLARGED = {"width": 640, "height": 450}
"""A window of 1280 by 900, enlarged to 200 %."""
WELSH = "Rydw i wedi gofyn i berson ymuno gyda chi, a byddant yn darllen popeth a ysgrifennwyd hyd yn hyn. " * 4
ARABIC = "مرحبا، لا أستطيع دفع الإيجار هذا الشهر وأشعر بالتعب الشديد. " * 6
LONG = [f"{words} {number}" for number in range(4) for words in (WELSH, ARABIC)] + ["w" * 90, "The very last words."]
SMALLEST = 44
TO_PRESS = """() => [...document.querySelectorAll('button, .button, summary, select, .talk-bar .jumps a')]
    .filter(one => one.checkVisibility({visibilityProperty: true}))
    .map(one => [one.textContent.trim().slice(0, 40), one.getBoundingClientRect().height])
    .filter(([, height]) => height < %d)"""


@pytest.fixture
async def house(
    ledger: Ledger, streams: Streams, settings: Settings, valkey_url: str, chromium: Browser
) -> AsyncIterator[House]:
    """The whole web process with Sam; the context is that of a person with a phone."""
    await ledger.add_peer(name="Sam", login="sam", role="peer", password_hash="x")
    port = free_port()
    redis = {"redis_url": SecretStr(valkey_url), "redis_prefix": TEST_PREFIX}
    app = create_app(with_phones(settings).model_copy(update={"port": port, **redis}))
    async with serving(app, port) as served:
        yield House(served, ledger, streams, await chromium.new_context(viewport=PHONE, has_touch=True))


async def take(house: House, chromium: Browser, size: dict[str, int]) -> tuple[Page, Page]:
    """The person's page, and that of Sam, who has just taken them after a long story."""
    chat = await somebody_asks(house)
    conversation = await house.conversation()
    await house.ledger.append(conversation.id, [Draft(sender=Sender.NOTICE, text=text) for text in LONG])
    sam = await sit_down(house, chromium, "sam", size)
    await sam.get_by_role("button", name="Take number 1").click()
    await expect(sam.get_by_role("heading", name="You are with them")).to_be_visible()
    return chat, sam


async def covered(line: Locator) -> bool:
    """Whether something lies over the middle of it."""
    over: bool = await line.evaluate(
        """one => { const box = one.getBoundingClientRect();
                    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
                    return !one.contains(top); }"""
    )
    return over


@pytest.mark.parametrize(
    "size", [pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk"), pytest.param(ENLARGED, id="200 %")]
)
async def test_taking_somebody_shows_the_last_words_and_the_box(
    house: House, chromium: Browser, size: dict[str, int]
) -> None:
    _, sam = await take(house, chromium, size)
    last = sam.locator(".log > li.line").last
    for part in (last.locator(".bubble"), sam.get_by_label("Write to them"), sam.locator("[data-send]")):
        await expect(part).to_be_in_viewport(ratio=0.99)
        assert not await covered(part)
    assert await sideways(sam) <= 0


async def test_on_a_desk_the_window_holds_story_summary_and_tools(house: House, chromium: Browser) -> None:
    _, sam = await take(house, chromium, DESK)
    assert await sam.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    for part in (sam.locator(".short-words"), sam.locator("#notes > summary"), sam.get_by_label("Write to them")):
        await expect(part).to_be_in_viewport(ratio=0.99)


async def test_on_a_phone_everything_can_be_reached_and_pressed(house: House, chromium: Browser) -> None:
    _, sam = await take(house, chromium, PHONE)
    await sam.get_by_role("link", name="Tools").click()
    await expect(sam.locator("#notes > summary")).to_be_in_viewport()
    await sam.evaluate("document.querySelectorAll('.tool').forEach(part => { part.open = true; })")
    small = await sam.evaluate(TO_PRESS % SMALLEST)
    # With a mouse 24 are enough for what stands under a message and in the head of every page.
    assert [one for one in small if one[0] not in {"More", "Sign out"}] == []
    await sam.get_by_role("link", name="About").click()
    await expect(sam.locator(".short-words")).to_be_in_viewport()


async def test_new_words_are_followed_at_the_end_and_nowhere_else(house: House, chromium: Browser) -> None:
    chat, sam = await take(house, chromium, DESK)
    story = sam.locator(".story")
    await write(sam, "Hello, I am Sam.")
    await answer(chat, "hello sam")
    line = sam.locator(".log").get_by_text("hello sam")
    await expect(line).to_be_in_viewport()
    await story.evaluate("part => part.scrollTo(0, 0)")
    await answer(chat, "are you there")
    await expect(sam.locator(".log").get_by_text("are you there")).to_have_count(1)
    assert await story.evaluate("part => part.scrollTop") == 0


async def test_what_is_looked_up_leaves_their_last_words_in_sight(house: House, chromium: Browser) -> None:
    _, sam = await take(house, chromium, PHONE)
    await sam.locator(".look > summary").click()
    await sam.get_by_label("Find", exact=True).fill("safe")
    await sam.get_by_label("Find", exact=True).press("Enter")
    await expect(sam.get_by_role("button", name=re.compile("Use: ")).first).to_be_visible()
    await expect(sam.locator(".log").get_by_text("The very last words.")).to_be_in_viewport(ratio=0.99)
    await expect(sam.locator("[data-send]")).to_be_in_viewport(ratio=0.99)


async def test_what_was_done_is_said_where_it_was_done(house: House, chromium: Browser) -> None:
    """On a phone too, where the note is far below the head of the page."""
    _, sam = await take(house, chromium, PHONE)
    await open_tool(sam, "notes")
    await sam.locator("#note").fill("A kind person")
    await sam.get_by_role("button", name="Keep the note").click()
    said = sam.get_by_text("Kept for colleagues.")
    await expect(said).to_be_in_viewport(ratio=0.99)
    await expect(sam.get_by_text("A kind person")).to_be_in_viewport()
    await sam.get_by_label("Write to them").fill("so")
    await expect(said).to_be_hidden()


@pytest.mark.parametrize("path", ["/desk/debrief", "/desk/account"])
async def test_a_page_without_a_conversation_tells_that_its_peer_worker_is_there(
    house: House, chromium: Browser, path: str
) -> None:
    sam = await sit_down(house, chromium, "sam", DESK)
    async with sam.expect_response("**/desk/presence") as told:
        await sam.goto(house.address + path)
    assert (await told.value).status == 204
