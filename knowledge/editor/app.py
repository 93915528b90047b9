"""The composition root of the catalogue's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from knowledge.asked import Asked
from knowledge.catalogue import Service
from knowledge.editing.accounts import Accounts
from knowledge.editing.drafts import Drafts
from knowledge.editing.forms import Form, Problem
from knowledge.editing.imports import Imports
from knowledge.editing.live import LazyEncoder, Live
from knowledge.editing.preview import Preview
from knowledge.editing.publishing import Publisher
from knowledge.editing.reports import Reports
from knowledge.editing.rules import check_form
from knowledge.editing.sign_offs import SignOffs
from knowledge.editing.times import say_clock
from knowledge.editing.uploads import LARGEST_UPLOAD
from knowledge.editing.words import load_words
from knowledge.editor import answers, edit_pages, import_pages, pages, queue_pages, review_pages
from knowledge.editor.desk_sign_in import DeskSessions
from knowledge.editor.finder import Finder
from knowledge.editor.headers import SecurityHeaders
from knowledge.editor.sessions import Recogniser, Sessions
from knowledge.editor.sign_in import Door, leave
from knowledge.editor.site import Site, page_route, upload_route
from knowledge.exchange.api import OpenReferral
from knowledge.exchange.register import Register
from knowledge.hours import clock_words, day_in_words
from knowledge.needs import load_needs
from knowledge.publish import open_store
from knowledge.settings import Settings

HERE = Path(__file__).resolve().parent
PAGES = (("catalogue", "Listings"), ("new", "New listing"), ("reports", "Problems"), ("asked", "Asked for"),
         ("imports", "Import"), ("publications", "Published"), ("try", "Try a message"))  # fmt: skip
"""What the navigation shows: name of the route, and its words."""
LARGEST_REPORT = 2_000


def create_app(settings: Settings, recogniser: Callable[[Accounts, Settings], Recogniser] | None = None) -> Starlette:
    """The pages as an ASGI application. The catalogue opens when it starts and closes when it stops.

    `recogniser` makes what says who is signed in, from the accounts in the catalogue. Without one it is the editor's
    own sign-in, and the desk's beside it where the two share a token.
    """
    recognise = recogniser or (DeskSessions if settings.staff_token.get_secret_value() else Sessions)

    open_referral = OpenReferral(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        site = await run_in_threadpool(open_site, settings, recognise)
        app.state.site = site
        await run_in_threadpool(open_referral.open, site.store)
        if await run_in_threadpool(site.publisher.waiting):
            site.live.soon()  # somebody published, and the process ended before the index was there
        yield
        await run_in_threadpool(site.imports.close)
        await run_in_threadpool(site.live.close)
        site.store.close()

    return Starlette(
        routes=[*routes(), open_referral.mount()],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={404: answers.not_found},
        lifespan=lifespan,
    )


def open_site(settings: Settings, recogniser: Callable[[Accounts, Settings], Recogniser]) -> Site:
    """Everything the pages work with. Raises KnowledgeError."""
    store, _notes = open_store(settings)
    accounts = Accounts(store.engine)
    if settings.demo:
        accounts.add_demo()
    words, finder, drafts = load_words(), Finder(settings), Drafts(store)
    labels = {need.id: need.label for need in load_needs(settings.content_dir / "needs.yml")}
    encoder = LazyEncoder(settings)

    def check(form: Form, service_id: str) -> tuple[Service, tuple[Problem, ...]]:
        owners = {owner.id: owner for owner in store.owners()}
        return check_form(form, service_id, owners, labels, words)

    publisher = Publisher(settings, store, drafts, check, encoder)
    live = Live(publisher.go_live)
    return Site(
        settings=settings,
        templates=open_templates(settings),
        store=store,
        accounts=accounts,
        sessions=recogniser(accounts, settings),
        labels=labels,
        finder=finder,
        words=words,
        drafts=drafts,
        publisher=publisher,
        check=check,
        preview=Preview(settings, finder.open, lambda: encoder),
        reports=Reports(store.engine, words.reports),
        sign_offs=SignOffs(store.engine),
        asked=Asked(store.engine),
        live=live,
        register=Register(store),
        imports=Imports(settings, store.engine, live.soon),
    )


def open_templates(settings: Settings) -> Jinja2Templates:
    """Everything is escaped; a name that is missing is an error."""
    zone = ZoneInfo(settings.timezone)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(service_name=settings.service_name, demo=settings.demo, pages_of_site=PAGES)
    environment.filters.update(clock=say_clock, moment=lambda at: say_moment(at.astimezone(zone)), day=day_in_words)
    return Jinja2Templates(env=environment)


def say_moment(at: datetime) -> str:
    """ "23 November 2026, 9:05am"."""
    return f"{day_in_words(at.date())}, {clock_words(at.hour * 60 + at.minute)}"


def routes() -> list[BaseRoute]:
    """Every address. Only those without `page_route` answer somebody who is not signed in."""
    listing = "/listings/{service_id}"
    return [
        page_route("/", pages.show_catalogue, name="catalogue", readers=True),
        page_route("/try", pages.show_try, name="try", readers=True),
        page_route("/try", pages.try_message, name="try_message", method="POST", readers=True),
        page_route("/listings/new", edit_pages.show_new, name="new"),
        page_route("/listings/new", edit_pages.begin_new, name="begin", method="POST"),
        page_route("/organisations/new", edit_pages.show_new_owner, name="new_owner"),
        page_route("/organisations/new", edit_pages.add_owner, name="add_owner", method="POST"),
        page_route(listing, pages.show_service, name="service", readers=True),
        page_route(f"{listing}/edit", edit_pages.show_form, name="edit"),
        page_route(f"{listing}/edit", edit_pages.save_form, name="save", method="POST"),
        page_route(f"{listing}/sign-off", edit_pages.sign_off, name="sign_off", method="POST"),
        page_route(f"{listing}/merge/{{version:int}}", review_pages.show_merge, name="merge"),
        page_route(f"{listing}/merge/{{version:int}}", review_pages.choose, name="choose", method="POST"),
        page_route(f"{listing}/review", review_pages.show_review, name="review"),
        page_route(f"{listing}/review", review_pages.decide, name="decide", method="POST"),
        page_route(f"{listing}/history", review_pages.show_history, name="history"),
        page_route(f"{listing}/restore", review_pages.restore, name="restore", method="POST"),
        page_route(f"{listing}/still-right", queue_pages.still_right, name="still_right", method="POST"),
        page_route(f"{listing}/report", queue_pages.report_here, name="report_here", method="POST", readers=True),
        page_route("/published", review_pages.show_publications, name="publications"),
        page_route("/published/{number:int}/roll-back", review_pages.roll_back, name="roll_back", method="POST"),
        page_route("/problems", queue_pages.show_reports, name="reports"),
        page_route("/problems/{number:int}/done", queue_pages.settle_report, name="settle_report", method="POST"),
        page_route("/import", import_pages.show_imports, name="imports"),
        upload_route(
            "/import",
            import_pages.begin_import,
            name="begin_import",
            largest=LARGEST_UPLOAD,
            too_large=import_pages.refuse_size,
        ),
        page_route("/import/{job}", import_pages.show_import, name="import"),
        page_route("/import/{job}", import_pages.confirm_import, name="confirm_import", method="POST"),
        page_route("/import/{job}/progress", import_pages.show_progress, name="import_progress"),
        page_route("/import/{job}/columns", import_pages.choose_columns, name="import_columns", method="POST"),
        page_route("/asked", queue_pages.show_asked, name="asked"),
        page_route("/sign-out", leave, name="sign_out", method="POST"),
        *Door().routes(),
        Route("/reports", answers.report, methods=["POST"], max_body_size=LARGEST_REPORT),
        Route("/health", answers.health, name="health"),
        Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
    ]
