"""Nobody reaches a page without an account, and nothing is changed by a form that is not ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from knowledge.__main__ import main
from knowledge.editing.accounts import AccountRefused, Accounts, Role
from knowledge.editor.app import routes
from knowledge.editor.sign_in import MOST_FAILURES, WINDOW, Attempts, way_back
from knowledge.settings import Settings, read_settings
from knowledge.store import Store
from tests.integration.knowledge.browsing import PASSWORD, add_editor, browser, send, sign_in, token_of

OPEN_TO_ALL = {"/sign-in", "/health", "/static"}


@pytest.fixture
def live(tmp_path: Path) -> Settings:
    settings = read_settings(data_dir=tmp_path / "data", demo=False, country="GB")
    add_editor(settings)
    return settings


@pytest.fixture
def client(live: Settings) -> Iterator[TestClient]:
    with browser(live) as opened:
        yield opened


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    store = Store.open(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    yield Accounts(store.engine)
    store.close()


def test_every_page_asks_for_a_sign_in(client: TestClient) -> None:
    paths = {(route.path, method) for route in routes() for method in getattr(route, "methods", None) or {"GET"}}  # type: ignore[attr-defined]  # all of ours have a path
    closed = [(path, method) for path, method in paths if path not in OPEN_TO_ALL]
    assert len(closed) > 3
    for path, method in closed:
        address = re.sub(r"\{.*?\}", "1", path)
        answer = client.request(method if method != "HEAD" else "GET", address, follow_redirects=False)
        assert answer.status_code in {303, 401}, path
        assert "Listings" not in answer.text


def test_signing_in_and_out(client: TestClient) -> None:
    assert client.get("/try").url.path == "/sign-in"
    page = sign_in(client)
    assert "Ada, publisher" in page.text
    cookie = next(iter(client.cookies.jar))
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "strict"
    kept = cookie.value
    assert "signed out" in send(client, "/sign-out").text
    assert client.get("/", cookies={cookie.name: kept}).url.path == "/sign-in"


@pytest.mark.parametrize(("login", "password"), [("ada", "something else here"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_sign_in_opens_nothing_and_keeps_the_login(client: TestClient, login: str, password: str) -> None:
    answer = sign_in(client, login, password)
    assert answer.status_code == 403
    assert "do not go together" in answer.text
    assert f'value="{login}"' in answer.text
    assert not client.cookies


def test_a_password_cannot_be_guessed(client: TestClient) -> None:
    for _ in range(MOST_FAILURES):
        sign_in(client, password="not this one, surely")
    assert sign_in(client).status_code == 429
    assert not client.cookies


def test_tries_are_forgotten_after_a_while_and_counted_by_place() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    assert all(attempts.begin("ada", "10.0.0.1") for _ in range(MOST_FAILURES))
    assert not attempts.begin("ada", "10.0.0.1")
    assert attempts.begin("ada", "10.0.0.2")
    now[0] = WINDOW
    assert attempts.begin("ada", "10.0.0.1")


def test_the_password_of_the_demo_opens_nothing_once_the_demo_is_off(live: Settings) -> None:
    store = Store.open(live.database_url)
    Accounts(store.engine).add_demo()
    store.close()
    with browser(live) as client:
        assert sign_in(client, "robin", "wrenbridge-demo").status_code == 403
        assert client.get("/?as=robin").url.path == "/sign-in"


@pytest.mark.parametrize(
    ("headers", "fields", "status"),
    [
        pytest.param({}, {}, 403, id="no token"),
        pytest.param({}, {"form_token": "0" * 64}, 403, id="another token"),
        pytest.param({"sec-fetch-site": "cross-site"}, {"form_token": "ours"}, 403, id="from another site"),
        pytest.param({"sec-fetch-site": "same-origin"}, {"form_token": "ours"}, 200, id="ours"),
    ],
)
def test_only_forms_of_ours_do_anything(
    client: TestClient, headers: dict[str, str], fields: dict[str, str], status: int
) -> None:
    sign_in(client)
    sent = {name: token_of(client) if value == "ours" else value for name, value in fields.items()}
    assert client.post("/sign-out", data=sent, headers=headers).status_code == status
    assert (client.get("/").url.path == "/") is (status == 403)


def test_the_demo_signs_in_whoever_sits_at_the_machine(published: Settings) -> None:
    with browser(published) as client:
        assert "Robin, publisher" in client.get("/").text
        assert "Ana, publisher" in client.get("/?as=ana").text
        assert "Ana, publisher" in client.get("/").text
        assert "Ana, publisher" in client.get("/?as=somebody").text
    with browser(published) as client:
        for name, value in (("host", "evil.example"), ("x-forwarded-for", "10.0.0.9")):
            assert client.get("/", headers={name: value}, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil", "", "/a?b=c"])
def test_after_signing_in_somebody_stays_here(wanted: str) -> None:
    assert way_back(wanted) == "/"
    assert way_back("/listings/svc-advice-shop") == "/listings/svc-advice-shop"


@pytest.mark.parametrize(("age", "used", "is_open"), [(0, 0, True), (11, 11, True), (12, 12, False), (24, 1, False)])
def test_a_session_ends(tmp_path: Path, age: float, used: float, is_open: bool) -> None:
    now = [datetime(2026, 11, 23, 8, 0, tzinfo=UTC)]
    store = Store.open(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    accounts = Accounts(store.engine, lambda: now[0])
    accounts.add(name="Ada", login="ada", password=PASSWORD)
    token = accounts.open_session("ada")
    began = now[0]
    for hour in range(0, int(age - used), 6):  # somebody who goes on using it
        now[0] = began + timedelta(hours=hour)
        assert accounts.session(token)
    now[0] = began + timedelta(hours=age)
    assert (accounts.session(token) is not None) is is_open
    store.close()


@pytest.mark.parametrize(
    ("fields", "fix"),
    [({"password": "too short"}, "at least 15"), ({"login": "A B"}, "small letters"), ({"name": " "}, "Name")],
)
def test_an_account_that_cannot_be_is_refused_with_the_fix(
    accounts: Accounts, fields: dict[str, str], fix: str
) -> None:
    with pytest.raises(AccountRefused, match=fix):
        accounts.add(**{"name": "Ada", "login": "ada", "password": PASSWORD, **fields})  # type: ignore[arg-type]  # all are text


def test_a_new_password_ends_the_sessions_of_the_old_one(accounts: Accounts) -> None:
    accounts.add(name="Ada", login="ada", password=PASSWORD)
    token = accounts.open_session("ada")
    changed = accounts.add(name="Ada", login="ada", password="another lantern river moss", role=Role.PUBLISHER)
    assert changed.may_publish
    assert accounts.session(token) is None
    assert accounts.check("ada", PASSWORD) is None


def test_accounts_are_made_at_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NWD_DATA_DIR", str(tmp_path))
    assert main(["account", "Ada", "ada", "--role", "publisher", "--password", PASSWORD]) == 0
    assert "Ada can sign in as ada, publisher." in capsys.readouterr().out
    assert main(["account", "Ada", "ada", "--password", "short"]) == 1
    assert "at least 15" in capsys.readouterr().err
