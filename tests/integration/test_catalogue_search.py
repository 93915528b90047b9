"""The catalogue looked up from the desk: over HTTP with a token, in the body, and away without harm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.actions.catalogue_search import CatalogueSearch
from bot.actions.live_search import NotReady
from channels.catalogue import CatalogueAway, SearchClient, read_cards
from channels.conversation import ServiceCard
from channels.settings import Settings
from tests.integration.serving import free_port, serving

CARD = ServiceCard(service_id="s1", name="Rent Rescue", phone="01632 960112", why="rent")


class Tools:
    """As much of the toolbox as a search needs."""

    def __init__(self) -> None:
        self.ready = True
        self.finder = self
        self.asked: list[tuple[str, str | None]] = []

    def now(self) -> None:
        return None

    def find(self, text: str, *, near: str | None, now: object, limit: int) -> Any:
        if not self.ready:
            raise NotReady
        self.asked.append((text, near))
        match = SimpleNamespace(service="s1", reason="rent")
        return SimpleNamespace(place=None, matches=(match,) if "rent" in text else ())

    def make_cards(self, place: object) -> Any:
        return SimpleNamespace(make_card=lambda service, why: CARD)


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


@pytest.fixture
async def address(tools: Tools, threads: ThreadPoolExecutor) -> AsyncIterator[str]:
    search = CatalogueSearch(tools=tools, threads=threads, token="known")  # type: ignore[arg-type]
    port = free_port()
    async with serving(Starlette(routes=[search.route()]), port) as served:
        yield served


def client_for(settings: Settings, address: str, token: str = "known") -> SearchClient:
    return SearchClient(settings.model_copy(update={"actions_url": address, "actions_token": SecretStr(token)}))


async def test_what_is_found_comes_as_cards(settings: Settings, address: str, tools: Tools) -> None:
    client = client_for(settings, address)
    assert await client.find("behind with rent", "Wrenbridge") == [CARD]
    assert await client.find("zebra", None) == []
    assert tools.asked == [("behind with rent", "Wrenbridge"), ("zebra", None)]
    await client.close()


async def test_away_is_said_and_nothing_else(settings: Settings, address: str, tools: Tools) -> None:
    tools.ready = False
    for client in (client_for(settings, address), client_for(settings, address, "guessed")):
        with pytest.raises(CatalogueAway):
            await client.find("rent", None)
        await client.close()
    nobody = client_for(settings, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(CatalogueAway):
        await nobody.find("rent", None)
    await nobody.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b'{"text": " "}', 400), (b'{"text": 3}', 400), (b'{"text": "rent", "near": 4}', 200)],
)
async def test_a_question_needs_words(address: str, body: bytes, status: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{address}/search", content=body, headers={"authorization": "Bearer known"})
    assert answer.status_code == status


@pytest.mark.parametrize("body", [{}, {"cards": [{}]}, {"cards": [{"service_id": "x", "name": ""}]}, {"cards": [3]}])
def test_what_is_no_card_is_no_answer(body: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError, AttributeError)):
        read_cards(body)
