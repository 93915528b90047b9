"""The composition root of the catalogue's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from knowledge.editing.accounts import Accounts
from knowledge.editor import answers, pages
from knowledge.editor.finder import Finder
from knowledge.editor.headers import SecurityHeaders
from knowledge.editor.sessions import Recogniser, Sessions
from knowledge.editor.sign_in import Door, leave
from knowledge.editor.site import Site, page_route
from knowledge.needs import load_needs
from knowledge.publish import open_store
from knowledge.settings import Settings

HERE = Path(__file__).resolve().parent
PAGES = (("catalogue", "Listings"), ("try", "Try a message"))
"""What the navigation shows: name of the route, and its words."""


def create_app(settings: Settings, recogniser: Callable[[Accounts, Settings], Recogniser] = Sessions) -> Starlette:
    """The pages as an ASGI application. The catalogue opens when it starts and closes when it stops.

    `recogniser` makes what says who is signed in, from the accounts in the catalogue.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        site = await run_in_threadpool(open_site, settings, recogniser)
        app.state.site = site
        yield
        site.store.close()

    return Starlette(
        routes=routes(),
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
    return Site(
        settings=settings,
        templates=open_templates(settings),
        store=store,
        accounts=accounts,
        sessions=recogniser(accounts, settings),
        labels={need.id: need.label for need in load_needs(settings.content_dir / "needs.yml")},
        finder=Finder(settings),
    )


def open_templates(settings: Settings) -> Jinja2Templates:
    """Everything is escaped; a name that is missing is an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(service_name=settings.service_name, demo=settings.demo, pages_of_site=PAGES)
    return Jinja2Templates(env=environment)


def routes() -> list[BaseRoute]:
    """Every address. Only those without `page_route` answer somebody who is not signed in."""
    return [
        page_route("/", pages.show_catalogue, name="catalogue"),
        page_route("/listings/{service_id}", pages.show_service, name="service"),
        page_route("/try", pages.try_message, name="try"),
        page_route("/sign-out", leave, name="sign_out", method="POST"),
        *Door().routes(),
        Route("/health", answers.health, name="health"),
        Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
    ]
