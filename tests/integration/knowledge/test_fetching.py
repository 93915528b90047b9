"""Feeds over real HTTP on this machine: what is asked, what is refused, and going on after an interruption."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from knowledge.errors import ImportRefused
from knowledge.exchange.feeds import Feed
from knowledge.exchange.fetching import Fetcher
from knowledge.exchange.importing import Choices, Importer
from knowledge.exchange.limits import LIMITS
from knowledge.exchange.outcome import Outcome
from tests.integration.knowledge.exchange_builders import Answer, Catalogue, identity, page_of, served, soup
from tests.unit.knowledge.exchange.standard import READER

LOCAL = ("127.0.0.1",)
PER_PAGE = 3


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    opened = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    yield opened
    opened.store.close()


class Listings:
    """A feed of services in pages, with an ETag for each. `broken` pages answer 500, `heads` leaves the parts out."""

    def __init__(self, services: list[dict[str, Any]], *, heads: bool = False) -> None:
        self.services = services
        self.broken: set[int] = set()
        self.lost: set[str] = set()
        self.heads = heads

    def __call__(self, path: str, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(path)
        if parts.path == "/":
            return 200, {}, json.dumps({"version": "3.0", "openapi_url": "x"}).encode()
        if parts.path != "/services":
            found = [each for each in self.services if parts.path.endswith(each["id"])]
            return (200, {}, json.dumps(found[0]).encode()) if parts.path[10:] not in self.lost else (404, {}, b"")
        number = int(parse_qs(parts.query)["page"][0])
        if number in self.broken:
            return 500, {}, b""
        some = self.services[(number - 1) * PER_PAGE : number * PER_PAGE]
        kept = ("id", "name", "status", "description", "organization") if self.heads else tuple(soup(1))
        body = page_of(
            [{name: each[name] for name in kept} for each in some], number, -(-len(self.services) // PER_PAGE)
        )
        etag = f'"{hash(body)}"'
        return (304, {}, b"") if headers.get("if-none-match") == etag else (200, {"etag": etag}, body)


def bring(catalogue: Catalogue, address: str, folder: Path, **choices: Any) -> Outcome:
    fetcher = Fetcher(LOCAL, replace(LIMITS, retries=0))
    chosen = Choices(source="feed", **choices)
    run = catalogue.register.next_run("feed")
    feed = Feed(address, fetcher, lambda page: catalogue.register.page("feed", page, run), folder)
    importer = Importer(catalogue.store, catalogue.register, READER, catalogue.recogniser, chosen)
    try:
        return importer.run(feed.items(), lambda: feed.complete, lambda _outcome: None)
    finally:
        fetcher.close()


def test_every_page_is_read_and_later_only_what_changed(catalogue: Catalogue, tmp_path: Path) -> None:
    listings = Listings([soup(number) for number in range(8)])
    with served(listings) as (address, asked):
        outcome = bring(catalogue, f"{address}/services?taxonomy=x", tmp_path)
        assert (outcome.added, outcome.complete, outcome.errors) == (8, True, 0)
        assert [parse_qs(urlsplit(path).query)["page"] for path in asked] == [["1"], ["2"], ["3"]]
        assert "taxonomy=x&per_page=100&page=1" in asked[0]
        listings.services[4] = soup(4, description="Cold soup.")
        outcome = bring(catalogue, f"{address}/services?taxonomy=x", tmp_path)
    assert (outcome.changed, outcome.unchanged, outcome.carried, outcome.gone) == (1, 2, 5, 0)


def test_the_address_of_the_interface_is_enough(catalogue: Catalogue, tmp_path: Path) -> None:
    with served(Listings([soup(1)])) as (address, _asked):
        assert bring(catalogue, f"{address}/", tmp_path).added == 1


def test_an_interrupted_import_goes_on_where_it_stopped(catalogue: Catalogue, tmp_path: Path) -> None:
    listings = Listings([soup(number) for number in range(8)])
    listings.broken = {3}
    with served(listings) as (address, asked):
        outcome = bring(catalogue, f"{address}/services", tmp_path)
        assert (outcome.added, outcome.complete, outcome.gone) == (6, False, 0)
        assert "answered 500" in outcome.problems[0].text
        asked.clear()
        listings.broken = set()
        outcome = bring(catalogue, f"{address}/services", tmp_path)
    assert (outcome.added, outcome.carried, outcome.complete, outcome.gone) == (2, 6, True, 0)
    assert len(asked) == 1


def test_heads_are_filled_in_from_their_own_pages(catalogue: Catalogue, tmp_path: Path) -> None:
    listings = Listings([soup(number) for number in range(3)], heads=True)
    listings.lost = {identity(2)}
    with served(listings) as (address, asked):
        outcome = bring(catalogue, f"{address}/services", tmp_path)
        assert (outcome.added, outcome.skipped) == (2, 1)
        assert catalogue.service(identity(1)).phones[0].number == "01632 960001"
        listings.lost = set()
        asked.clear()
        outcome = bring(catalogue, f"{address}/services", tmp_path)
    assert (outcome.added, outcome.gone) == (1, 0)
    assert len(asked) == 4


def test_a_feed_that_does_not_know_pages_ends(catalogue: Catalogue, tmp_path: Path) -> None:
    with served(lambda _path, _headers: (200, {}, page_of([soup(1)], 1, 99))) as (address, asked):
        outcome = bring(catalogue, f"{address}/services", tmp_path)
    assert "every page is the same" in outcome.problems[-1].text
    assert len(asked) == 2


@pytest.mark.parametrize("body", [b"<html>", b"[" * 200_000, b'{"contents": 7}'])
def test_a_feed_that_is_none_is_said(catalogue: Catalogue, tmp_path: Path, body: bytes) -> None:
    with served(lambda _path, _headers: (200, {}, body)) as (address, _asked):
        outcome = bring(catalogue, f"{address}/services", tmp_path)
    assert outcome.errors
    assert outcome.added == 0


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    opened = Fetcher(LOCAL, replace(LIMITS, page_bytes=1_000, retries=1), sleep=lambda _seconds: None)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://feed.example/services", "only https"),
        ("ftp://127.0.0.1/services", "only https"),
        ("file:///etc/passwd", "only https"),
        ("https://user:secret@feed.example/", "without a password"),
        ("https://:443/", "host"),
        ("https://[::1", "host or port cannot be read"),
        ("https://localhost/services", "private network"),
        ("https://[::1]/services", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://0x7f000001/", "private network"),
        ("https://2130706433/", "private network"),
    ],
)
def test_addresses_that_must_not_be_asked(fetcher: Fetcher, tmp_path: Path, address: str, said: str) -> None:
    with pytest.raises(ImportRefused, match=said) as refusal:
        fetcher.fetch(address, tmp_path / "x")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "target",
    ["https://localhost/x", "http://localhost/x", "https://169.254.169.254/", "//[::1]/x", "file:///etc/passwd"],
)
def test_a_redirect_to_a_private_place_is_refused(fetcher: Fetcher, tmp_path: Path, target: str) -> None:
    with served(lambda _path, _headers: (302, {"location": target}, b"")) as (address, asked):
        with pytest.raises(ImportRefused):
            fetcher.fetch(address, tmp_path / "x")
        assert len(asked) == 1
    assert not (tmp_path / "x").exists()


def test_a_redirect_to_what_is_no_address_is_refused(fetcher: Fetcher, tmp_path: Path) -> None:
    with (
        served(lambda _path, _headers: (302, {"location": "https://[bad"}, b"")) as (address, _asked),
        pytest.raises(ImportRefused, match="no address"),
    ):
        fetcher.fetch(address, tmp_path / "out")


def test_redirects_end(fetcher: Fetcher, tmp_path: Path) -> None:
    again = served(lambda _path, _headers: (301, {"location": "/again"}, b""))
    with again as (address, asked), pytest.raises(ImportRefused, match="without end"):
        fetcher.fetch(address, tmp_path / "x")
    assert len(asked) == LIMITS.redirects + 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param((200, {}, b"x" * 1_001), "larger than 1,000 bytes", id="too large"),
        pytest.param((200, {"content-encoding": "gzip"}, b"x"), "not unpacked", id="packed"),
        pytest.param((404, {}, b""), "answered 404", id="not there"),
        pytest.param((503, {"retry-after": "1"}, b""), "answered 503", id="busy for long"),
        pytest.param((200, {"content-length": "50"}, b"short"), "could not be reached", id="cut off"),
    ],
)
def test_answers_that_are_not_used(fetcher: Fetcher, tmp_path: Path, answer: Answer, said: str) -> None:
    with served(lambda _path, _headers: answer) as (address, _asked), pytest.raises(ImportRefused, match=said):
        fetcher.fetch(address, tmp_path / "x")


def test_a_busy_server_is_asked_again_after_the_time_it_says(tmp_path: Path) -> None:
    answers: list[Answer] = [(429, {"retry-after": "7"}, b""), (503, {}, b""), (200, {"etag": '"1"'}, b"{}")]
    waited: list[float] = []
    fetcher = Fetcher(LOCAL, sleep=waited.append)
    with served(lambda _path, _headers: answers.pop(0)) as (address, _asked):
        assert fetcher.fetch(address, tmp_path / "x").etag == '"1"'
    fetcher.close()
    assert waited == [7.0, 2.0]


def test_an_answer_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    fetcher = Fetcher(LOCAL, replace(LIMITS, answer_seconds=-1.0, retries=0))
    slow = served(lambda _path, _headers: (200, {}, b"{}"))
    with slow as (address, _asked), pytest.raises(ImportRefused, match="took longer"):
        fetcher.fetch(address, tmp_path / "x")
    fetcher.close()
