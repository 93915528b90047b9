"""What is answered without anybody being signed in: health, and that there is no such page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from knowledge.editor.site import Site


def health(request: Request) -> Response:
    """200 when the catalogue can be read."""
    site: Site = request.app.state.site
    try:
        return JSONResponse({"status": "ready", "services": len(site.store.published())})
    except Exception as error:  # whatever is wrong with the database, this is the answer
        return JSONResponse({"status": "failing", "cause": type(error).__name__}, status_code=503)


def not_found(request: Request, _error: Exception) -> Response:
    site: Site = request.app.state.site
    return site.plain(request, "message.html", 404, message="There is no such page.")
