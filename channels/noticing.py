"""What the action server reads in a message beside Rasa: concerns in every one, needs in those too long for Rasa.

    POST {url}/concerns   {"text": ...}   ->   200 {"kinds": ["suicide", ...]}
    POST {url}/needs      {"text": ...}   ->   200 {"needs": ["rent_arrears", ...]}

The classifier only adds to the patterns of `concern`. Whatever goes wrong with either - not there, slow, nonsense - the
patterns stand alone, Rasa reads what it is sent, and the turn goes on; that it went wrong is counted. A long message is
read for concerns in windows that overlap, one after the other, each with the deadline; the first failure ends it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import httpx
import structlog

from channels.conversation import Concern
from channels.ledger.records import MessageRecord

CONCERNS: Final = "/concerns"
NEEDS: Final = "/needs"
WINDOW, OVERLAP = 1200, 200
"""Letters. In more than that, one sentence of danger is too small a part for the classifier to hear."""
EMPTY: Final = frozenset(
    re.findall(
        r"\w+",
        "a about am an and are as at be been being but by can could did do does er erm for from had has have he hello"
        " hes hey hi hiya how i id if ill im in is it its ive just like may me might mine my of oh on or really she"
        " shes should so some that thats the then there they theyre this to u um umm was we well were weve what when"
        " where which who why will with would you youre",
    )
)
"""Words that say nothing by themselves."""
LONGEST_START: Final = 6
"""Words."""
MOST_NEEDS: Final = 6
T = TypeVar("T")
NOTHING: Final[frozenset[Concern]] = frozenset()


class Notices(Protocol):
    """Whoever reads a message for concerns beside the patterns. Raises nothing that is foreseen."""

    async def notice(self, message: MessageRecord) -> frozenset[Concern]: ...


class NamesNeeds(Protocol):
    """Whoever reads a whole message for needs, the most urgent first. Raises nothing that is foreseen."""

    async def name_needs(self, message: MessageRecord) -> tuple[str, ...]: ...


class PatternsAlone:
    """No second layer."""

    async def notice(self, message: MessageRecord) -> frozenset[Concern]:
        return NOTHING

    async def name_needs(self, message: MessageRecord) -> tuple[str, ...]:
        return ()


class Noticing:
    """Holds one connection pool; `close` frees it. `deadline` is in seconds; `on_failure` is given the cause."""

    def __init__(self, url: str, token: str, deadline: float, on_failure: Callable[[str], None]) -> None:
        self._url = url.rstrip("/")
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
        found = NOTHING
        if message.payload or not says_something(message.text):
            return found
        for window in split_windows(message.text):
            kinds = await self._ask(CONCERNS, window, message.id, read_kinds)
            if kinds is None:
                break
            found |= kinds
        return found

    async def name_needs(self, message: MessageRecord) -> tuple[str, ...]:
        """What the whole of it is about; nothing when it cannot be read."""
        return await self._ask(NEEDS, message.text, message.id, read_needs) or ()

    async def _ask(self, path: str, text: str, message_id: str, read: Callable[[object], T]) -> T | None:
        cause = ""
        try:
            async with asyncio.timeout(self._deadline):
                response = await self._client.post(self._url + path, json={"text": text})
            if response.status_code == httpx.codes.OK:
                return read(response.json())
            cause = "refused"
        except (TimeoutError, httpx.TimeoutException):
            cause = "timeout"
        except httpx.HTTPError:
            cause = "unreachable"
        except (ValueError, KeyError, TypeError):
            cause = "malformed"
        if path == CONCERNS:
            self._on_failure(cause)
        structlog.get_logger().warning("second_reading_silent", path=path, message_id=message_id, cause=cause)
        return None


def says_something(text: str) -> bool:
    """Whether there is a word that means something by itself: "so ive been" is the start of a text in pieces.

    A sentence model has to guess at such a start, and guesses at the worst.
    """
    words = re.findall(r"\w+", re.sub(r"['\u2018\u2019]", "", text.casefold()))
    return len(words) > LONGEST_START or any(word not in EMPTY for word in words)


def split_windows(text: str) -> list[str]:
    """Overlapping parts, cut between words, that hold all of a text; the text itself when it is not long."""
    windows, start = [], 0
    while len(text) - start > WINDOW:
        end = text.rfind(" ", start + WINDOW - OVERLAP, start + WINDOW)
        end = end if end > 0 else start + WINDOW
        windows.append(text[start:end])
        start = max(start + 1, end - OVERLAP)
    return [*windows, text[start:]]


def read_needs(body: object) -> tuple[str, ...]:
    """Raises TypeError or KeyError for nonsense."""
    needs = body["needs"] if isinstance(body, dict) else None
    if not isinstance(needs, list) or not all(isinstance(need, str) for need in needs):
        raise TypeError("no list of needs")
    return tuple(needs[:MOST_NEEDS])


def read_kinds(body: object) -> frozenset[Concern]:
    """Kinds we do not know are passed over: the other side may be newer. Raises TypeError or KeyError for nonsense."""
    kinds = body["kinds"] if isinstance(body, dict) else None
    if not isinstance(kinds, list):
        raise TypeError("no list of kinds")
    return frozenset(kind for kind in Concern if str(kind) in kinds)
