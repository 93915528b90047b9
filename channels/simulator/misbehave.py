"""What a provider can do to us on a bad day. Tests set it, and so does the simulator's page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

HANG_SECONDS: Final = 60.0
DELAY_SECONDS: Final = 3.0
HELD_SECONDS: Final = 2.0
"""How long a webhook call waits for another one to overtake it."""

LABELS: Final[Mapping[str, str]] = {
    "duplicate": "Send every message twice",
    "reorder": "Let a later message overtake an earlier one",
    "delay": "Wait 3 seconds before every call, both ways",
    "drop_callbacks": "Lose every delivery report",
}
"""Kinds of trouble with what comes from the provider; any of them at once."""
SENDS: Final[Mapping[str, str]] = {
    "": "Take our sends as usual",
    "429": "Answer our sends with 429 (slow down)",
    "500": "Answer our sends with 500 (their fault)",
    "hang": "Never answer our sends",
    "reset": "Take our sends, then break the connection",
}
"""What becomes of our calls; one of them at a time."""


@dataclass(kw_only=True)
class Misbehave:
    """`duplicate`: each webhook call is made this many times more. `delay`: seconds before each call, either way.

    `reorder`: a webhook call is held back until the next one has overtaken it. `drop_callbacks`: nobody tells us what
    became of a text. `status`: our API calls are answered with it (429, 500), `times` of them or, at -1, all. `hang`:
    they get no answer. `reset`: the message is taken and then the connection breaks, so that we cannot know.
    """

    duplicate: int = 0
    reorder: bool = False
    delay: float = 0.0
    drop_callbacks: bool = False
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

    def behave(self) -> None:
        for one in fields(self):
            setattr(self, one.name, one.default)

    def set_from(self, form: Mapping[str, Any]) -> None:
        """Exactly what the form says; what it does not know is passed over."""
        self.behave()
        self.duplicate, self.reorder = int("duplicate" in form), "reorder" in form
        self.delay = DELAY_SECONDS if "delay" in form else 0.0
        self.drop_callbacks = "drop_callbacks" in form
        sends = str(form.get("sends", ""))
        self.status = int(sends) if sends in {"429", "500"} else 0
        self.hang, self.reset = sends == "hang", sends == "reset"
        self.times = 1 if form.get("times") == "once" else -1

    @property
    def sends(self) -> str:
        """Which of SENDS is on."""
        if self.times == 0:
            return ""
        return str(self.status) if self.status else "hang" if self.hang else "reset" if self.reset else ""

    @property
    def now(self) -> list[str]:
        """What is on, in the words of the form."""
        on = [label for name, label in LABELS.items() if getattr(self, name)]
        often = ", the next one only" if self.times > 0 else ""
        return on + ([SENDS[self.sends] + often] if self.sends else [])


class Overtaking:
    """Lets each second call pass the one before it, while told to."""

    def __init__(self, misbehave: Misbehave) -> None:
        self._misbehave = misbehave
        self._held: asyncio.Event | None = None

    async def hold(self) -> None:
        """Waits if there is nobody to overtake. Call `passed` once the call that did not wait is through."""
        if self._misbehave.reorder and self._held is None:
            self._held = asyncio.Event()
            held = self._held
            try:
                async with asyncio.timeout(HELD_SECONDS):
                    await held.wait()
            except TimeoutError:
                pass
            finally:
                self._held = None if self._held is held else self._held

    def passed(self) -> None:
        if self._held is not None:
            self._held.set()


class BrokenOff(Response):
    """Promises an answer and ends the connection instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
