"""Pictures and other media: fetched on demand, from the provider only, within limits, and shown for what they are."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from channels import desk
from channels.conversation import Channel, Media
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.media import MediaFetcher, MediaUnavailable, is_fetchable, look_at
from channels.settings import Settings
from channels.simulator.store import PICTURE
from channels.streams import Streams
from tests.desk_builders import Office, Person, open_office, person_asks, words_of
from tests.worker_builders import WORDING

ACCOUNT = "AC" + "0" * 32
URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1"
PAGE = b"<!doctype html><script>alert(document.domain)</script>"
TWILIO_PICTURE = Media(kind="picture", reference=URL, content_type="image/jpeg", size=245_760)
TELEGRAM_PICTURE = Media(kind="picture", reference="AgACAgQAAx", size=1000)


@dataclass
class Internet:
    """Everything that could be reached; remembers what was, and with which password."""

    content: bytes = PICTURE
    content_type: str = "image/jpeg"
    status: int = 200
    sends_on_to: str = ""
    file_path: str = "photos/file_1.png"
    asked: list[tuple[str, bool]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.asked.append((str(request.url), "authorization" in request.headers))
        if request.url.path.endswith("/getFile"):
            return JSONResponse({"ok": True, "result": {"file_path": self.file_path}})
        if self.sends_on_to and request.url.hostname == "api.twilio.com":
            return RedirectResponse(self.sends_on_to, 307)
        return Response(self.content, self.status, media_type=self.content_type)

    @property
    def hosts(self) -> list[str]:
        return [httpx.URL(url).host for url, _ in self.asked]


@pytest.fixture
def internet() -> Internet:
    return Internet()


@pytest.fixture
async def fetcher(settings: Settings, internet: Internet) -> AsyncIterator[MediaFetcher]:
    known = settings.model_copy(
        update={
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": SecretStr("the token"),
            "telegram_token": SecretStr("4711:the-bot"),
            "media_megabytes": 0.01,
        }
    )
    opened = MediaFetcher(known, httpx.ASGITransport(Starlette(routes=[Route("/{path:path}", internet.answer)])))
    yield opened
    await opened.close()


async def reason_of(fetcher: MediaFetcher, media: Media, channel: Channel = Channel.SMS) -> str:
    with pytest.raises(MediaUnavailable) as caught:
        await fetcher.fetch(channel, media)
    return caught.value.reason


# -- fetching ---------------------------------------------------------------------------------------------------------


async def test_a_picture_from_twilio_is_fetched_with_our_account(fetcher: MediaFetcher, internet: Internet) -> None:
    file = await fetcher.fetch(Channel.SMS, TWILIO_PICTURE)
    assert (file.content, file.content_type, file.shown) == (PICTURE, "image/png", True)
    assert internet.asked == [(URL, True)]


async def test_twilios_store_is_followed_without_the_password(fetcher: MediaFetcher, internet: Internet) -> None:
    internet.sends_on_to = "https://media.twiliocdn.com/AC0/abc?sig=1"
    assert (await fetcher.fetch(Channel.SMS, TWILIO_PICTURE)).shown
    assert internet.asked[1] == ("https://media.twiliocdn.com/AC0/abc?sig=1", False)


async def test_a_picture_from_telegram_is_looked_up_first(fetcher: MediaFetcher, internet: Internet) -> None:
    assert (await fetcher.fetch(Channel.TELEGRAM, TELEGRAM_PICTURE)).shown
    assert internet.asked[1] == ("https://api.telegram.org/file/bot4711:the-bot/photos/file_1.png", False)


@pytest.mark.parametrize(
    "reference",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:8000/desk",
        "file:///etc/passwd",
        URL.replace("https", "http"),
        URL.replace("api.twilio.com", "api.twilio.com.evil.example"),
        URL.replace("api.twilio.com", "api.twilio.com@169.254.169.254"),
        URL.replace("api.twilio.com", "api.twilio.com:8443"),
        URL.replace(ACCOUNT, "AC" + "9" * 32),
        URL + "/../../../../Messages.json",
        "https://media.twiliocdn.com/somebody-elses",
        "https://[::1/",
        "not an address",
    ],
)
async def test_no_other_address_is_ever_asked(fetcher: MediaFetcher, internet: Internet, reference: str) -> None:
    assert await reason_of(fetcher, Media(kind="picture", reference=reference)) == "elsewhere"
    assert internet.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://evil.example/x.jpg",
        "http://media.twiliocdn.com/x",
        "//evil.example/x",
        "https://media.twiliocdn.com@evil.example/x",
    ],
)
async def test_a_redirect_to_another_host_is_not_followed(
    fetcher: MediaFetcher, internet: Internet, target: str
) -> None:
    internet.sends_on_to = target
    assert await reason_of(fetcher, TWILIO_PICTURE) == "elsewhere"
    assert internet.hosts == ["api.twilio.com"]


@pytest.mark.parametrize("path", ["../../etc/passwd", "a/../../bot/x", "https://evil.example", "", "/x", "a?b=c"])
async def test_a_strange_path_from_telegram_is_not_followed(
    fetcher: MediaFetcher, internet: Internet, path: str
) -> None:
    internet.file_path = path
    assert await reason_of(fetcher, TELEGRAM_PICTURE, Channel.TELEGRAM) == "elsewhere"
    assert len(internet.asked) == 1


async def test_what_is_too_large_is_not_read_to_its_end(fetcher: MediaFetcher, internet: Internet) -> None:
    internet.content = PICTURE + b"\0" * 10_001
    assert await reason_of(fetcher, TWILIO_PICTURE) == "too_large"


@pytest.mark.parametrize(("status", "reason"), [(404, "gone"), (401, "gone"), (500, "away")])
async def test_why_it_cannot_be_had(fetcher: MediaFetcher, internet: Internet, status: int, reason: str) -> None:
    internet.status = status
    assert await reason_of(fetcher, TWILIO_PICTURE) == reason


# -- what it really is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "content_type", "name"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg", "picture.jpg"),
        (PICTURE, "image/png", "picture.png"),
        (b"GIF89a..", "image/gif", "picture.gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", "picture.webp"),
        (PAGE, "application/octet-stream", "attachment.bin"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "application/octet-stream", "attachment.bin"),
        (b"%PDF-1.7", "application/octet-stream", "attachment.pdf"),
        (b"OggS..", "application/octet-stream", "attachment.ogg"),
        (b"", "application/octet-stream", "attachment.bin"),
    ],
    ids=["jpeg", "png", "gif", "webp", "a page", "svg", "pdf", "ogg", "nothing"],
)
def test_the_first_bytes_decide(content: bytes, content_type: str, name: str) -> None:
    file = look_at(content)
    assert (file.content_type, file.name, file.shown) == (content_type, name, content_type.startswith("image/"))


def test_a_place_and_a_contact_without_a_file_are_not_fetchable() -> None:
    assert not is_fetchable(Media(kind="location", reference="51.5,-0.1"))
    assert not is_fetchable(Media(kind="contact"))


# -- on the desk ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def office(ledger: Ledger, streams: Streams, settings: Settings, fetcher: MediaFetcher) -> AsyncIterator[Office]:
    escalations = Escalations(ledger, streams, WORDING, settings)
    routes = desk.routes(ledger=ledger, streams=streams, escalations=escalations, settings=settings, media=fetcher)
    opened = Office(Starlette(routes=routes), ledger, escalations, settings)
    yield opened
    await opened.close()


async def address_of(office: Office, person: Person, number: int = 0) -> str:
    message = (await office.ledger.messages(person.conversation_id))[0]
    return f"{person.page}/media/{message.id}/{number}"


async def test_the_desk_tells_of_a_picture_and_fetches_it_only_when_asked(office: Office, internet: Internet) -> None:
    person = await person_asks(office, media=(TWILIO_PICTURE,))
    sam = await office.sit_down("Sam")
    page = await sam.get(person.page)
    assert "a picture (image/jpeg, 240 kB) - show" in words_of(page.text)
    address = await address_of(office, person)
    assert address in page.text
    assert internet.asked == []
    shown = await sam.get(address)
    assert (shown.status_code, shown.content, shown.headers["content-type"]) == (200, PICTURE, "image/png")
    assert shown.headers["content-disposition"] == 'inline; filename="picture.png"'
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert (shown.headers["cache-control"], shown.headers["x-content-type-options"]) == ("no-store", "nosniff")


async def test_who_looked_is_recorded(office: Office) -> None:
    person = await person_asks(office, media=(TWILIO_PICTURE,))
    sam = await office.sit_down("Sam")
    await sam.get(await address_of(office, person))
    newest = (await office.ledger.audit_log())[0]
    message = (await office.ledger.messages(person.conversation_id))[0]
    assert (newest.action, newest.subject, newest.detail) == ("media_viewed", message.id, "0")


async def test_a_page_dressed_up_as_a_picture_is_a_download(office: Office, internet: Internet) -> None:
    internet.content = PAGE
    person = await person_asks(office, media=(TWILIO_PICTURE,))
    sam = await office.sit_down("Sam")
    given = await sam.get(await address_of(office, person))
    assert given.headers["content-type"] == "application/octet-stream"
    assert given.headers["content-disposition"] == 'attachment; filename="attachment.bin"'


async def test_a_hostile_address_is_told_and_not_asked(office: Office, internet: Internet) -> None:
    hostile = Media(kind="picture", reference="http://169.254.169.254/latest/meta-data/")
    person = await person_asks(office, media=(hostile,))
    sam = await office.sit_down("Sam")
    answer = await sam.get(await address_of(office, person))
    assert answer.status_code == 502
    assert "was not fetched" in words_of(answer.text)
    assert internet.asked == []


async def test_without_a_session_or_for_somebody_elses_conversation_there_is_nothing(
    office: Office, internet: Internet
) -> None:
    person = await person_asks(office, media=(TWILIO_PICTURE,))
    other = await person_asks(office, 2)
    address = await address_of(office, person)
    assert (await office.browser().get(address)).status_code == 303
    sam = await office.sit_down("Sam")
    await sam.post(f"{person.page}/take")
    ana = await office.sit_down("Ana")
    assert (await ana.get(address)).status_code == 404
    message = (await office.ledger.messages(person.conversation_id))[0]
    for path in (f"{other.page}/media/{message.id}/0", f"{person.page}/media/{message.id}/1", f"{address}x"):
        assert (await sam.get(path)).status_code == 404
    assert internet.asked == []


async def test_a_desk_without_a_provider_says_that_it_is_not_there(
    ledger: Ledger, streams: Streams, settings: Settings
) -> None:
    office = open_office(ledger, streams, Escalations(ledger, streams, WORDING, settings), settings)
    person = await person_asks(office, media=(TWILIO_PICTURE,))
    sam = await office.sit_down("Sam")
    assert (await sam.get(await address_of(office, person))).status_code == 404
    await office.close()


def test_the_picture_that_the_fakes_serve_is_one() -> None:
    assert look_at(PICTURE).content_type == "image/png"
    assert base64.b64encode(PICTURE)
