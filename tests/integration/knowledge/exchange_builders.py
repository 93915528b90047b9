"""A catalogue to import into, without any model, and feeds on this machine that can misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from knowledge.catalogue import Service
from knowledge.exchange.documents import expand
from knowledge.exchange.importing import Choices, Importer
from knowledge.exchange.listings import Item
from knowledge.exchange.outcome import Outcome
from knowledge.exchange.register import Register
from knowledge.store import Store
from tests.unit.knowledge.exchange.standard import READER

Answer = tuple[int, Mapping[str, str], bytes]


class FoodForAll:
    """A recogniser that finds food in soup and nothing elsewhere; it remembers how many it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def recognise(self, services: Sequence[Service]) -> list[tuple[str, ...]]:
        self.asked += len(services)
        return [("food",) if "soup" in service.name.lower() else () for service in services]


class Catalogue:
    """A store with its register."""

    def __init__(self, url: str) -> None:
        self.reader = READER
        self.store = Store.open(url)
        self.register = Register(self.store)
        self.recogniser = FoodForAll()

    def bring(self, bodies: Iterable[Any], *, whole: bool = True, **choices: Any) -> Outcome:
        items = [item for body in bodies for item in (body if isinstance(body, list) else [body])]
        read = [
            each if isinstance(each, Item) else next(expand(each, f"feed.json:{number}", f"[{number}]"))
            for number, each in enumerate(items)
        ]
        chosen = Choices(**{"source": "feed", **choices})
        importer = Importer(self.store, self.register, self.reader, self.recogniser, chosen)
        return importer.run(read, lambda: whole, lambda _outcome: None)

    def service(self, identity: str) -> Service:
        listing = self.store.listing(identity)
        assert listing
        return listing.service

    def published(self) -> set[str]:
        return {service.id for service in self.store.published()}


def soup(number: int, **fields: Any) -> dict[str, Any]:
    """A whole service: it has a number, and its need will be found."""
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "name": f"Soup {number}",
        "status": "active",
        "description": "Hot soup.",
        "organization": {"id": "d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610", "name": "Soup Trust", "description": "Soup."},
        "phones": [{"id": f"00000000-0000-4000-9000-{number:012}", "number": "01632 960001"}],
        **fields,
    }


def identity(number: int) -> str:
    return str(soup(number)["id"])


@contextmanager
def served(answer: Callable[[str, Mapping[str, str]], Answer]) -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine that answers as the function says; its address, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = answer(self.path, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page_of(services: Sequence[Mapping[str, Any]], number: int, total: int) -> bytes:
    """A page as the standard has it."""
    page = {"total_items": len(services) * total, "total_pages": total, "page_number": number, "size": len(services)}
    return json.dumps({**page, "first_page": number == 1, "last_page": number == total, "contents": services}).encode()
