"""The second layer of the concern check: the action server's classifier, asked for every message, with a deadline.

    POST {url}/concerns   {"text": ...}   ->   200 {"kinds": ["suicide", ...]}

It only adds to the patterns of `concern`. Whatever goes wrong with it - not there, slow, nonsense - the patterns stand
alone and the turn goes on; that it went wrong is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import httpx
import structlog

from channels.conversation import Concern
from channels.ledger.records import MessageRecord

PATH: Final = "/concerns"
NOTHING: Final[frozenset[Concern]] = frozenset()


class Notices(Protocol):
    """Whoever reads a message for concerns beside the patterns. Raises nothing that is foreseen."""

    async def notice(self, message: MessageRecord) -> frozenset[Concern]: ...


class PatternsAlone:
    """No second layer."""

    async def notice(self, message: MessageRecord) -> frozenset[Concern]:
        return NOTHING


class Noticing:
    """Holds one connection pool; `close` frees it. `deadline` is in seconds; `on_failure` is given the cause."""

    def __init__(self, url: str, token: str, deadline: float, on_failure: Callable[[str], None]) -> None:
        self._url = url.rstrip("/") + PATH
        self._deadline = deadline
        self._on_failure = on_failure
        # A proxy set for the outside world must never see what people write.
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=deadline, trust_env=False
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def notice(self, message: MessageRecord) -> frozenset[Concern]:
        """The concerns the classifier is sure enough of; none for a pressed button, without words, or when it fails."""
        if message.payload or not message.text.strip():
            return NOTHING
        cause = ""
        try:
            async with asyncio.timeout(self._deadline):
                response = await self._client.post(self._url, json={"text": message.text})
            if response.status_code == httpx.codes.OK:
                return read_kinds(response.json())
            cause = "refused"
        except (TimeoutError, httpx.TimeoutException):
            cause = "timeout"
        except httpx.HTTPError:
            cause = "unreachable"
        except (ValueError, KeyError, TypeError):
            cause = "malformed"
        self._on_failure(cause)
        structlog.get_logger().warning("concern_classifier_silent", message_id=message.id, cause=cause)
        return NOTHING


def read_kinds(body: object) -> frozenset[Concern]:
    """Kinds we do not know are passed over: the other side may be newer. Raises TypeError or KeyError for nonsense."""
    kinds = body["kinds"] if isinstance(body, dict) else None
    if not isinstance(kinds, list):
        raise TypeError("no list of kinds")
    return frozenset(kind for kind in Concern if str(kind) in kinds)
