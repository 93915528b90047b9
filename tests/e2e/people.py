"""The people of the end-to-end tests: somebody with a phone, somebody on Telegram, a web visitor, a peer worker.

They do over HTTP what a person does on the pages, and read what the pages show.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests import patience


def wait_for(look: Callable[[], str | None], what: str, seconds: float = patience.SECONDS) -> str:
    """Poll until `look` gives something."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing came: {what}")


def plain_words(fragment: str) -> str:
    """What a person reads of a piece of HTML."""
    without_tags = re.sub(r"<[^>]+>", " ", fragment)
    return re.sub(r"\s+", " ", html.unescape(without_tags)).strip()


def messages_of(page: str, side: str) -> list[str]:
    """The messages whose class says that they are (or, with "not ", are not) from this side, oldest first."""
    starts = [match.start() for match in re.finditer(r"<li\b[^>]*data-seq=", page)]
    items = [page[start:end] for start, end in zip(starts, [*starts[1:], len(page)], strict=False)]
    wanted = not side.startswith("not ")
    return [item for item in items if (f'class="{side.removeprefix("not ")}' in item.split(">", 1)[0]) is wanted]


@dataclass
class SimulatedPhone:
    """A phone (`kind` phone) or a Telegram account (`kind` telegram) of the simulator."""

    url: str
    number: int
    kind: str = "phone"
    seen: int = 0
    client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=30))

    @property
    def page(self) -> str:
        return f"{self.url}/simulator/{self.kind}/{self.number}"

    def write(self, text: str) -> None:
        answer = self.client.post(f"{self.page}/messages", data={"text": text})
        assert answer.status_code in (200, 204, 303), answer.status_code

    def bubbles(self) -> list[str]:
        """What the other side has written, oldest first."""
        return messages_of(self.client.get(f"{self.page}/log").text, "them")

    def new_bubbles(self) -> list[str]:
        found = self.bubbles()
        fresh, self.seen = found[self.seen :], len(found)
        return fresh

    def wait_for(self, words: str) -> str:
        """Until a new bubble holds these words; gives all that is new up to then, as text."""
        got: list[str] = []

        def look() -> str | None:
            got.extend(plain_words(bubble) for bubble in self.new_bubbles())
            whole = "\n".join(got)
            return whole if words.lower() in whole.lower() else None

        try:
            return wait_for(look, words)
        except AssertionError:
            raise AssertionError(f"{self.page}: waited for {words!r}, got {got}") from None

    def buttons(self) -> list[tuple[str, str, str]]:
        """(message, data, title) of every button now on the screen."""
        page = self.client.get(f"{self.page}/log").text
        found = []
        for form in re.findall(r'<form class="choices".*?</form>', page, re.S):
            message = re.search(r'name="message" value="(\d+)"', form)
            for data, title in re.findall(r'<button name="data" value="([^"]*)">(.*?)</button>', form, re.S):
                found.append((message[1] if message else "", html.unescape(data), plain_words(title)))
        return found

    def press(self, title: str) -> None:
        message, data, _ = next(button for button in self.buttons() if title.lower() in button[2].lower())
        self.client.post(f"{self.page}/press", data={"message": message, "data": data})


@dataclass
class WebVisitor:
    """Somebody in the web chat without JavaScript: forms and a page."""

    url: str
    seen: int = 0
    sent: int = 0
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(trust_env=False, timeout=30, follow_redirects=True)
    )

    def page(self) -> str:
        return self.client.get(f"{self.url}/chat").text

    def write(self, text: str) -> None:
        if not self.sent:
            self.page()
        self.sent += 1
        self.client.post(
            f"{self.url}/chat/messages", data={"text": text, "client_message_id": f"{id(self):032x}{self.sent}"}
        )

    def press(self, title: str) -> None:
        self.sent += 1
        buttons = re.findall(r'<button name="payload" value="([^"]*)">(.*?)</button>', self.page(), re.S)
        payload = [data for data, words in buttons if title.lower() in plain_words(words).lower()][-1]
        self.client.post(
            f"{self.url}/chat/messages",
            data={"payload": html.unescape(payload), "client_message_id": f"{id(self):032x}{self.sent}"},
        )

    def bubbles(self) -> list[str]:
        return [plain_words(item) for item in messages_of(self.page(), "not you")]

    def wait_for(self, words: str) -> str:
        def look() -> str | None:
            fresh = "\n".join(self.bubbles()[self.seen :])
            return fresh if words.lower() in fresh.lower() else None

        found = wait_for(look, words)
        self.seen = len(self.bubbles())
        return found


@dataclass
class PeerWorker:
    """Somebody at the desk, signed in by the demo."""

    url: str
    login: str = "sam"
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(trust_env=False, timeout=30, follow_redirects=True)
    )

    def desk(self) -> str:
        return self.client.get(f"{self.url}/desk", params={"as": self.login}).text

    def token(self) -> str:
        found = re.search(r'name="form_token" value="([^"]+)"', self.desk())
        assert found, "no form on the desk"
        return found[1]

    def waiting(self) -> list[str]:
        """Conversation ids in the order of the queue."""
        return re.findall(r'action="/desk/conversations/([a-z0-9]+)/take"', self.desk())

    def wait_for_somebody(self) -> str:
        return wait_for(lambda: (self.waiting() or [None])[0], "somebody in the queue")

    def read(self, conversation: str) -> str:
        return plain_words(self.client.get(f"{self.url}/desk/conversations/{conversation}").text)

    def act(self, conversation: str, act: str, **data: str) -> httpx.Response:
        """take, reply, hand-back, pass-on, close"""
        return self.client.post(
            f"{self.url}/desk/conversations/{conversation}/{act}", data={"form_token": self.token(), **data}
        )
