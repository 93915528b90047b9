"""What stands before every page of the desk: signed in, in a role that may be here, from a form of ours.

Handlers behind it never look at cookies, roles or tokens. Whatever goes wrong on the way to a POST, the words
that came with it are shown again: nobody loses what they wrote to a person.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote
from zoneinfo import ZoneInfo

import structlog
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from channels.agreeing import Agreeing
from channels.catalogue import Catalogue
from channels.demo import DEMO_PEERS, DEMO_TEAMS
from channels.desk.attempts import Attempts
from channels.desk.replies import SavedReplies
from channels.desk.sessions import SESSION, WARNED, Sessions, Visit, from_elsewhere, seconds_left
from channels.desk.words import Words
from channels.errors import LedgerUnavailable
from channels.escalation import Escalations
from channels.following_up import FollowUpRules
from channels.introducing import Introducing
from channels.ledger import Ledger
from channels.ledger.factors import FactorKind
from channels.media import MediaFetcher
from channels.never_no import NeverNo
from channels.pages import HEADERS, clock, open_templates, policy, version_of
from channels.roles import Permission, may
from channels.settings import EDITOR_PORT_OFFSET, Settings
from channels.shifts import Shifts
from channels.streams import Streams
from channels.wording import Wording

HERE: Final = Path(__file__).parent
SIGN_IN: Final = "/desk/sign-in"
ACCOUNT: Final = "/desk/account"
OURS: Final = frozenset({Permission.INVITE, Permission.AUDIT, Permission.RIGHTS})
"""What only whoever runs the service does, whatever role somebody of another organisation has."""
HOME_MATTERS: Final = OURS | {Permission.REPORT}
"""Of another organisation one sees the wall of one's own people, and no reports."""
MOST_VIEWINGS: Final = 10_000
BESIDE: Final = ("note", "worry", "later", "summary", "reason")


DESK_HEADERS: Final = {
    **HEADERS,
    "Content-Security-Policy": policy(),
    # With no-referrer a browser would hide from us that a form is our own.
    "Referrer-Policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the desk works with."""

    ledger: Ledger
    streams: Streams
    escalations: Escalations
    settings: Settings
    sessions: Sessions
    templates: Jinja2Templates
    words: Words
    zone: ZoneInfo
    shifts: Shifts
    agreeing: Agreeing
    introducing: Introducing
    replies: SavedReplies
    wording: Wording
    rules: NeverNo
    writing_first: FollowUpRules
    media: MediaFetcher | None = None
    catalogue: Catalogue | None = None
    attempts: Attempts = field(default_factory=Attempts)
    viewings: set[tuple[str, str, str]] = field(default_factory=set)
    """Session, conversation and state that have been recorded as viewed."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def page(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        return self.templates.TemplateResponse(request, name, {"words": self.words, **values}, status_code=status)

    def page_for(self, visit: Visit, name: str, status: int = 200, **values: Any) -> Response:
        """A page of somebody who is signed in: their name at the top, their token in its forms."""
        people = DEMO_PEERS if self.sessions.is_demo(visit.request) else ()
        allowed = {each.value for each in Permission if permits(visit, each)}
        demo_editor = f"http://{visit.request.url.hostname}:{self.settings.port + EDITOR_PORT_OFFSET}/"
        catalogue = self.settings.catalogue_pages_url or (demo_editor if self.settings.demo else "")
        known = {"me": visit.peer, "form_token": visit.form_token, "demo_people": people, "allowed": allowed}
        known["demo_partners"] = frozenset(DEMO_TEAMS)
        known["catalogue_address"] = catalogue
        known["home"] = visit.home
        known["session"] = {
            "ending": visit.ends[0] - self.now() <= WARNED,
            "ends_at": clock(visit.ends[0].astimezone(self.zone)),
            "warned": round(WARNED.total_seconds()),
        }
        return self.page(visit.request, name, status, **known, **values)

    async def no_team(self, visit: Visit) -> str:
        """What to do for somebody who is in no team where there are teams, in words; empty for everybody else."""
        sight = await self.escalations.sight(visit.peer)
        if sight.home or sight.teams:
            return ""
        home = next(team.id for team in self.escalations.teams.all if team.home)
        return self.words.say("refused", "no_team", login=visit.peer.login, team=home)

    def refuse(self, request: Request, status: int, key: str, **values: object) -> Response:
        """Say why nothing was done, and give back the words that came with it."""
        said = self.words.say("refused", key, **values)
        return self.page(request, "refused.html", status, said=said, unsent=lost_words(request))


Handler: TypeAlias = Callable[[Site, Visit], Awaitable[Response]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def open_site(
    *,
    ledger: Ledger,
    streams: Streams,
    escalations: Escalations,
    settings: Settings,
    media: MediaFetcher | None = None,
    catalogue: Catalogue | None = None,
) -> Site:
    templates = open_templates(settings, HERE / "templates")
    templates.env.globals["desk_version"] = version_of(HERE / "static")
    templates.env.globals["presence_every"] = max(5, round(settings.lease_seconds / 3))
    zone = ZoneInfo(settings.timezone)
    wording = Wording.load(settings.country, settings.service_name)
    templates.env.filters["day"] = lambda moment: moment_of_record(moment, zone)
    templates.env.filters["told_at"] = lambda written: told_at(written, zone)
    templates.env.filters["short_day"] = short_day
    templates.env.filters["start"] = lambda words: words[:1].upper() + words[1:]
    return Site(
        ledger=ledger,
        streams=streams,
        escalations=escalations,
        settings=settings,
        sessions=Sessions(ledger, settings),
        templates=templates,
        words=Words.load(),
        zone=zone,
        shifts=Shifts(ledger=ledger, streams=streams, escalations=escalations),
        agreeing=Agreeing(ledger=ledger, streams=streams, wording=wording, teams=escalations.teams),
        introducing=Introducing(ledger, streams, escalations, settings),
        rules=NeverNo.load(),
        writing_first=FollowUpRules.load(),
        replies=SavedReplies.load(languages=wording.crisis.languages[1:]),
        wording=wording,
        media=media,
        catalogue=catalogue,
    )


def told_at(written: str, zone: ZoneInfo) -> str:
    """A moment of a copy, which is written for programs, as people say it: 23 Nov 2026, 9:31pm."""
    return moment_of_record(datetime.fromisoformat(written), zone)


def moment_of_record(moment: datetime, zone: ZoneInfo) -> str:
    """23 Nov 2026, 9:31pm: by the clock of every other page."""
    at = moment.astimezone(zone)
    return f"{at.day} {at:%b %Y}, {clock(at)}"


def short_day(written: str) -> str:
    """A day of a report, which is written for programs, as people say it: Mon 23 Nov."""
    day = date.fromisoformat(written)
    return f"{day:%a} {day.day} {day:%b}"


def admit(site: Site, handler: Handler, *, active: bool, permission: Permission | None = Permission.ANSWER) -> Endpoint:
    """The handler's endpoint, which nobody reaches without a session, `permission` and, for a POST, a form of ours.

    Without a permission it is for everybody who works here, and for who has still to add a second factor.
    """

    async def endpoint(request: Request) -> Response:
        return await answer(site, request, lambda: _let_in(site, handler, request, active, permission))

    return endpoint


async def answer(site: Site, request: Request, act: Callable[[], Awaitable[Response]]) -> Response:
    """Every answer of the desk passes here: read the form once, survive the ledger being away, close the headers."""
    try:
        if request.method == "POST":
            request.state.form = await request.form(max_files=0, max_fields=20)
        response = await act()
    except LedgerUnavailable:
        structlog.get_logger().warning("desk_without_ledger")
        response = site.refuse(request, 503, "unavailable")
    for name, value in DESK_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _let_in(
    site: Site, handler: Handler, request: Request, active: bool, permission: Permission | None
) -> Response:
    if request.method == "POST" and from_elsewhere(request, site.settings):
        return site.refuse(request, 403, "stale_form")
    visit = await _recognise(site, request, active=active)
    if visit is None:
        return sign_in_first(site, request, active=active)
    visit = await _place(site, visit)
    if permission is not None and not permits(visit, permission):
        return await _not_theirs(site, visit, permission)
    if permission is not None and await _lacks_second(site, visit):
        return RedirectResponse(ACCOUNT, 303) if active else Response(status_code=401)
    if request.method == "POST" and not same(posted(request, "form_token"), visit.form_token):
        return site.refuse(request, 403, "stale_form")
    response = await handler(site, visit)
    if visit.is_new:
        site.sessions.give(response, visit)
    over, idle = seconds_left(visit, site.now())
    response.headers[SESSION] = f"{over},{idle}"
    return response


async def _place(site: Site, visit: Visit) -> Visit:
    """The visit, knowing whether they are of whoever runs the service."""
    if not any(may(visit.peer.role, each) for each in HOME_MATTERS):
        return visit
    return replace(visit, home=(await site.escalations.sight(visit.peer)).home)


def permits(visit: Visit, permission: Permission) -> bool:
    """What the pages let somebody do, and so what they have a link to."""
    return (visit.home or permission not in OURS) and may(visit.peer.role, permission)


async def _not_theirs(site: Site, visit: Visit, permission: Permission) -> Response:
    """Somebody whose role would do, and who is in no team, is told what to do."""
    if may(visit.peer.role, permission) and (fix := await site.no_team(visit)):
        return site.page_for(visit, "refused.html", 403, said=fix, unsent=lost_words(visit.request))
    said = site.words.say("refused", "role" if permission is Permission.ANSWER else "permission")
    return site.page_for(visit, "refused.html", 403, said=said, unsent=lost_words(visit.request))


async def _recognise(site: Site, request: Request, *, active: bool) -> Visit | None:
    """Whose session it is. In the demo the front page signs somebody in by itself: Sam, or who `?as=` names."""
    visit = await site.sessions.visit(request, active=active)
    if request.url.path != "/desk":
        return visit
    wanted = request.query_params.get("as", "" if visit else "sam")
    if not wanted or (visit and visit.peer.login == wanted):
        return visit
    return await site.sessions.demo_visit(request, wanted) or visit


async def _lacks_second(site: Site, visit: Visit) -> bool:
    """Whether they have still to add what the deployment asks for. The demo's made-up people never have."""
    if site.settings.second_factor != "required" or site.sessions.is_demo(visit.request):
        return False
    kinds = {each.kind for each in await site.ledger.factors.of(visit.peer.id)}
    return not kinds & {FactorKind.TOTP, FactorKind.PASSKEY}


def same(said: str, expected: str) -> bool:
    """Compared without telling by the time it takes how much of it was right."""
    return hmac.compare_digest(said.encode(), expected.encode())


def sign_in_first(site: Site, request: Request, *, active: bool) -> Response:
    """To the sign-in page and back here; a script is only told that it must."""
    if not active:
        return Response(status_code=401)
    if request.method == "GET":
        return RedirectResponse(f"{SIGN_IN}?to={quote(request.url.path)}", 303)
    said = site.words.say("said", "sign_in_again")
    return site.page(request, "refused.html", 401, said=said, unsent=lost_words(request))


def posted(request: Request, name: str) -> str:
    """A field of the form, empty when it is missing or a file."""
    form: FormData = request.state.form
    value = form.get(name, "")
    # What no encoding can carry becomes a '?'.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def unsent_words(request: Request) -> str:
    return posted(request, "text") if request.method == "POST" else ""


def words_beside(request: Request) -> dict[str, str]:
    """What was written in the other boxes of a page, by name: never to be shown in the one that sends."""
    return {name: posted(request, name) if request.method == "POST" else "" for name in BESIDE}


def lost_words(request: Request) -> str:
    """Whatever came with a form, where there is no page to put it back into."""
    return "\n".join(part for part in (unsent_words(request), *words_beside(request).values()) if part)


def missing(site: Site, visit: Visit) -> Response:
    """The same answer for what is not there and what is not theirs to see."""
    return site.page_for(visit, "missing.html", 404, unsent=lost_words(visit.request))
