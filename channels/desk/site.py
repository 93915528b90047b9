"""The desk's parts put together, and its addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from channels.desk import conversations, events, queue, shifts, showing, sign_in, wall
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
    ("POST", "/desk/conversations/{conversation}/ask-to-share", shifts.ask_to_share),
    ("POST", "/desk/conversations/{conversation}/transfer", shifts.transfer),
    ("POST", "/desk/take-next", shifts.take_next),
    ("GET", "/desk/wall", wall.show_wall),
    ("GET", "/desk/reports", wall.show_reports),
    ("GET", "/desk/reports.csv", wall.export),
    ("POST", "/desk/shift", shifts.change),
    ("POST", "/desk/shift/options", shifts.set_options),
    ("POST", "/desk/shift/hand-back", shifts.hand_back_rest),
)
"""What somebody does: a use of their session."""

PARTS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/desk/queue", queue.show_part),
    ("GET", "/desk/events", events.listen),
    ("GET", "/desk/wall/now", wall.show_wall_part),
    ("POST", "/desk/presence", shifts.show_sign_of_life),
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
) -> list[BaseRoute]:
    """Everything under /desk. Without `media` nothing that people sent can be looked at."""
    site = open_site(ledger=ledger, streams=streams, escalations=escalations, settings=settings, media=media)
    door = sign_in.Door(site)
    return [
        Mount("/desk/static", StaticFiles(directory=STATIC)),
        Route("/desk/sign-in", door.show, methods=["GET"]),
        Route("/desk/sign-in", door.enter, methods=["POST"], max_body_size=LARGEST_FORM),
        *(_route(site, row, active=True) for row in PAGES),
        *(_route(site, row, active=False) for row in PARTS),
    ]


def _route(site: Site, row: tuple[str, str, Handler], *, active: bool) -> Route:
    method, path, handler = row
    return Route(path, admit(site, handler, active=active), methods=[method], max_body_size=LARGEST_FORM)
