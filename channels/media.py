"""Pictures and other media, fetched from their provider when a peer worker asks to see one, and never before.

    reference -> is it our provider's, and ours? -> fetch with our account, only so much of it -> what is it really?

What a provider or a person says a file is counts for nothing: its first bytes do. Pictures of four kinds are shown;
everything else, a page dressed up as a picture included, is a download that no browser opens by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from channels.conversation import Channel, Media
from channels.errors import ChannelsError
from channels.settings import Settings

TWILIO: Final = "https://api.twilio.com"
TWILIO_STORES: Final = frozenset(
    {"https://media.twiliocdn.com", "https://mms.twiliocdn.com", "https://s3-external-1.amazonaws.com"}
)
"""Where Twilio's own address sends on to; our account's password is not sent there."""
TELEGRAM: Final = "https://api.telegram.org/bot"
MOST_HOPS: Final = 2
SECONDS: Final = 20.0
FILE_PATH: Final = re.compile(r"[A-Za-z0-9_\-]+(?:[./][A-Za-z0-9_\-]+)*")
MEDIA_PATH: Final = re.compile(r"/2010-04-01/Accounts/(?P<account>\w+)/Messages/\w+/Media/\w+")
NOT_FILES: Final = frozenset({"location"})

PICTURES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"\xff\xd8\xff", "image/jpeg", "jpg"),
    (rb"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (rb"GIF8[79]a", "image/gif", "gif"),
    (rb"RIFF....WEBP", "image/webp", "webp"),
)
"""How a file of each kind begins."""
ENDINGS: Final[tuple[tuple[bytes, str], ...]] = (
    (rb"%PDF-", "pdf"),
    (rb"OggS", "ogg"),
    (rb"ID3|\xff[\xfb\xf3\xf2]", "mp3"),
    (rb"....ftyp", "mp4"),
    (rb"#!AMR", "amr"),
    (rb"BEGIN:VCARD", "vcf"),
)
"""What a download is called, so that a peer worker's machine knows what to open it with."""


class MediaUnavailable(ChannelsError):
    """Not shown. `reason` is elsewhere (the address is not our provider's), too_large, gone or away."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file as it may be given on. `shown`: it is a picture, and nothing but a picture."""

    content: bytes
    content_type: str
    name: str
    shown: bool


def is_fetchable(media: Media) -> bool:
    return bool(media.reference) and media.kind not in NOT_FILES


def look_at(content: bytes) -> Fetched:
    """What a file really is, by how it begins."""
    for start, content_type, ending in PICTURES:
        if re.match(start, content, re.DOTALL):
            return Fetched(content=content, content_type=content_type, name=f"picture.{ending}", shown=True)
    ending = next((ending for start, ending in ENDINGS if re.match(start, content, re.DOTALL)), "bin")
    return Fetched(content=content, content_type="application/octet-stream", name=f"attachment.{ending}", shown=False)


class MediaFetcher:
    """Holds one connection pool; `close` frees it. Addresses are never logged: one holds the bot's token."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._account = settings.twilio_account_sid
        self._password = settings.twilio_auth_token.get_secret_value()
        self._twilio = settings.twilio_api_url.rstrip("/") or TWILIO
        self._bot = (settings.telegram_api_url or TELEGRAM) + settings.telegram_token.get_secret_value()
        self._most = round(settings.media_megabytes * 1_000_000)
        self._client = httpx.AsyncClient(
            timeout=SECONDS / 2,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
            # What is packed small could be unpacked without end.
            headers={"Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def fetch(self, channel: Channel, media: Media) -> Fetched:
        """Raises MediaUnavailable, without a cause: the client's own errors hold the address."""
        problem = ""
        try:
            async with asyncio.timeout(SECONDS):
                if channel is Channel.TELEGRAM:
                    return look_at(await self._from_telegram(media.reference))
                return look_at(await self._from_twilio(media.reference))
        except (TimeoutError, httpx.HTTPError):
            problem = "away"
        except (httpx.InvalidURL, ValueError):
            problem = "elsewhere"
        raise MediaUnavailable(problem)

    async def _from_twilio(self, reference: str) -> bytes:
        """With our account's password to Twilio itself, without it to where Twilio keeps the files."""
        base = urlsplit(self._twilio)
        path = urlsplit(reference).path.removeprefix(base.path)
        found = MEDIA_PATH.fullmatch(path)
        if origin_of(reference) != origin_of(self._twilio) or found is None or found["account"] != self._account:
            raise MediaUnavailable("elsewhere")
        address, auth = self._twilio + path, httpx.BasicAuth(self._account, self._password)
        answer = await self._get(address, auth)
        for _ in range(MOST_HOPS):
            if isinstance(answer, bytes):
                return answer
            if origin_of(answer) not in TWILIO_STORES:
                raise MediaUnavailable("elsewhere")
            answer = await self._get(answer, None)
        if isinstance(answer, bytes):
            return answer
        raise MediaUnavailable("elsewhere")

    async def _from_telegram(self, reference: str) -> bytes:
        """The id of a file becomes a path, which is good for an hour."""
        response = await self._client.get(f"{self._bot}/getFile", params={"file_id": reference})
        described = response.json() if response.status_code == httpx.codes.OK else {}
        result = described.get("result") if isinstance(described, Mapping) else None
        path = result.get("file_path") if isinstance(result, Mapping) else None
        if not isinstance(path, str):
            raise MediaUnavailable("gone")
        if not FILE_PATH.fullmatch(path):
            raise MediaUnavailable("elsewhere")
        before, _, token = self._bot.rpartition("/bot")
        content = await self._get(f"{before}/file/bot{token}/{path}", None)
        if isinstance(content, bytes):
            return content
        raise MediaUnavailable("elsewhere")

    async def _get(self, address: str, auth: httpx.BasicAuth | None) -> bytes | str:
        """The file, or the address that we are sent on to. Reads no further than is allowed."""
        async with self._client.stream("GET", address, auth=auth) as response:
            if response.is_redirect:
                return str(response.url.join(response.headers.get("location", "")))
            if response.status_code != httpx.codes.OK:
                raise MediaUnavailable("away" if response.status_code >= 500 else "gone")
            content = bytearray()
            async for part in response.aiter_raw():
                content += part
                if len(content) > self._most:
                    raise MediaUnavailable("too_large")
        return bytes(content)


def origin_of(address: str) -> str:
    """Scheme, host and port; what stands before an @ makes it nobody's."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()
