"""What is answered without anybody being signed in: health, and that there is no such page."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from knowledge.editor.site import Site, same


def health(request: Request) -> Response:
    """200 when the catalogue can be read."""
    site: Site = request.app.state.site
    try:
        return JSONResponse({"status": "ready", "services": len(site.store.published())})
    except Exception as error:  # whatever is wrong with the database, this is the answer
        return JSONResponse({"status": "failing", "cause": type(error).__name__}, status_code=503)


def not_found(request: Request, _error: Exception) -> Response:
    site: Site = request.app.state.site
    return site.nothing_here(request)


async def report(request: Request) -> Response:
    """POST /reports: `{"service": id, "wrong": kind, "source": "person" or "peer"}` with the bearer token.

    201 when it is in the editors' queue; 400 names the field and the fix. Words of people have no place in it.
    """
    site: Site = request.app.state.site
    token = site.settings.reports_token.get_secret_value()
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not token or scheme.lower() != "bearer" or not same(given.strip(), token):
        return JSONResponse({"error": "unauthorised"}, status_code=401)
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or set(body) != {"service", "wrong", "source"}:
        return JSONResponse({"error": "body: give service, wrong and source, and nothing else"}, status_code=400)
    service, wrong, source = (str(body[name]) for name in ("service", "wrong", "source"))
    if await run_in_threadpool(site.store.listing, service) is None:
        return JSONResponse({"error": "service: there is no such listing"}, status_code=404)
    try:
        await run_in_threadpool(site.reports.add, service, wrong, source)
    except ValueError as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    return JSONResponse({"status": "reported"}, status_code=201)
