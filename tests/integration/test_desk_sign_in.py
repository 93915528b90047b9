"""Who gets in to the desk, and who does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.requests import Request
from starlette.routing import Mount, Route

from channels.desk.attempts import MOST_FAILURES
from channels.desk.sessions import IDLE, LONGEST, Sessions
from channels.desk.sign_in import Door
from channels.desk.site import OPEN_TO_ALL
from channels.ledger import Ledger
from channels.pages import place_of
from channels.passwords import hash_password
from channels.settings import Settings
from tests.desk_builders import HERE, PASSWORD, Office, person_asks

pytest_plugins = ["tests.desk_fixtures"]

ELSEWHERE = "203.0.113.9"


def cookie_of(answer: httpx.Response) -> str:
    return answer.headers.get("set-cookie", "")


# -- every address


def addresses(office: Office) -> list[tuple[str, str]]:
    """Each method and address of the desk, as a stranger would try it."""
    found = []
    for route in office.app.routes:
        assert isinstance(route, Route | Mount)
        if route.path in OPEN_TO_ALL:
            continue
        assert isinstance(route, Route)
        for method in route.methods or ():
            found.append((method, route.path))
    return found


async def test_every_address_asks_who_you_are(live_office: Office) -> None:
    person = await person_asks(live_office)
    stranger = live_office.browser(base="https://help.example")
    tried = addresses(live_office)
    assert len(tried) >= 18
    for method, path in tried:
        address = path.replace("{conversation}", person.conversation_id)
        answer = await stranger.client.request(method, address, data={"text": "hello"} if method == "POST" else None)
        refused = answer.status_code in {401, 403}
        sent_away = answer.status_code == 303 and answer.headers["location"].startswith("/desk/sign-in")
        assert refused or sent_away, (method, path, answer.status_code)
        assert "cant pay my rent" not in answer.text
        assert "set-cookie" not in answer.headers


async def test_what_is_open_to_all_is_named_and_holds_nothing(live_office: Office) -> None:
    await person_asks(live_office)
    stranger = live_office.browser()
    steps = {"/desk/sign-in/second", "/desk/sign-in/passkey", "/desk/sign-in/passkey/options", "/desk/join"}
    elsewhere = {"/desk/sign-in/organisation", "/desk/sign-in/organisation/back", "/desk/staff-session"}
    assert {"/desk/sign-in", "/desk/static", *steps, *elsewhere} == OPEN_TO_ALL
    for path in ("/desk/sign-in", "/desk/static/desk.css", "/desk/static/desk.js", "/desk/static/passkeys.js"):
        answer = await stranger.get(path)
        assert answer.status_code == 200
        assert "cant pay my rent" not in answer.text
    assert (await stranger.get("/desk/static/../words.yml")).status_code in {401, 404}


# -- signing in


async def test_signing_in_and_out(office: Office) -> None:
    await office.hire("Jo")
    browser = office.browser()
    answer = await browser.sign_in("jo")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    page = await browser.get("/desk")
    assert "Who needs somebody" in page.text
    assert "Jo" in page.text
    kept = dict(browser.client.cookies)
    answer = await browser.post("/desk/sign-out")
    assert answer.headers["location"] == "/desk/sign-in?bye"
    browser.client.cookies.update(kept)
    assert (await browser.get("/desk/queue")).status_code == 401, "the session is over, not only its cookie"


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(live_office: Office, office: Office) -> None:
    await office.hire("Jo")
    here = cookie_of(await office.browser().sign_in("jo"))
    web = cookie_of(await live_office.browser(base="https://help.example").sign_in("jo"))
    for cookie in (here, web):
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/" in cookie
    assert web.startswith("__Host-")
    assert "Secure" in web
    assert "Secure" not in here, "the demo has no certificate"
    assert str(office.settings.port) in here, "two demos on one machine do not sign each other out"


async def test_a_session_is_new_at_every_sign_in_and_the_old_one_ends(office: Office) -> None:
    await office.hire("Jo")
    browser = office.browser()
    await browser.sign_in("jo")
    (name, first), = browser.client.cookies.items()  # fmt: skip
    await browser.sign_in("jo")
    second = browser.client.cookies[name]
    assert first != second
    assert await office.ledger.session(first) is None
    assert await office.ledger.session(second) is not None


async def test_a_session_that_somebody_planted_is_not_taken_over(office: Office) -> None:
    await office.hire("Jo")
    browser = office.browser()
    planted = "a" * 64
    browser.client.cookies.set(f"nwd-desk-{office.settings.port}", planted)
    answer = await browser.sign_in("jo")
    assert planted not in cookie_of(answer)
    assert await office.ledger.session(planted) is None


async def test_a_wrong_one_of_the_two_is_told_alike(office: Office) -> None:
    await office.hire("Jo")
    wrong = {
        "wrong password": ("jo", "not the right words"),
        "unknown login": ("nobody", PASSWORD),
        "nothing": ("", ""),
        "nearly": ("jo", PASSWORD + " "),
        "strange letters": ("jo\x00", PASSWORD),
        "very long": ("J" * 20_000, "p" * 30_000),
    }
    browser = office.browser()
    for case, (login, password) in wrong.items():
        answer = await browser.sign_in(login, password)
        assert answer.status_code == 403, case
        assert "do not go together" in answer.text, case
        assert "set-cookie" not in answer.headers, case
        assert not password or password not in answer.text, case


async def test_an_unknown_login_costs_as_many_looks_as_a_known_one(office: Office) -> None:
    """Not measured in time, which a busy machine blurs: both compare one password with one hash of the same cost."""
    route = next(route for route in office.app.routes if isinstance(route, Route) and route.path == "/desk/sign-in")
    door: Door = route.endpoint.__self__
    await office.browser().sign_in("nobody")
    assert door._nobody.rsplit("$", 2)[0] == hash_password(PASSWORD).rsplit("$", 2)[0], "the same cost parameters"


async def test_the_way_back_leads_to_the_desk_only(office: Office) -> None:
    await office.hire("Jo")
    assert (await office.browser().sign_in("jo", to="/desk/conversations/a1")).headers["location"].endswith("/a1")
    assert (await office.browser().sign_in("jo", to="//evil.example")).headers["location"] == "/desk"


async def test_a_page_leads_to_signing_in_and_back(live_office: Office) -> None:
    answer = await live_office.browser().get("/desk/conversations/abc123")
    assert answer.headers["location"] == "/desk/sign-in?to=/desk/conversations/abc123"
    page = await live_office.browser().get(answer.headers["location"])
    assert 'name="to" value="/desk/conversations/abc123"' in page.text


# -- guessing


async def test_guessing_is_slowed_for_the_guesser_and_nobody_else(office: Office) -> None:
    await office.hire("Jo")
    guesser = office.browser(ELSEWHERE)
    answers = [(await guesser.sign_in("jo", f"guess number {n}")).status_code for n in range(MOST_FAILURES + 1)]
    assert answers == [403] * MOST_FAILURES + [429]
    slowed = await guesser.sign_in("jo")
    assert slowed.status_code == 429, "even with the right password"
    assert int(slowed.headers["retry-after"]) > 0
    assert (await office.browser("198.51.100.7").sign_in("jo")).status_code == 303, "the real Jo, elsewhere"


@pytest.mark.parametrize(
    ("direct", "forwarded", "place"),
    [
        pytest.param("203.0.114.9", None, "203.0.114.9", id="nobody between us"),
        pytest.param("172.17.0.1", "198.51.101.1, 203.0.114.9", "203.0.114.9", id="what our proxy added"),
        pytest.param("203.0.114.9", "198.51.101.1", "203.0.114.9", id="what a stranger made up"),
        pytest.param("127.0.0.1", None, "127.0.0.1", id="this machine"),
        pytest.param("nowhere", "198.51.101.1", "nowhere", id="not an address"),
    ],
)
def test_where_a_try_comes_from(direct: str, forwarded: str | None, place: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert place_of(Request({"type": "http", "client": (direct, 1), "headers": headers})) == place


# -- when a session ends


async def test_a_session_ends_after_half_a_day_without_use(ledger: Ledger, settings: Settings, office: Office) -> None:
    now = datetime.now(UTC)
    sessions = Sessions(ledger, settings, clock=lambda: now)
    jo = await office.hire("Jo")
    opened = await sessions.open(request_with({}), jo)
    request = request_with({sessions.cookie: opened.token})
    now += IDLE - timedelta(seconds=1)
    assert await sessions.visit(request, active=False) is not None
    now += timedelta(minutes=1)
    assert await sessions.visit(request, active=True) is None, "what a page does by itself is not a use"
    assert await ledger.session(opened.token) is None, "over for good, everywhere"


async def test_whoever_is_signed_out_by_time_is_told_so_at_the_door(live_office: Office) -> None:
    jo = await live_office.sit_down("Jo")
    assert "Your sign-in has ended." not in (await jo.get("/desk/sign-in")).text, "signed in"
    cookies = jo.client.cookies
    await live_office.ledger.close_session(next(iter(cookies.values())))
    door = await jo.get("/desk/account")
    assert "Your sign-in has ended." in (await jo.get(door.headers["location"])).text
    cookies.clear()
    assert "Your sign-in has ended." not in (await jo.get("/desk/sign-in")).text, "never was"


async def test_a_session_that_is_used_goes_on_until_a_day_is_over(
    ledger: Ledger, settings: Settings, office: Office
) -> None:
    now = began = datetime.now(UTC)
    sessions = Sessions(ledger, settings, clock=lambda: now)
    opened = await sessions.open(request_with({}), await office.hire("Jo"))
    request = request_with({sessions.cookie: opened.token})
    for _ in range(4):
        now += IDLE / 2 - timedelta(minutes=1)
        assert await sessions.visit(request, active=True) is not None
    now = began + LONGEST + timedelta(seconds=1)
    assert await sessions.visit(request, active=True) is None, "however much it was used"
    assert await ledger.session(opened.token) is None, "over for good, everywhere"


async def test_an_expired_session_sends_to_the_door(live_office: Office) -> None:
    jo = await live_office.hire("Jo")
    browser = live_office.browser()
    token = await live_office.ledger.open_session(jo.id, timedelta(seconds=-1))
    browser.client.cookies.set("__Host-nwd-desk", token)
    assert (await browser.get("/desk")).headers["location"] == "/desk/sign-in?to=/desk"
    assert (await browser.get("/desk/queue")).status_code == 401


def request_with(cookies: dict[str, str]) -> Request:
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Request({"type": "http", "method": "GET", "path": "/desk", "headers": [(b"cookie", cookie.encode())]})


# -- roles


async def test_an_editor_is_told_kindly_and_sees_nobody(office: Office) -> None:
    person = await person_asks(office)
    editor = await office.sit_down("Ed", "editor")
    for path in ("/desk", "/desk/queue", "/desk/events", person.page, f"{person.page}/log", f"{person.page}/keep"):
        answer = await editor.get(path)
        assert answer.status_code == 403
        assert "for peer workers" in answer.text
        assert "rent" not in answer.text


# -- forms of other sites


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"sec-fetch-site": "cross-site"}, id="another site"),
        pytest.param({"sec-fetch-site": "same-site"}, id="a neighbour site"),
        pytest.param({"origin": "https://evil.example"}, id="another origin"),
        pytest.param({"origin": "null"}, id="an origin that hides"),
        pytest.param({"origin": "http://127.0.0.1:9999"}, id="another port"),
    ],
)
async def test_a_form_from_elsewhere_does_nothing(office: Office, headers: dict[str, str]) -> None:
    person = await person_asks(office)
    browser = await office.sit_down("Jo")
    token = await browser.token()
    browser.headers = headers
    for path in (f"{person.page}/take", "/desk/sign-out"):
        assert (await browser.post(path, token)).status_code == 403
    assert (await browser.sign_in("jo")).status_code == 403
    assert len(await office.escalations.waiting()) == 1
    assert (await browser.get("/desk/queue")).status_code == 200, "still signed in"


@pytest.mark.parametrize("said", ["same-origin", "none"])
async def test_our_own_forms_work(office: Office, said: str) -> None:
    person = await person_asks(office)
    browser = await office.sit_down("Jo")
    browser.headers = {"sec-fetch-site": said, "origin": HERE}
    assert (await browser.post(f"{person.page}/take")).status_code == 303


@pytest.mark.parametrize(
    "token", ["", "0" * 64, "é", "the other's"], ids=["missing", "made up", "not ascii", "another session's"]
)
async def test_a_form_without_this_sessions_token_does_nothing(office: Office, token: str) -> None:
    person = await person_asks(office)
    jo, ana = await office.sit_down("Jo"), await office.sit_down("Ana")
    if token == "the other's":
        token = await ana.token()
    posts = [path for method, path in addresses(office) if method == "POST"]
    assert len(posts) > 30
    for path in posts:
        answer = await jo.post(path.replace("{conversation}", person.conversation_id), token, text="hello there")
        assert answer.status_code == 403, path
        assert "hello there" in answer.text, "their words are not lost"
    assert len(await office.escalations.waiting()) == 1
    assert (await jo.get("/desk/queue")).status_code == 200


# -- the demo


async def hire_demo(office: Office) -> None:
    for name, role in (("Sam", "peer"), ("Ana", "peer"), ("Robin", "coordinator")):
        await office.hire(name, role)


async def test_in_the_demo_the_desk_opens_by_itself_and_says_so(office: Office) -> None:
    await hire_demo(office)
    browser = office.browser()
    page = await browser.get("/desk")
    assert page.status_code == 200
    assert "You are signed in as Sam." in page.text
    assert "Demonstration" in page.text
    again = await browser.get("/desk")
    assert "set-cookie" not in again.headers, "one session, not one for each look"
    ana = await browser.get("/desk?as=ana")
    assert "You are signed in as Ana" in ana.text
    assert "You are signed in as Ana" in (await browser.get("/desk")).text
    assert "set-cookie" not in (await browser.get("/desk?as=ana")).headers
    assert "You are signed in as Ana" in (await browser.get("/desk?as=mallory")).text


@pytest.mark.parametrize(
    ("address", "base", "headers"),
    [
        pytest.param(ELSEWHERE, HERE, {}, id="from another machine"),
        pytest.param("127.0.0.1", "http://evil.example:8000", {}, id="under a strange name"),
        pytest.param("127.0.0.1", HERE, {"x-forwarded-for": ELSEWHERE}, id="through a proxy"),
    ],
)
async def test_the_demo_opens_for_nobody_from_outside(
    office: Office, address: str, base: str, headers: dict[str, str]
) -> None:
    await hire_demo(office)
    browser = office.browser(address, base)
    answer = await browser.get("/desk?as=ana", **headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/sign-in?to=/desk")
    assert "wrenbridge-demo" not in (await browser.get("/desk/sign-in", **headers)).text


async def test_without_the_demo_it_never_opens_by_itself(live_office: Office) -> None:
    await hire_demo(live_office)
    browser = live_office.browser()
    for path in ("/desk", "/desk?as=ana"):
        assert (await browser.get(path)).status_code == 303
    assert "wrenbridge-demo" not in (await browser.get("/desk/sign-in")).text


async def test_the_demos_door_shows_its_people_and_password(office: Office) -> None:
    await hire_demo(office)
    page = await office.browser().get("/desk/sign-in")
    assert "wrenbridge-demo" in page.text
    assert "/desk?as=robin" in page.text


async def test_an_empty_demo_asks_to_sign_in(office: Office) -> None:
    assert (await office.browser().get("/desk")).status_code == 303


# -- headers


async def test_no_page_is_kept_framed_or_fed_from_elsewhere(office: Office) -> None:
    person = await person_asks(office)
    browser = await office.sit_down("Jo")
    for path in ("/desk", "/desk/queue", person.page, "/desk/sign-in", "/desk/conversations/none"):
        answer = await browser.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        for inline in ("<style", "style=", "onclick", "javascript:", "<script>"):
            assert inline not in answer.text
        assert "https://" not in answer.text
