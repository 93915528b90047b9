"""Short ways to open the desk in tests: browsers with cookies, and people who have written."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import uvicorn
from argon2 import PasswordHasher
from starlette.applications import Starlette

from channels import desk
from channels.catalogue import Catalogue
from channels.conversation import Channel, Choice, Concern, Inbound, Media, Reply, Sender, ServiceCard
from channels.desk.sessions import Sessions
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.records import Draft, OpenEscalation, PeerRecord
from channels.pages import static_routes
from channels.settings import Settings
from channels.streams import Streams
from tests.ledger_builders import answer

HERE = "http://127.0.0.1:8000"
PASSWORD = "three unlikely words"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""Quick to look at: what real hashes cost is tested with real ones."""
FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


class Clock:
    """The time of day, which a test may move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Browser:
    """Somebody at the desk: keeps cookies, follows nothing by itself, sends forms as a browser does."""

    client: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=lambda: {"sec-fetch-site": "same-origin"})

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def token(self) -> str:
        """The token in the forms of this session's pages."""
        found = FORM_TOKEN.search((await self.get("/desk")).text)
        assert found is not None, "not signed in"
        return found[1]

    async def post(self, path: str, token: str | None = None, **fields: str) -> httpx.Response:
        known = token if token is not None else await self.token()
        return await self.client.post(path, data={"form_token": known, **fields}, headers=self.headers)

    async def sign_in(self, login: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        form = {"login": login, "password": password, **fields}
        return await self.client.post("/desk/sign-in", data=form, headers=self.headers)


@dataclass
class Office:
    """The desk's pages on a real ledger and a real Valkey."""

    app: Starlette
    ledger: Ledger
    escalations: Escalations
    settings: Settings
    people: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self, address: str = "127.0.0.1", base: str = HERE) -> Browser:
        """A fresh browser on the machine with that address."""
        transport = httpx.ASGITransport(self.app, client=(address, 50000))
        client = httpx.AsyncClient(transport=transport, base_url=base)
        self.people.append(client)
        return Browser(client)

    async def hire(self, name: str, role: str = "peer") -> PeerRecord:
        return await self.ledger.add_peer(name=name, login=name.lower(), role=role, password_hash=HASH)

    async def sit_down(self, name: str, role: str = "peer") -> Browser:
        """Somebody new who has signed in, without the slow look at a password."""
        peer = await self.hire(name, role)
        browser = self.browser()
        token = await self.ledger.open_session(peer.id, timedelta(hours=1))
        browser.client.cookies.set(Sessions(self.ledger, self.settings).cookie, token)
        return browser

    async def close(self) -> None:
        for client in self.people:
            await client.aclose()


@asynccontextmanager
async def serving(office: Office) -> AsyncIterator[str]:
    """A real server on a free port of this machine, for streams and for a real browser."""
    office.app.router.routes.extend(static_routes())
    server = uvicorn.Server(uvicorn.Config(office.app, port=0, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


def open_office(
    ledger: Ledger,
    streams: Streams,
    escalations: Escalations,
    settings: Settings,
    catalogue: Catalogue | None = None,
) -> Office:
    routes = desk.routes(
        ledger=ledger, streams=streams, escalations=escalations, settings=settings, catalogue=catalogue
    )
    return Office(Starlette(routes=routes), ledger, escalations, settings)


CARD = ServiceCard(
    service_id="svc-rent-help",
    name="Rent Rescue drop-in",
    phone="01632 960112",
    summary="Sit down with someone who will help.",
    hours="open now until 4:30pm",
    why="they said: cant pay my rent",
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who wrote and asked for a person."""

    conversation_id: str
    escalation_id: str

    @property
    def page(self) -> str:
        return f"/desk/conversations/{self.conversation_id}"


async def person_asks(
    office: Office,
    end: int = 1,
    *,
    channel: Channel = Channel.SMS,
    texts: Sequence[str] = ("cant pay my rent",),
    concerns: Iterable[Concern] = (),
    reason: str = "asked",
    place: str | None = None,
    language: str | None = None,
    media: tuple[Media, ...] = (),
    address_of: int = 0,
) -> Person:
    """Their messages, the assistant's suggestion for each, and their place in the queue.

    `address_of`: somebody who has written before, under that number.
    """
    address = f"+44163296{address_of or end:04}"
    for number, text in enumerate(texts):
        inbound = Inbound(channel=channel, address=address, provider_id=f"{end}-{address_of}-{number}", text=text)
        stored = await office.ledger.store_inbound(replace(inbound, language=language, media=media))
        reply = Reply(text="These can help:", cards=(CARD,))
        draft = Draft(
            sender=Sender.ASSISTANT,
            text="These can help:\n1 Rent Rescue drop-in 01632 960112",
            reply=reply,
            choices=(Choice(title="Rent Rescue drop-in", payload="details:svc-rent-help"),),
        )
        last = number == len(texts) - 1
        committed = await answer(
            office.ledger,
            stored,
            draft,
            concerns=frozenset(concerns),
            needs=("rent_arrears",),
            place=place,
            escalation=OpenEscalation(reason=reason) if last else None,
        )
    assert committed.escalation_id is not None
    await office.escalations.announce(committed.escalation_id)
    return Person(conversation_id=committed.conversation_id, escalation_id=committed.escalation_id)


async def texts(office: Office, conversation_id: str) -> list[str]:
    return [message.text for message in await office.ledger.messages(conversation_id)]


async def staff_named(office: Office, name: str) -> PeerRecord:
    peer = await office.ledger.peer_by_login(name.lower())
    assert peer is not None
    return peer


def words_of(html: str) -> str:
    """What somebody reads: without tags, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
