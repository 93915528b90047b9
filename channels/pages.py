"""What every page shares: templates, the look, words turned into links, and headers that keep strangers out.

Nothing is loaded from anywhere else, no script or style stands inside a page, and no page is kept by a cache.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channels.settings import EXIT_TO, WEB_PAGE, Settings

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"

LINKS: Final = re.compile(
    r"(?P<web>https?://[^\s<>\"']+[^\s<>\"'.,;:!?)])"
    r"|(?P<phone>(?<![\d+/.-])(?:116 \d{3}|(?:\+44 ?\d|0\d)[\d ]{6,12}\d)(?![\d/-]))"
    r"|(?P<short>(?<![\d/.,:£-])(?:999|112|111|101)(?![\d/.,:%-]*\d|%))"
)
"""Addresses and British phone numbers as they stand in our own messages: 01632 960112, 116 123, 999."""

PERMITTED: Final = {
    "default-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}


def policy(**changes: str) -> str:
    """The Content-Security-Policy, with some of it changed: `policy(frame_ancestors="'self'")`."""
    permitted = {**PERMITTED, **{name.replace("_", "-"): to for name, to in changes.items()}}
    return "; ".join(f"{name} {value}" for name, value in permitted.items())


def form_action(exit_to: str) -> str:
    """A form that is answered with a redirect may go where "Leave this page" goes, and the BBC's page has two homes."""
    found = WEB_PAGE.fullmatch(exit_to)
    homes = ["https://www.bbc.co.uk", "https://www.bbc.com"] if exit_to == EXIT_TO else [found[1]] if found else []
    return " ".join(["'self'", *homes])


HEADERS: Final = {
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Adds HEADERS to every answer that does not set them itself.

    X-Frame-Options knows no list of sites: it is left out where an answer says by its own policy who may frame it.
    """

    def __init__(self, app: ASGIApp, exit_to: str = EXIT_TO) -> None:
        self.app = app
        self.headers = {**HEADERS, "Content-Security-Policy": policy(form_action=form_action(exit_to))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own_policy = "content-security-policy" in headers
                for name, value in self.headers.items():
                    if not (own_policy and name == "X-Frame-Options"):
                        headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def open_templates(settings: Settings, folder: Path = HERE / "templates") -> Jinja2Templates:
    """Templates of one part, with the shared ones behind them. Everything is escaped; a missing name is an error."""
    zone = ZoneInfo(settings.timezone)
    environment = Environment(
        loader=FileSystemLoader([folder, HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        service_name=settings.service_name,
        demo=settings.demo,
        static_version=version_of(STATIC),
        exit_to=settings.exit_url,
        new_id=lambda: secrets.token_hex(16),
    )
    environment.filters.update(
        with_links=with_links, tel=tel, web_address=web_address, clock=lambda at: clock(at.astimezone(zone))
    )
    return Jinja2Templates(env=environment)


def static_routes() -> list[BaseRoute]:
    return [Mount("/static", StaticFiles(directory=STATIC))]


def cross_site(request: Request, base_url: str = "") -> bool:
    """True when a browser says that another site's page, or a neighbour's, sent this. Old ones name its origin only."""
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        return said not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None:
        return False
    place = urlsplit(origin).netloc
    return not place or place not in {request.headers.get("host"), urlsplit(base_url).netloc}


def place_of(request: Request) -> str:
    """The address that a try comes from. Behind a proxy of ours, the one that the proxy has added last."""
    direct = request.client.host if request.client else ""
    try:
        is_ours = ipaddress.ip_address(direct).is_private
    except ValueError:
        is_ours = False
    added = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return added if is_ours and added else direct


def clock(at: datetime) -> str:
    """12-hour clock, as people say it: 9am, 2:05pm."""
    minutes = f":{at.minute:02}" if at.minute else ""
    return f"{at.hour % 12 or 12}{minutes}{'am' if at.hour < 12 else 'pm'}"


def tel(number: str) -> str:
    """A number as a tel: link needs it: "01632 960112" is "tel:01632960112"."""
    return "tel:" + re.sub(r"[^\d+]", "", number)


def web_address(address: str) -> str:
    """The address if it is one of the web, else nothing: a listing must not be able to run a script."""
    return address if address.lower().startswith(("https://", "http://")) else ""


def with_links(text: str) -> Markup:
    """Escape a text, and make its phone numbers and web addresses into links."""
    return Markup("").join(_linked(text))


def _linked(text: str) -> Iterator[Markup]:
    end = 0
    for found in LINKS.finditer(text):
        yield escape(text[end : found.start()])
        words = found.group()
        pattern = '<a href="{}" rel="nofollow noreferrer">{}</a>' if found["web"] else '<a href="{}">{}</a>'
        yield Markup(pattern).format(words if found["web"] else tel(words), words)  # noqa: S704 - format escapes
        end = found.end()
    yield escape(text[end:])


def version_of(folder: Path) -> str:
    """Changes with the files, so that a browser never pairs a new page with an old script."""
    digest = sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
