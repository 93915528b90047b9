"""An editor's browser: it keeps cookies, and sends forms with the token that their page gave."""

from __future__ import annotations

import re

import httpx
from starlette.testclient import TestClient

from knowledge.editing.accounts import Accounts, Role
from knowledge.editor import create_app
from knowledge.settings import Settings
from knowledge.store import Store

PASSWORD = "kettle lantern river moss"


def browser(settings: Settings) -> TestClient:
    """Somebody at the machine itself. Use it in a `with`."""
    return TestClient(create_app(settings), base_url="http://127.0.0.1:8001", client=("127.0.0.1", 50000))


def add_editor(settings: Settings, login: str = "ada", role: Role = Role.PUBLISHER) -> None:
    store = Store.open(settings.database_url)
    Accounts(store.engine).add(name=login.title(), login=login, password=PASSWORD, role=role)
    store.close()


def sign_in(client: TestClient, login: str = "ada", password: str = PASSWORD) -> httpx.Response:
    return client.post("/sign-in", data={"login": login, "password": password, "to": "/"})


def token_of(client: TestClient) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get("/try").text)
    assert found, "nobody is signed in"
    return found[1]


def send(client: TestClient, path: str, **fields: object) -> httpx.Response:
    """A form of ours, sent by whoever is signed in."""
    return client.post(path, data={"form_token": token_of(client), **fields})
