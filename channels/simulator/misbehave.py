"""What a provider can do to us on a bad day. Tests set it; the pages never do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

HANG_SECONDS: Final = 60.0


@dataclass(kw_only=True)
class Misbehave:
    """`duplicate`: each webhook call is made this many times more. `delay`: seconds before each call, either way.

    `status`: our API calls are answered with it (429, 500), `times` of them or, at -1, all. `hang`: they get no
    answer. `reset`: the message is taken and then the connection breaks, so that we cannot know.
    """

    duplicate: int = 0
    delay: float = 0.0
    status: int = 0
    hang: bool = False
    reset: bool = False
    times: int = -1

    def takes_now(self) -> bool:
        """Whether the next API call is a bad one; counts it."""
        if not (self.status or self.hang or self.reset) or self.times == 0:
            return False
        if self.times > 0:
            self.times -= 1
        return True

    async def wait(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)


class BrokenOff(Response):
    """Promises an answer and ends the connection instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
