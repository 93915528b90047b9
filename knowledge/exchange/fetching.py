"""Asking a web server for a page of a feed: only https, only public hosts, only so much, only so long."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpcore

from knowledge.errors import ImportRefused
from knowledge.exchange.addresses import GuardedNetwork, Resolve, resolve
from knowledge.exchange.limits import LIMITS, Limits

NOT_MODIFIED = 304
REDIRECTS = {301, 302, 303, 307, 308}
BUSY = {429, 502, 503, 504}
AGENT = "no-wrong-door-import/1"
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. The body is in the file that was given; nothing is in it when nothing changed (304)."""

    status: int
    address: str
    kind: str
    """Content type, without parameters."""
    etag: str
    modified: str


class Fetcher:
    """`allowed` hosts may be private and may be asked over plain http. Close when done."""

    def __init__(
        self,
        allowed: Collection[str] = (),
        limits: Limits = LIMITS,
        find: Resolve = resolve,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        self._limits = limits
        self._sleep = sleep
        network = GuardedNetwork(allowed, find)
        self._pool = httpcore.ConnectionPool(network_backend=network, max_connections=2, keepalive_expiry=30.0)

    def close(self) -> None:
        self._pool.close()

    def fetch(self, address: str, target: Path, *, etag: str = "", modified: str = "", whole: bool = False) -> Answer:
        """Write the body to `target`. `whole` is for files, which may be larger than a page of a feed.

        Raises ImportRefused: for an address that must not be asked, and when there is no good answer.
        """
        headers = {
            "accept": "application/json, text/csv, */*;q=0.1",
            "accept-encoding": "identity",
            "user-agent": AGENT,
        }
        headers |= {"if-none-match": etag} if etag else {}
        headers |= {"if-modified-since": modified} if modified and not etag else {}
        for attempt in range(self._limits.retries + 1):
            answer, wait = self._follow(address, headers, target, whole)
            if answer.status not in BUSY:
                break
            if attempt < self._limits.retries:
                self._sleep(min(wait or 2.0**attempt, self._limits.wait_seconds))
        if answer.status not in {200, NOT_MODIFIED}:
            raise ImportRefused(f"{_shown(address)}: answered {answer.status}. Check the address, or try again later.")
        return answer

    def _follow(self, address: str, headers: dict[str, str], target: Path, whole: bool) -> tuple[Answer, float]:
        for _step in range(self._limits.redirects + 1):
            self._check(address)
            with self._ask(address, headers) as response:
                told = {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
                if response.status in REDIRECTS and "location" in told:
                    address = _joined(address, told["location"])
                    continue
                if response.status == 200:
                    self._save(response, told, target, address, whole)
                return _answer(response.status, address, told), _seconds(told.get("retry-after", ""))
        raise ImportRefused(f"{_shown(address)}: sends us from one address to another without end. Check it.")

    def _check(self, address: str) -> None:
        try:
            parts = urlsplit(address)
            host, _port = parts.hostname or "", parts.port
        except ValueError:
            raise ImportRefused(f"{_shown(address)}: its host or port cannot be read. Correct it.") from None
        known = host.lower() in self._allowed
        if parts.scheme != "https" and not (parts.scheme == "http" and known):
            raise ImportRefused(f"{_shown(address)}: only https addresses are asked. Begin with https://")
        if not host or parts.username or parts.password:
            raise ImportRefused(f"{_shown(address)}: is not an address with a host and without a password. Correct it.")

    @contextmanager
    def _ask(self, address: str, headers: dict[str, str]) -> Iterator[httpcore.Response]:
        timeout = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": READ_SECONDS}
        try:
            with self._pool.stream(
                "GET", address, headers=list(headers.items()), extensions={"timeout": timeout}
            ) as response:
                yield response
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            cause = type(error).__name__
            raise ImportRefused(f"{_shown(address)}: could not be reached ({cause}). Try again later.") from None

    def _save(self, response: httpcore.Response, told: dict[str, str], target: Path, address: str, whole: bool) -> None:
        if told.get("content-encoding", "identity").lower() not in {"", "identity"}:
            raise ImportRefused(f"{_shown(address)}: answers packed though it was asked not to. It is not unpacked.")
        most = self._limits.download_bytes if whole else self._limits.page_bytes
        seconds = self._limits.download_seconds if whole else self._limits.answer_seconds
        ends, written = time.monotonic() + seconds, 0
        with target.open("wb") as out:
            for chunk in response.iter_stream():
                written += len(chunk)
                if written > most:
                    raise ImportRefused(f"{_shown(address)}: is larger than {most:,} bytes. Ask for smaller pages.")
                if time.monotonic() > ends:
                    raise ImportRefused(f"{_shown(address)}: took longer than {seconds:g} seconds. Try again later.")
                out.write(chunk)


def _joined(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:
        raise ImportRefused(f"{_shown(address)}: sends us to what is no address. Tell its owner.") from None


def _answer(status: int, address: str, told: dict[str, str]) -> Answer:
    return Answer(
        status=status,
        address=address,
        kind=told.get("content-type", "").split(";")[0].strip().lower(),
        etag=told.get("etag", "")[:200],
        modified=told.get("last-modified", "")[:100],
    )


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0


def _shown(address: str) -> str:
    """Without what may be secret: a password or a key among the parameters."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"[:200]
    except ValueError:
        return "the address"
