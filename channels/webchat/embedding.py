"""The chat as a widget on somebody else's site: who may frame it, and the script that does.

Only an answer to `?embed=1` may be framed, and only by the sites in NWD_EMBED_SITES. Everything a framed page
asks for carries `embed=1`: a framed chat has a cookie of its own and never sees the one of our own page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from channels.pages import STATIC, form_action, policy
from channels.settings import Settings

SCRIPT: Final = STATIC / "widget.js"
SCRIPT_KEPT: Final = "public, max-age=300"
"""The script is the same for everybody, and its address cannot carry a version: it stands in other people's pages."""
THEMES: Final = ("light", "dark")


def is_embedded(request: Request) -> bool:
    return request.query_params.get("embed") == "1"


def embed_context(request: Request, settings: Settings) -> dict[str, str]:
    """What templates need to keep a framed page framed. `tail` ends every address."""
    theme = request.query_params.get("theme", "")
    return {
        "tail": "?embed=1" if is_embedded(request) else "",
        "sites": " ".join(settings.embed_origins),
        "theme": theme if theme in THEMES else "",
    }


def allow_framing(request: Request, response: Response, settings: Settings) -> None:
    """Let the sites in the list frame this answer, if it is one for a frame. An empty list lets nobody."""
    if is_embedded(request) and settings.embed_origins:
        response.headers["Content-Security-Policy"] = policy(
            frame_ancestors=" ".join(settings.embed_origins), form_action=form_action(settings.exit_url)
        )


async def widget_script(_request: Request) -> Response:
    headers = {"Cache-Control": SCRIPT_KEPT, "Cross-Origin-Resource-Policy": "cross-origin"}
    return FileResponse(Path(SCRIPT), media_type="text/javascript", headers=headers)
