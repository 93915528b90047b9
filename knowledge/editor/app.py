"""The composition root of the catalogue pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from knowledge.editor.headers import SecurityHeaders
from knowledge.editor.pages import Pages
from knowledge.exchange.api import OpenReferral
from knowledge.publish import open_store
from knowledge.settings import Settings

HERE = Path(__file__).resolve().parent


def create_app(settings: Settings) -> Starlette:
    """The pages as an ASGI application. The catalogue opens when it starts and closes when it stops."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals.update(service_name=settings.service_name, demo=settings.demo)
    pages = Pages(settings, Jinja2Templates(env=environment))
    open_referral = OpenReferral(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        store, _notes = await run_in_threadpool(open_store, settings)
        pages.store = store
        await run_in_threadpool(open_referral.open, store)
        yield
        store.close()

    return Starlette(
        routes=[
            Route("/", pages.show_catalogue, name="catalogue"),
            Route("/services/{service_id}", pages.show_service, name="service"),
            Route("/try", pages.try_message, name="try"),
            Route("/health", pages.health, name="health"),
            open_referral.mount(),
            Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={404: pages.not_found},
        lifespan=lifespan,
    )
