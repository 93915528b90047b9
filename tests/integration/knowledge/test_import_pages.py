"""A catalogue comes in from the browser: sent, matched, looked at, confirmed, watched; without scripts."""

from __future__ import annotations

import html
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from knowledge.editing.accounts import Editor, Role
from knowledge.editing.import_jobs import Job, Stage
from knowledge.editing.imports import MOST_OPEN, Imports
from knowledge.editing.uploads import clean_name, keep_upload
from knowledge.editor.site import Site
from knowledge.errors import ImportRefused
from knowledge.exchange.bringing import Request
from knowledge.exchange.outcome import Outcome
from knowledge.publish import open_store
from knowledge.settings import Settings
from knowledge.store import Store
from tests.integration.knowledge.browsing import add_editor, browser, send, sign_in, token_of
from tests.integration.knowledge.exchange_builders import identity, page_of, served, soup
from tests.unit.knowledge.exchange.standard import EXAMPLES
from tests.unit.knowledge.exchange.workbook_builders import workbook

TABLE = b"Organisation,Service,Telephone,Email\nSoup Trust,Soup,01632 960001,soup\nSoup Trust,Tea,01632 960002,\n"


@pytest.fixture
def settings(own: Settings) -> Settings:
    return own.model_copy(update={"import_hosts": "127.0.0.1"})


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with browser(settings) as opened:
        opened.get("/?as=ana")
        yield opened


def site_of(client: TestClient) -> Site:
    return client.app.state.site  # type: ignore[attr-defined,no-any-return]  # the application is a Starlette


def upload(client: TestClient, name: str, body: bytes, **fields: str) -> httpx.Response:
    """Send a file and wait until it was looked at; the page of the import."""
    data = {"form_token": token_of(client), **fields}
    return settled(client, client.post("/import", data=data, files={"file": (name, body)}))


def settled(client: TestClient, page: httpx.Response) -> httpx.Response:
    site_of(client).imports.wait()
    return client.get(page.url.path) if page.is_success and page.url.path != "/import" else page


def answer(client: TestClient, page: httpx.Response, path: str = "", **fields: object) -> httpx.Response:
    return settled(client, send(client, f"{page.url.path}{path}", **fields))


def be(client: TestClient, login: str) -> None:
    client.get(f"/?as={login}")


def words(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text)))


def left_behind(settings: Settings) -> list[Path]:
    return [path for path in (settings.data_dir / "imports").rglob("*") if path.is_file() and "uploads" in path.parts]


def chosen_in(page: httpx.Response) -> dict[str, str]:
    """What the selects of the columns say, as a browser would send it."""
    found = re.findall(r'<select id="(column-\w+)".*?</select>', page.text, re.S)
    selects = re.findall(r'<select id="column-\w+".*?</select>', page.text, re.S)
    options = [re.search(r'value="([^"]*)" selected', each) for each in selects]
    return {name: html.unescape(option[1]) if option else "" for name, option in zip(found, options, strict=True)}


def test_a_feed_file_is_looked_at_and_taken_in_as_drafts(client: TestClient, settings: Settings) -> None:
    page = upload(client, "feed.json", json.dumps([soup(1), soup(2, url="x")]).encode())
    assert "Added 2 would be new" in words(page)
    assert "feed.json:1 [1].url" in words(page)
    assert site_of(client).store.listing(identity(1)) is None
    done = answer(client, page, then="take")
    assert "Done." in words(done)
    listing = site_of(client).store.listing(identity(1))
    assert listing and not listing.published
    assert left_behind(settings) == []
    again = upload(client, "feed.json", json.dumps([soup(1), soup(2, url="x")]).encode())
    assert "Unchanged 2" in words(again)


def test_the_official_examples_come_in_with_their_problems_by_line_and_field(client: TestClient) -> None:
    page = upload(client, "service_full_FAIL.json", (EXAMPLES / "service_full_FAIL.json").read_bytes())
    assert "2 errors (left out)" in words(page)
    assert {"url", "email"} <= set(re.findall(r"<td>(\w+)</td>", page.text))
    assert "Added 1 would be new" in words(upload(client, "x.json", (EXAMPLES / "service_full.json").read_bytes()))


def test_columns_are_suggested_chosen_and_kept_for_the_next_time(client: TestClient) -> None:
    page = upload(client, "list.csv", TABLE)
    assert "a suggestion" in words(page)
    assert "Telephone: 01632 960001" in words(page)
    chosen = chosen_in(page)
    assert (chosen["column-name"], chosen["column-phone"], chosen["column-description"]) == ("Service", "Telephone", "")
    refused = answer(client, page, "/columns", **{**chosen, "column-name": ""})
    assert "Choose the column that has the name" in refused.text or refused.status_code == 422
    looked = answer(client, page, "/columns", **{**chosen, "column-description": "Email"})
    assert "Added 2 would be new" in words(looked)
    assert "list.csv:2 Email Error: 'soup' is not an email address" in words(looked)
    answer(client, looked, then="away")
    assert chosen_in(upload(client, "list.csv", TABLE))["column-description"] == "Email"


def test_a_workbook_with_several_sheets(client: TestClient, tmp_path: Path) -> None:
    rows = [["Provider", "Service", "Telephone"], ["Soup Trust", "Soup", 1632960001]]
    path = workbook(tmp_path / "book.xlsx", {"Notes": [["Hello"]], "Help": rows})
    page = upload(client, "our book.xlsx", path.read_bytes())
    assert "Sheet with the listings" in words(page)
    page = answer(client, page, "/columns", sheet="Help")
    looked = answer(client, page, "/columns", **chosen_in(page))
    assert "our book.xlsx: sheet 'Help', row 2 Telephone (column C)" in words(looked)
    assert "Done." in words(answer(client, looked, then="take"))
    again = upload(client, "our book.xlsx", path.read_bytes())
    assert "<option selected>Help</option>" in again.text


def test_a_package_and_a_feed(client: TestClient) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("services.csv", "id,name,status,organization_id\n1,Soup,active,7\n")
        archive.writestr("organizations.csv", "id,name,description\n7,Trust,Runs it\n")
    assert "Added 1 would be new" in words(upload(client, "package.zip", packed.getvalue()))
    with served(lambda _path, _headers: (200, {}, page_of([soup(1)], 1, 1))) as (address, _asked):
        page = settled(client, send(client, "/import", address=f"{address}/services", source="The council"))
        assert "Import of The council" in words(page)
        assert "Done." in words(answer(client, page, then="take"))
    with served(lambda _path, _headers: (200, {}, TABLE)) as (address, _asked):
        page = settled(client, send(client, "/import", address=f"{address}/list.csv"))
        assert chosen_in(page)["column-name"] == "Service"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        pytest.param("feed.exe", b"x", "Send a file that ends with one of", id="another kind"),
        pytest.param("feed.json", b"", "is empty", id="empty"),
        pytest.param("", b"", "Choose a file or write an address", id="nothing"),
    ],
)
def test_what_cannot_be_is_said_beside_the_form(client: TestClient, name: str, body: bytes, said: str) -> None:
    data = {"form_token": token_of(client), "address": ""}
    page = client.post("/import", data=data, files={"file": (name, body)} if name else {"file": ("", b"")})
    assert page.status_code == 422
    assert said in words(page)


@pytest.mark.parametrize("address", ["/etc/passwd", "file:///etc/passwd", "https://127.0.0.1:1/services", "ftp://x"])
def test_an_address_leads_nowhere_but_to_the_web(client: TestClient, address: str) -> None:
    site_of(client).imports._settings = site_of(client).settings.model_copy(update={"import_hosts": ""})
    page = settled(client, send(client, "/import", address=address))
    assert "Write an address that begins with https://" in words(page) or "private network" in words(page)


def test_a_broken_file_says_so_and_leaves_nothing(client: TestClient, settings: Settings) -> None:
    page = upload(client, "book.xlsx", b"PK")
    assert "Save it again as XLSX" in words(page)
    page = upload(client, "feed.json", b"{")
    assert "Nothing could be read" in words(page)
    assert left_behind(settings) == []


def test_too_large_is_said_before_it_is_read(client: TestClient) -> None:
    headers = {"content-length": "999999999999", "content-type": "multipart/form-data; boundary=x"}
    page = client.post("/import", content=b"", headers=headers)
    assert page.status_code == 413
    assert "larger than 200 MB" in words(page)


def test_only_a_form_of_ours_and_only_somebody_signed_in(client: TestClient, settings: Settings) -> None:
    files = {"file": ("feed.json", b"[]")}
    assert client.post("/import", files=files).status_code == 403
    assert client.post("/import", files=files, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    client.cookies.clear()
    assert client.post("/import", files=files).status_code == 401
    assert left_behind(settings) == []


def test_what_people_are_offered_needs_a_second_publisher(client: TestClient) -> None:
    bodies = [soup(1), soup(2)]
    page = upload(client, "feed.json", json.dumps(bodies).encode(), needs="1")
    refused = answer(client, page, then="take", publish="1")
    assert refused.status_code == 403
    assert "somebody else has to confirm it" in words(refused)
    be(client, "robin")
    answer(client, page, then="take", publish="1")
    listing = site_of(client).store.listing(identity(1))
    assert listing and listing.published
    assert site_of(client).live.wait(60)
    changed = upload(client, "feed.json", json.dumps([soup(1, description="Cold soup."), soup(2)]).encode())
    assert "ask another publisher" in words(changed)
    be(client, "ana")
    changed = client.get(changed.url.path)
    assert "Changed 1" in words(changed)
    assert "Soup 1 : summary, description" in words(changed)
    answer(client, changed, then="take")
    listing = site_of(client).store.listing(identity(1))
    assert listing and listing.service.description == "Cold soup."


def test_what_is_not_offered_yet_is_found_and_says_what_it_waits_for(client: TestClient) -> None:
    bodies = [soup(1), soup(2, phones=[])]
    done = answer(client, upload(client, "feed.json", json.dumps(bodies).encode(), needs="1"), then="take")
    assert "1 wait for something" in words(done)
    listed = words(client.get("/?show=unpublished"))
    assert "2 of " in listed
    assert "Soup 1" in listed
    assert "no phone number: add one" in words(client.get(f"/listings/{identity(2)}"))
    assert "Nobody is offered this yet. To offer it, open Edit" in words(client.get(f"/listings/{identity(1)}"))


def test_the_same_in_each_database(anywhere: Settings) -> None:
    with browser(anywhere) as client:
        be(client, "ana")
        page = upload(client, "feed.json", json.dumps([soup(1), soup(2)]).encode(), needs="1")
        be(client, "robin")
        assert "Done." in words(answer(client, page, then="take", publish="1"))
        assert "Unchanged 2" in words(upload(client, "feed.json", json.dumps([soup(1), soup(2)]).encode(), needs="1"))
        given = client.get("/open-referral/v3/services", params={"search": "soup 1"}).json()
        assert [each["name"] for each in given["contents"]] == ["Soup 1"]
        send(client, f"/listings/{identity(1)}/report", wrong="phone")
        assert "The phone number is wrong" in client.get("/problems").text
    with browser(anywhere) as client:
        be(client, "ana")
        assert "Done;" in words(client.get("/import"))


def test_an_editor_looks_and_a_publisher_confirms(settings: Settings) -> None:
    add_editor(settings, "ed", Role.EDITOR)
    with browser(settings) as client:
        sign_in(client, "ed")
        page = upload(client, "feed.json", json.dumps([soup(1)]).encode())
        assert "A publisher has to confirm it" in words(page)
        assert answer(client, page, then="take").status_code == 403
        assert site_of(client).store.listing(identity(1)) is None


def test_a_source_that_is_nearly_empty_is_believed_only_when_somebody_says_so(client: TestClient) -> None:
    answer(client, upload(client, "f.json", json.dumps([soup(n) for n in range(12)]).encode()), then="take")
    page = upload(client, "f.json", json.dumps([soup(1)]).encode())
    assert "11 listings, more than half of this source" in words(page)
    assert "Gone 11" in words(answer(client, page, then="take", accept_gone="1"))


def test_many_problems_come_in_pages(client: TestClient) -> None:
    body = json.dumps([soup(n, url="x") for n in range(60)]).encode()
    page = upload(client, "feed.json", body)
    assert "Page 1 of 2" in words(page)
    second = client.get(page.url.path, params={"part": "problems", "page": 2})
    assert "[59].url" in words(second)
    assert "[3].url" not in words(second)
    assert "Soup 7" in words(client.get(page.url.path, params={"part": "added"}))


def test_text_of_a_source_is_never_markup(client: TestClient) -> None:
    page = upload(client, "feed.json", json.dumps([soup(1, name="<script>alert(1)</script>", url="<b>")]).encode())
    assert "<script>alert" not in page.text
    assert "<script>alert" not in client.get(page.url.path, params={"part": "added"}).text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/cron.d/evil.csv", "evil.csv"),
        ("..\\..\\evil.JSON", "evil.json"),
        ("/abs/our list (2).xlsx", "our list (2).xlsx"),
        (".csv", "table.csv"),
        ("...csv", "table.csv"),
        ("a\x00b\n<i>.csv", "a_b_i.csv"),
        ("x" * 300 + ".zip", "x" * 80 + ".zip"),
    ],
)
def test_a_name_leads_nowhere(given: str, kept: str) -> None:
    assert clean_name(given) == kept


def test_a_file_that_is_larger_than_it_said_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="larger than"):
        keep_upload(tmp_path / "x", "feed.json", BytesIO(b"x" * 2_000), largest=1_000)
    assert list(tmp_path.iterdir()) == []


ANA = Editor(login="ana", name="Ana", role=Role.PUBLISHER)


class Slow:
    """An import that goes on, batch after batch, until it is let go."""

    def __init__(self) -> None:
        self.at_work, self.go_on = threading.Event(), threading.Event()

    def __call__(self, _s: Settings, _r: Request, tell: Callable[[Outcome], None], _n: Callable[[str], None]) -> Any:
        outcome = Outcome(source="feed", read=1_200)
        tell(outcome)
        self.at_work.set()
        assert self.go_on.wait(30)
        tell(outcome)
        return outcome


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def imports(settings: Settings, slow: Slow) -> Iterator[Imports]:
    with closing(Store.open(settings.database_url)) as store:
        opened = Imports(settings, store.engine, lambda: None, slow)
        yield opened
        slow.go_on.set()
        opened.close()


def test_progress_is_told_while_it_works_and_it_can_be_stopped(
    client: TestClient, settings: Settings, slow: Slow
) -> None:
    site = site_of(client)
    site.imports._bring = slow
    page = client.post("/import", data={"form_token": token_of(client)}, files={"file": ("feed.json", b"[]")})
    assert slow.at_work.wait(30)
    assert "Looking: 1,200 listings read so far." in words(client.get(page.url.path))
    told = client.get(f"{page.url.path}/progress").json()
    assert told == {"stage": "looking", "words": "Looking: 1,200 listings read so far."}
    send(client, page.url.path, then="away")
    slow.go_on.set()
    assert "It was stopped." in words(settled(client, page))
    assert left_behind(settings) == []


def found(imports: Imports, job: Job) -> Job:
    kept = imports.find(job.id)
    assert kept
    return kept


def test_only_so_many_wait(imports: Imports) -> None:
    for number in range(MOST_OPEN):
        imports.add(imports.new_folder(), f"https://feed.example/{number}", by=ANA)
    with pytest.raises(ImportRefused, match="are open already"):
        imports.new_folder()


def test_a_button_pressed_twice_does_it_once(imports: Imports, slow: Slow) -> None:
    slow.go_on.set()
    job = imports.add(imports.new_folder(), "https://feed.example/services", by=ANA)
    imports.wait()
    job = found(imports, job)
    assert job.stage is Stage.LOOKED
    slow.go_on.clear()
    slow.at_work.clear()
    for _ in range(2):
        imports.take(job, ANA, publish=False, accept_gone=False)
    assert slow.at_work.wait(30)
    slow.go_on.set()
    imports.wait()
    assert found(imports, job).stage is Stage.DONE


def test_what_was_taken_in_is_in_the_catalogue_after_a_restart(settings: Settings) -> None:
    with browser(settings) as client:
        client.get("/?as=ana")
        answer(client, upload(client, "feed.json", json.dumps([soup(1)]).encode()), then="take")
    store, _notes = open_store(settings)
    assert store.listing(identity(1))
    store.close()
    with browser(settings) as client:
        client.get("/?as=ana")
        assert "That import is not here" in words(client.get("/import/0011223344556677"))
