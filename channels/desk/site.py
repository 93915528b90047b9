"""The desk's parts put together, and its addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from channels.catalogue import Catalogue
from channels.desk import (
    audit_page,
    colleagues,
    conversations,
    events,
    my_account,
    organisation_door,
    queue,
    reply_pages,
    reporting,
    rights,
    second_step,
    shifts,
    showing,
    sign_in,
    staff_session,
    talk_site,
    wall,
)
from channels.desk.guard import Endpoint, Handler, Site, admit, open_site
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.media import MediaFetcher
from channels.organisation import Organisation
from channels.roles import Permission
from channels.settings import Settings
from channels.streams import Streams

STATIC: Final = Path(__file__).parent / "static"
LARGEST_FORM: Final = 64_000
SMALL: Final[dict[str, Any]] = {"max_body_size": LARGEST_FORM}

PAGES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/desk", queue.show),
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
    ("GET", "/desk/closed-doors.csv", wall.export_doors),
    ("GET", "/desk/helped.csv", wall.export_helped),
    ("POST", "/desk/shift", shifts.change),
    ("POST", "/desk/shift/options", shifts.set_options),
    ("POST", "/desk/shift/hand-back", shifts.hand_back_rest),
    ("POST", "/desk/conversations/{conversation}/report", reporting.report),
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

ACCOUNT: Final[tuple[tuple[str, str, Handler, Permission | None], ...]] = (
    ("POST", "/desk/sign-out", sign_in.leave, None),
    ("GET", "/desk/account", my_account.show, None),
    ("POST", "/desk/stay", my_account.stay, None),
    ("POST", "/desk/account/keys", my_account.use_keys, Permission.ANSWER),
    ("POST", "/desk/account/password", my_account.change_password, None),
    ("POST", "/desk/account/app", my_account.start_app, None),
    ("POST", "/desk/account/app/confirm", my_account.confirm_app, None),
    ("POST", "/desk/account/recovery", my_account.make_recovery_codes, None),
    ("POST", "/desk/account/passkeys/options", my_account.ask_for_passkey, None),
    ("POST", "/desk/account/passkeys", my_account.add_passkey, None),
    ("POST", "/desk/account/factors/remove", my_account.remove_factor, None),
    ("POST", "/desk/account/sign-out-elsewhere", my_account.sign_out_elsewhere, None),
    ("GET", "/desk/colleagues", colleagues.show, Permission.INVITE),
    ("POST", "/desk/colleagues/invite", colleagues.invite, Permission.INVITE),
    ("POST", "/desk/colleagues/withdraw", colleagues.withdraw, Permission.INVITE),
    ("POST", "/desk/colleagues/change", colleagues.change, Permission.INVITE),
    ("GET", "/desk/audit", audit_page.show, Permission.AUDIT),
    ("GET", reply_pages.HERE, reply_pages.show_list, Permission.REPLIES),
    ("GET", "/desk/replies/{reply}", reply_pages.show_one, Permission.REPLIES),
    ("POST", "/desk/replies/{reply}/{language}", reply_pages.keep, Permission.REPLIES),
    ("GET", rights.HERE, rights.show_search, Permission.RIGHTS),
    ("POST", rights.HERE, rights.find, Permission.RIGHTS),
    ("GET", "/desk/rights/{person}", rights.show, Permission.RIGHTS),
    ("POST", "/desk/rights/{person}/export", rights.export, Permission.RIGHTS),
    ("POST", "/desk/rights/{person}/hold", rights.hold, Permission.RIGHTS),
    ("POST", "/desk/rights/{person}/erase", rights.erase, Permission.RIGHTS),
)
"""Accounts, with who may: None is everybody who works here."""

OPEN_TO_ALL: Final = frozenset(
    {
        "/desk/sign-in",
        "/desk/static",
        "/desk/sign-in/second",
        "/desk/sign-in/passkey/options",
        "/desk/sign-in/passkey",
        "/desk/sign-in/organisation",
        "/desk/sign-in/organisation/back",
        "/desk/join",
        "/desk/staff-session",
    }
)
"""The only addresses that answer somebody who is not signed in."""


def routes(
    *,
    ledger: Ledger,
    streams: Streams,
    escalations: Escalations,
    settings: Settings,
    media: MediaFetcher | None = None,
    catalogue: Catalogue | None = None,
    organisation: Organisation | None = None,
) -> list[BaseRoute]:
    """Everything under /desk. Without `media` or `catalogue` nothing people sent is shown, and nothing found.

    `organisation` is a sign-in elsewhere that staff may use.
    """
    site = open_site(
        ledger=ledger, streams=streams, escalations=escalations, settings=settings, media=media, catalogue=catalogue
    )
    door = sign_in.Door(site)
    second, joining, shared = second_step.SecondDoor(site), colleagues.Joining(site), staff_session.StaffSession(site)
    return [
        Mount("/desk/static", StaticFiles(directory=STATIC)),
        *_open("/desk/sign-in", door.show, door.enter),
        *_open("/desk/sign-in/second", second.show, second.enter),
        *_open("/desk/sign-in/passkey/options", None, second.ask_passkey),
        *_open("/desk/sign-in/passkey", None, second.enter_by_passkey),
        *organisation_door.routes(site, organisation),
        *_open("/desk/join", joining.show, joining.enter),
        *_open(staff_session.PATH, None, shared.show),
        *(
            Route(path, admit(site, handler, active=True, permission=permission), methods=[method], **SMALL)
            for method, path, handler, permission in ACCOUNT
        ),
        *(_route(site, row, active=True) for row in (*PAGES, *talk_site.PAGES)),
        *(_route(site, row, active=False) for row in (*PARTS, *talk_site.PARTS)),
    ]


def _open(path: str, show: Endpoint | None, enter: Endpoint) -> list[Route]:
    """A page for somebody who is not signed in yet."""
    shown = [Route(path, show, methods=["GET"])] if show else []
    return [*shown, Route(path, enter, methods=["POST"], **SMALL)]


def _route(site: Site, row: tuple[str, str, Handler], *, active: bool) -> Route:
    method, path, handler = row
    return Route(path, admit(site, handler, active=active), methods=[method], max_body_size=LARGEST_FORM)
