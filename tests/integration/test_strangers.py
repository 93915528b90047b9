"""What a page of another site, a guesser and a crafted request can do to desk and chat: nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute

from channels.app import create_app
from channels.conversation import Channel, Sender
from channels.desk.site import OPEN_TO_ALL
from channels.ledger import Ledger
from channels.pages import SecurityHeaders, static_routes
from channels.settings import Settings
from channels.streams import Streams
from tests.chat_builders import Story, browser, make_app
from tests.desk_builders import Browser, Office, Person, person_asks, staff_named, texts
from tests.integration.test_desk_sign_in import addresses

pytest_plugins = ["tests.desk_fixtures"]
ELSEWHERE = [
    pytest.param({"sec-fetch-site": "cross-site"}, id="another site"),
    pytest.param({"sec-fetch-site": "same-site"}, id="a neighbour site"),
    pytest.param({"origin": "https://evil.example"}, id="an old browser on another origin"),
    pytest.param({"origin": "null"}, id="an origin that hides"),
]


@pytest.fixture
def chat_app(ledger: Ledger, streams: Streams, settings: Settings) -> Starlette:
    return make_app(ledger, streams, settings)


@pytest.fixture
async def chat(chat_app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(chat_app) as client:
        yield client


async def held_by_jo(office: Office, jo: Browser) -> Person:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    return person


# -- forms and streams of another site


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_no_form_of_another_site_does_anything_at_the_desk(
    office: Office, jo: Browser, headers: dict[str, str]
) -> None:
    """Even with the right token: it could have been read over a shoulder."""
    person = await held_by_jo(office, jo)
    said, token = await texts(office, person.conversation_id), await jo.token()
    trail = len(await office.ledger.audit_log(1000))
    jo.headers = headers
    posts = [path for method, path in addresses(office) if method == "POST"]
    assert len(posts) > 50
    for path in posts:
        answer = await jo.post(path.replace("{conversation}", person.conversation_id), token, text="x", name="x")
        assert answer.status_code == 403, path
    assert await texts(office, person.conversation_id) == said
    assert len(await office.ledger.audit_log(1000)) == trail


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_no_form_of_another_site_does_anything_in_the_chat(
    chat: httpx.AsyncClient, chat_app: Starlette, ledger: Ledger, headers: dict[str, str]
) -> None:
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    story = Story(ledger, chat)
    before = await story.messages()
    posts = [route.path for route in chat_app.routes if isinstance(route, Route) and "POST" in (route.methods or ())]
    assert len(posts) >= 9
    for path in posts:
        answer = await chat.post(
            path, data={"text": "in their name", "keep": "yes"}, headers=headers, follow_redirects=False
        )
        # Leaving is for everybody, and forgets nothing for another site.
        assert answer.status_code == (303 if path == "/chat/leave" else 403), path
        assert "set-cookie" not in answer.headers
    assert await story.messages() == before


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_no_stream_opens_for_another_site(
    office: Office, jo: Browser, chat: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """A browser sends the cookie along; where it comes from it says as well."""
    await chat.get("/chat")
    await chat.post("/chat/messages", data={"text": "hello"})
    assert (await chat.get("/chat/events", headers=headers)).status_code == 403
    assert (await jo.get("/desk/events", **headers)).status_code == 403


async def test_nothing_may_be_read_from_another_origin_and_there_is_no_socket(
    office: Office, jo: Browser, chat: httpx.AsyncClient, settings: Settings
) -> None:
    person = await person_asks(office)
    for answer in (
        await chat.get("/chat", headers={"Origin": "https://evil.example"}),
        await jo.get(person.page, origin="https://evil.example"),
        await chat.request("OPTIONS", "/chat/messages", headers={"Access-Control-Request-Method": "POST"}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert not [route for route in create_app(settings).routes if isinstance(route, WebSocketRoute)]
    assert not [route for route in office.app.routes if isinstance(route, WebSocketRoute)]


# -- fields and files that nobody asked for


async def test_fields_that_a_form_does_not_have_change_nothing(office: Office, jo: Browser) -> None:
    person = await held_by_jo(office, jo)
    more = {"sender": "notice", "sender_name": "Robin", "peer": "x", "role": "admin", "urgent": "1", "channel": "web"}
    await jo.post(f"{person.page}/reply", text="Hello.", read="99", **more)
    last = (await office.ledger.messages(person.conversation_id))[-1]
    assert (last.text, last.sender, last.sender_name) == ("Hello.", Sender.PEER, "Jo")
    await jo.post("/desk/shift/options", most="2", peer_id="x", role="admin", teams="debt legal", languages="pl")
    sam = await staff_named(office, "Jo")
    assert sam.role == "peer"
    assert (await office.ledger.queue.duty(sam.id)).teams == frozenset()


async def test_an_invitation_makes_who_was_invited_whatever_the_form_says(office: Office) -> None:
    robin = await office.hire("Robin", "admin")
    code = await office.ledger.accounts.invite(robin, "Kim", "peer")
    stranger = office.browser()
    form = {
        "code": code,
        "login": "kim",
        "password": "a long enough password",
        "role": "admin",
        "name": "Robin",
        "id": "1",
    }
    await stranger.client.post("/desk/join", data=form, headers=stranger.headers)
    kim = await office.ledger.peer_by_login("kim")
    assert kim is not None
    assert (kim.role, kim.name) == ("peer", "Kim")


async def test_a_chat_form_cannot_choose_channel_sender_or_conversation(
    chat: httpx.AsyncClient, ledger: Ledger
) -> None:
    await chat.get("/chat")
    more = {"channel": "sms", "address": "+447700900123", "sender": "peer", "conversation_id": "x", "language": "xx"}
    await chat.post("/chat/messages", data={"text": "hello", **more})
    (message,) = await Story(ledger, chat).messages()
    assert (message.sender, message.channel, message.text) == (Sender.PERSON, Channel.WEB, "hello")
    assert await ledger.person_at(Channel.SMS, "+447700900123") is None


async def test_files_are_taken_nowhere(office: Office, jo: Browser, chat: httpx.AsyncClient, ledger: Ledger) -> None:
    person = await held_by_jo(office, jo)
    said = await texts(office, person.conversation_id)
    file: dict[str, Any] = {"text": ("x.html", b"<script>alert(1)</script>", "text/html")}
    fields = {"form_token": await jo.token()}
    answer = await jo.client.post(f"{person.page}/reply", data=fields, files=file, headers=jo.headers)
    assert answer.status_code == 400
    assert await texts(office, person.conversation_id) == said
    await chat.get("/chat")
    assert (await chat.post("/chat/messages", data={"x": "y"}, files=file)).status_code == 400
    assert await ledger.person_at(Channel.WEB, Story(ledger, chat).visitor.address) is None


async def test_more_than_a_form_can_hold_is_not_read(office: Office, jo: Browser, chat: httpx.AsyncClient) -> None:
    person = await held_by_jo(office, jo)
    assert (await jo.post(f"{person.page}/note", note="x" * 70_000)).status_code == 413
    many = {f"f{number}": "x" for number in range(50)}
    assert (await jo.post(f"{person.page}/note", note="x", **many)).status_code == 400
    await chat.get("/chat")
    assert (await chat.post("/chat/messages", data={"text": "x" * 1_100_000})).status_code == 413


# -- addresses


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/desk/static/..%2fwords.yml", id="up one"),
        pytest.param("/desk/static/%2e%2e/%2e%2e/settings.py", id="up two, dots hidden"),
        pytest.param("/desk/static/..%5c..%5csettings.py", id="the other slash"),
        pytest.param("/desk/static//etc/passwd", id="from the root"),
        pytest.param("/desk/static/%00desk.css", id="a NUL"),
        pytest.param("/static/..%2f..%2fpyproject.toml", id="out of the chat's files"),
        pytest.param("/desk/conversations/..%2f..%2frights", id="a conversation that climbs"),
        pytest.param("/desk/conversations/x%0d%0aSet-Cookie:a=b", id="a line break"),
        pytest.param("/desk/replies/..%2faudit", id="a saved reply that climbs"),
    ],
)
async def test_no_address_leads_out_of_its_folder(office: Office, path: str) -> None:
    office.app.router.routes.extend(static_routes())
    robin = await office.sit_down("Robin", "lead")
    answer = await robin.client.get(path, headers=robin.headers)
    assert answer.status_code in {400, 404, 405}
    assert "root:" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_what_is_missing_and_what_is_forbidden_are_one_answer(office: Office, jo: Browser, ana: Browser) -> None:
    """To the letter, for every address that names a conversation: one that is over is nobody's to read."""
    person = await held_by_jo(office, jo)
    await jo.post(f"{person.page}/close")
    ghost = "0" * len(person.conversation_id)
    token = await ana.token()
    tried = [(method, path) for method, path in addresses(office) if "{conversation}" in path]
    assert len(tried) > 30
    for method, path in tried:
        answers = []
        for one in (person.conversation_id, ghost):
            here = re.sub(r"\{\w+\}", "0", path.replace("{conversation}", one))
            sent = {"form_token": token, "text": "words of mine"} if method == "POST" else None
            answers.append(await ana.client.request(method, here, data=sent, headers=ana.headers))
        forbidden, missing = answers
        assert forbidden.status_code == missing.status_code, path
        assert forbidden.text.replace(person.conversation_id, ghost) == missing.text, path
        assert "cant pay my rent" not in forbidden.text, path


# -- headers


async def test_every_page_of_every_role_says_what_a_browser_may_do_with_it(office: Office, jo: Browser) -> None:
    office.app.add_middleware(SecurityHeaders)
    person = await held_by_jo(office, jo)
    admin = await office.sit_down("Robin", "admin")
    gets = [path for method, path in addresses(office) if method == "GET"] + sorted(OPEN_TO_ALL - {"/desk/static"})
    for path in gets:
        if path == "/desk/events":
            continue
        for who in (jo, admin):
            answer = await who.get(path.replace("{conversation}", person.conversation_id))
            if answer.status_code == 405:
                continue
            headers = answer.headers
            assert headers.get("x-content-type-options") == "nosniff", path
            assert headers["cache-control"] == "no-store", path
            assert headers["referrer-policy"] in {"same-origin", "no-referrer"}, path
            policy = headers["content-security-policy"]
            assert "unsafe" not in policy, path
            assert "frame-ancestors 'none'" in policy or path.endswith("/keep"), path
            assert "server" not in headers, path


def test_every_route_is_one_of_the_two_kinds_that_are_tried(office: Office) -> None:
    assert all(isinstance(route, Route | Mount) for route in office.app.routes)
