"""The front page: in demo mode a way in to everything, otherwise the way to the chat."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates

from channels.demo import DEMO_PASSWORD, DEMO_PEERS, DEMO_TEAMS
from channels.pages import open_templates
from channels.settings import EDITOR_PORT_OFFSET, Settings
from channels.wording import Wording


@dataclass(kw_only=True)
class Landing:
    settings: Settings
    wording: Wording
    templates: Jinja2Templates = field(init=False)

    def __post_init__(self) -> None:
        self.templates = open_templates(self.settings)

    def routes(self) -> list[BaseRoute]:
        return [Route("/", self.show)]

    async def show(self, request: Request) -> Response:
        context = {
            "catalogue": f"http://{request.url.hostname}:{self.settings.port + EDITOR_PORT_OFFSET}/",
            "peers": [one for one in DEMO_PEERS if one[1] not in DEMO_TEAMS],
            "password": DEMO_PASSWORD,
            **self._lines(),
        }
        name = "landing_demo.html" if self.settings.demo else "landing.html"
        return self.templates.TemplateResponse(request, name, context)

    async def missing(self, request: Request, _error: Exception) -> Response:
        """No page here. A browser gets a way on; anything else gets a line."""
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse("Not found", status_code=404)
        return self.templates.TemplateResponse(request, "missing.html", self._lines(), status_code=404)

    async def broken(self, request: Request) -> Response:
        """Something failed that nobody foresaw. Whoever needed us gets somebody else to turn to."""
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse("Trouble on our side", status_code=500)
        return self.templates.TemplateResponse(request, "broken.html", self._lines(), status_code=500)

    def _lines(self) -> dict[str, str]:
        return {"emergency": self.wording.crisis.emergency, "lines": self.wording.lines(limit=2)}
