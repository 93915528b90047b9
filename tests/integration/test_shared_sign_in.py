"""Desk and editor, two programs with one sign-in: real servers of both, and one browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from channels.desk.sessions import Sessions, form_token
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from knowledge.editor import create_app
from knowledge.settings import read_settings
from tests.desk_builders import Office, open_office, words_of
from tests.desk_builders import serving as serving_desk
from tests.integration.serving import free_port, serving

pytest_plugins = ["tests.desk_fixtures"]


@pytest.fixture
async def both(
    ledger: Ledger, streams: Streams, settings: Settings, escalations: Escalations, tmp_path: Path
) -> AsyncIterator[tuple[Office, str]]:
    """The desk, and where the editor answers."""
    shared = settings.model_copy(update={"staff_token": SecretStr("between us"), "demo": False})
    office = open_office(ledger, streams, escalations, shared)
    async with serving_desk(office) as desk:
        known = {"staff_token": "between us", "desk_url": desk, "port": shared.port, "demo": False}
        own = read_settings(data_dir=tmp_path / "catalogue", country="GB", **known)
        async with serving(create_app(own), free_port()) as editor:
            yield office, editor
    await office.close()


async def signed_in(office: Office, name: str, role: str) -> dict[str, str]:
    """The cookie of somebody who has signed in at the desk."""
    peer = await office.hire(name, role)
    token = await office.ledger.open_session(peer.id, timedelta(hours=1))
    return {Sessions(office.ledger, office.settings).cookie: token}


async def test_whoever_may_edit_signs_in_once(both: tuple[Office, str]) -> None:
    office, editor = both
    for name, role, shown in (("Robin", "coordinator", "Robin, publisher"), ("Eve", "editor", "Eve")):
        async with httpx.AsyncClient(base_url=editor, cookies=await signed_in(office, name, role)) as browser:
            page = await browser.get("/")
            assert page.status_code == 200
            assert shown in words_of(page.text)


async def test_a_peer_worker_looks_up_and_tries_but_changes_nothing(both: tuple[Office, str]) -> None:
    office, editor = both
    async with httpx.AsyncClient(base_url=editor, cookies=await signed_in(office, "Jo", "peer")) as browser:
        page = await browser.get("/")
        assert "Jo, reader" in words_of(page.text)
        token = page.text.split('name="form_token" value="')[1].split('"')[0]
        assert (await browser.get("/try")).status_code == 200
        assert (await browser.post("/try", data={"form_token": token})).status_code == 200
        assert "/import" not in page.text
        nothing = await browser.get("/nothing")
        for path in ("/listings/new", "/import", "/published", "/problems", "/asked"):
            answer = await browser.get(path)
            assert (answer.status_code, answer.text) == (404, nothing.text), path
        for path in ("/listings/new", "/listings/some/still-right", "/listings/some/edit"):
            assert (await browser.post(path, data={"form_token": token})).status_code == 404, path


async def test_signing_out_here_signs_out_at_the_desk(both: tuple[Office, str]) -> None:
    office, editor = both
    cookies = await signed_in(office, "Robin", "coordinator")
    async with httpx.AsyncClient(base_url=editor, cookies=cookies) as browser:
        page = await browser.get("/")
        token = page.text.split('name="form_token" value="')[1].split('"')[0]
        await browser.post("/sign-out", data={"form_token": token})
        assert (await browser.get("/")).status_code == 303
    assert await office.ledger.session(next(iter(cookies.values()))) is None


async def test_a_form_of_the_desk_is_none_of_the_editors(both: tuple[Office, str]) -> None:
    """One cookie, two tokens: a page of one half cannot post to the other."""
    office, editor = both
    cookies = await signed_in(office, "Robin", "coordinator")
    async with httpx.AsyncClient(base_url=editor, cookies=cookies) as browser:
        stolen = form_token(next(iter(cookies.values())))
        assert (await browser.post("/sign-out", data={"form_token": stolen})).status_code == 403


async def test_without_the_desk_the_own_sign_in_is_there(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    own = read_settings(data_dir=tmp_path, country="GB", demo=False, staff_token="between us", desk_url=nobody)
    cookies = {f"nwd-desk-{own.port}": "a token"}
    async with (
        serving(create_app(own), free_port()) as editor,
        httpx.AsyncClient(base_url=editor, cookies=cookies) as browser,
    ):
        assert (await browser.get("/")).headers["location"].startswith("/sign-in")
