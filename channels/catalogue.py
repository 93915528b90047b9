"""The support catalogue as the desk sees it: looked up over HTTP, in the words a peer worker types.

The catalogue belongs to the other half of the product; here a service is a card with an id nobody reads into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, Protocol

import httpx
import structlog

from channels.conversation import ServiceCard
from channels.errors import ChannelsError
from channels.settings import Settings

SECONDS: Final = 4.0
CARD_FIELDS: Final = tuple(field.name for field in fields(ServiceCard))


class CatalogueAway(ChannelsError):
    """The search did not answer, or in a way that nobody can read."""


class Catalogue(Protocol):
    """Whatever can be searched."""

    async def find(self, text: str, near: str | None) -> list[ServiceCard]: ...


class SearchClient:
    """Asks the action server. Words travel in the body: an address may be logged on the way."""

    def __init__(self, settings: Settings) -> None:
        token = settings.actions_token.get_secret_value()
        self._url = f"{settings.action_server_url}/search"
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS, trust_env=False, follow_redirects=False
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def find(self, text: str, near: str | None) -> list[ServiceCard]:
        """Best first. Raises CatalogueAway."""
        try:
            answer = await self._client.post(self._url, json={"text": text, "near": near})
            answer.raise_for_status()
            return read_cards(answer.json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as problem:
            structlog.get_logger().warning("catalogue_away", problem=type(problem).__name__)
            raise CatalogueAway from None


def read_cards(body: Mapping[str, Any]) -> list[ServiceCard]:
    """Fields we do not know are passed over. Raises KeyError, TypeError, AttributeError or ValueError for no card."""
    cards = []
    for held in body["cards"]:
        card = ServiceCard(**{name: held.get(name) or "" for name in CARD_FIELDS})
        if not (isinstance(card.service_id, str) and isinstance(card.name, str) and card.service_id and card.name):
            raise ValueError("a card without an id or a name")
        cards.append(card)
    return cards
