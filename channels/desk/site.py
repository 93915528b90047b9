"""The desk's parts put together, and its addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from channels.catalogue import Catalogue
from channels.desk import conversations, events, queue, showing, sign_in, talk_site
from channels.desk.guard import Handler, Site, admit, open_site
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.media import MediaFetcher
from channels.settings import Settings
from channels.streams import Streams

STATIC: Final = Path(__file__).parent / "static"
LARGEST_FORM: Final = 64_000

PAGES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/desk", queue.show),
    ("POST", "/desk/sign-out", sign_in.leave),
    ("GET", "/desk/conversations/{conversation}", conversations.show),
    ("GET", "/desk/conversations/{conversation}/media/{message}/{number}", showing.show_media),
    ("POST", "/desk/conversations/{conversation}/take", conversations.take),
    ("POST", "/desk/conversations/{conversation}/reply", conversations.reply),
    ("POST", "/desk/conversations/{conversation}/hand-back", conversations.hand_back),
    ("POST", "/desk/conversations/{conversation}/pass-on", conversations.pass_on),
    ("POST", "/desk/conversations/{conversation}/close", conversations.close),
    ("POST", "/desk/conversations/{conversation}/offer-code", conversations.offer_code),
)
"""What somebody does: a use of their session."""

PARTS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/desk/queue", queue.show_part),
    ("GET", "/desk/events", events.listen),
    ("GET", "/desk/conversations/{conversation}/log", conversations.show_part),
    ("GET", "/desk/conversations/{conversation}/keep", conversations.keep),
    ("POST", "/desk/conversations/{conversation}/renew", conversations.renew),
    ("POST", "/desk/conversations/{conversation}/typing", conversations.show_typing),
)
"""What an open page asks for by itself."""

OPEN_TO_ALL: Final = frozenset({"/desk/sign-in", "/desk/static"})
"""The only addresses that answer somebody who is not signed in."""


def routes(
    *,
    ledger: Ledger,
    streams: Streams,
    escalations: Escalations,
    settings: Settings,
    media: MediaFetcher | None = None,
    catalogue: Catalogue | None = None,
) -> list[BaseRoute]:
    """Everything under /desk. Without `media` or `catalogue` nothing people sent is shown, and nothing found."""
    site = open_site(
        ledger=ledger, streams=streams, escalations=escalations, settings=settings, media=media, catalogue=catalogue
    )
    door = sign_in.Door(site)
    return [
        Mount("/desk/static", StaticFiles(directory=STATIC)),
        Route("/desk/sign-in", door.show, methods=["GET"]),
        Route("/desk/sign-in", door.enter, methods=["POST"], max_body_size=LARGEST_FORM),
        *(_route(site, row, active=True) for row in (*PAGES, *talk_site.PAGES)),
        *(_route(site, row, active=False) for row in (*PARTS, *talk_site.PARTS)),
    ]


def _route(site: Site, row: tuple[str, str, Handler], *, active: bool) -> Route:
    method, path, handler = row
    return Route(path, admit(site, handler, active=active), methods=[method], max_body_size=LARGEST_FORM)
