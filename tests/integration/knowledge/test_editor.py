"""The catalogue pages, as a browser asks for them."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from knowledge.editor.pages import PAGE
from knowledge.publish import open_store
from knowledge.settings import Settings
from tests.integration.knowledge.browsing import add_editor, browser, send, sign_in

LISTING = "/listings/svc-advice-shop"
PAGES = ["/", "/?need=gambling", "/?show=overdue", "/?show=never", LISTING, f"{LISTING}/edit", f"{LISTING}/history",
         "/listings/new", "/organisations/new", "/published", "/problems", "/asked", "/try",
         "/nothing-here"]  # fmt: skip


@pytest.fixture(scope="module")
def client(published: Settings) -> Iterator[TestClient]:
    with browser(published) as opened:
        opened.get("/?as=robin")
        yield opened


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_that_the_town_is_fictional(client: TestClient, page: str) -> None:
    assert "Wrenbridge is a fictional town" in client.get(page).text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_usable_by_everybody(client: TestClient, page: str) -> None:
    text = client.get(page).text
    assert '<html lang="en-GB">' in text
    assert text.count("<h1>") == 1
    assert 'href="#main"' in text
    fields = set(re.findall(r'<(?:input|select|textarea)[^>]* id="([a-z0-9_-]+)"', text))
    assert fields <= set(re.findall(r'<label for="([a-z0-9_-]+)"', text))


@pytest.mark.parametrize("page", [*PAGES, "/health", "/static/catalogue.css"])
def test_nothing_is_loaded_from_elsewhere_or_kept(client: TestClient, page: str) -> None:
    answer = client.get(page)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (answer.headers.get("cache-control") == "no-store") is not page.startswith("/static/")
    if "html" in answer.headers["content-type"]:
        assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)
        assert "<script" not in answer.text
        assert "style=" not in answer.text


def test_all_listings_are_there(client: TestClient, published: Settings) -> None:
    store, _ = open_store(published)
    count = len(store.listings())
    store.close()
    text = client.get("/").text
    assert f"{count} of {count} listings" in text
    shown = 0
    for page in range(1, -(-count // PAGE) + 1):
        shown += client.get(f"/?page={page}").text.count("<h2>")
    assert shown == count


def test_listings_can_be_narrowed_by_need_and_by_words(client: TestClient) -> None:
    by_need = client.get("/", params={"need": "gambling"}).text
    assert "Gambling" in by_need or "gambling" in by_need
    assert 'value="gambling" selected' in by_need
    by_words = client.get("/", params={"text": "choir"}).text
    assert "choir" in by_words.lower()
    assert "Nothing fits" in client.get("/", params={"text": "zzzzzz"}).text


def test_a_listing_shows_what_people_are_told(client: TestClient) -> None:
    text = client.get("/listings/svc-advice-shop").text
    for words in ("Bell Street Advice Shop", "01632 960210", "12 Bell Street", "Checked", "Helps with", "9:30am"):
        assert words in text


def test_a_listing_that_is_not_there_is_404(client: TestClient) -> None:
    answer = client.get("/listings/nobody")
    assert answer.status_code == 404
    assert "no listing with that name" in answer.text


def test_a_message_can_be_tried(client: TestClient) -> None:
    text = send(client, "/try", text="cant pay my rent and im so down", near="Millgate").text
    assert "Rent and mortgage worries" in text
    assert "because you mentioned" in text
    assert "Place: Millgate" in text
    assert len(re.findall(r"<h3>", text)) == 10
    again = send(client, "/try", text="????").text
    assert "No need was recognised" in again


def test_a_message_is_never_taken_from_an_address(client: TestClient) -> None:
    text = client.get("/try", params={"text": "cant pay my rent"}).text
    assert "Rent and mortgage worries" not in text
    assert "cant pay" not in text
    assert '<form class="find" method="post"' in text


class AssistantSays(BaseHTTPRequestHandler):
    """The assistant's address for trying a message, with a fixed answer."""

    def do_POST(self) -> None:
        allowed = self.headers["Authorization"] == "Bearer t" and self.path == "/try"
        concern = {"kind": "self_harm", "layer": "patterns", "reason": "talks about <hurting> themselves"}
        reply = {"text": "I am glad you wrote.", "services": ["Foxley Listeners 01632 960100"]}
        body = json.dumps({"concerns": [concern], "replies": [reply], "asks": []}).encode()
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return None


def test_a_tried_message_shows_concern_and_reply(published: Settings) -> None:
    server = HTTPServer(("127.0.0.1", 0), AssistantSays)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        change = {"actions_url": f"http://127.0.0.1:{server.server_port}", "actions_token": SecretStr("t")}
        with browser(published.model_copy(update=change)) as client:
            client.get("/?as=robin")
            text = send(client, "/try", text="i hurt myself").text
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert "self harm: talks about &lt;hurting&gt; themselves (patterns)" in text
    assert "I am glad you wrote." in text
    assert "Foxley Listeners 01632 960100" in text


def test_without_the_assistant_the_page_says_so_and_shows_the_rest(client: TestClient) -> None:
    text = send(client, "/try", text="cant pay my rent").text
    assert "The assistant is not set up here" in text
    assert "Rent and mortgage worries" in text


def test_what_is_typed_is_shown_as_text(client: TestClient) -> None:
    typed = "<script>alert(1)</script>"
    for text in (client.get("/", params={"text": typed}).text, send(client, "/try", text=typed).text):
        assert "<script" not in text
        assert "&lt;script&gt;" in text


def test_health(client: TestClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"


def test_without_an_index_the_page_says_how_to_build_one(published: Settings, tmp_path: Path) -> None:
    settings = published.model_copy(update={"data_dir": tmp_path, "demo": False})
    with browser(settings) as client:
        add_editor(settings)
        sign_in(client)
        answer = send(client, "/try", text="rent")
        assert answer.status_code == 503
        assert "python -m knowledge index" in answer.text
        assert "fictional" not in client.get("/").text


def test_health_fails_when_the_catalogue_cannot_be_read(published: Settings, tmp_path: Path) -> None:
    settings = published.model_copy(update={"data_dir": tmp_path})
    with browser(settings) as client:
        with contextlib.closing(sqlite3.connect(tmp_path / "catalogue.sqlite")) as other:
            other.execute("DROP TABLE services")
        answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
