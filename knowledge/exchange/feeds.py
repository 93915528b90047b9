"""A feed of Open Referral UK on the web, page after page, asking only for what changed.

A list that gives only the heads of services is filled in from `/services/{id}`. After an interruption the next run
goes on where the last one stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from knowledge.errors import ImportRefused
from knowledge.exchange.documents import expand
from knowledge.exchange.fetching import NOT_MODIFIED, Answer
from knowledge.exchange.identity import as_id
from knowledge.exchange.limits import LIMITS, Limits
from knowledge.exchange.listings import Item, PageMark
from knowledge.exchange.problems import Problem
from knowledge.exchange.values import json_decoder

PER_PAGE = 100
PARTS = {
    "schedules",
    "service_at_locations",
    "phones",
    "contacts",
    "languages",
    "attributes",
    "cost_options",
    "locations",
}
"""A service with one of these is whole; without any it may be only the head."""


class Fetch(Protocol):
    """The part of the fetcher that a feed uses."""

    def fetch(
        self, address: str, target: Path, *, etag: str = "", modified: str = "", whole: bool = False
    ) -> Answer: ...


Recall = Callable[[str], PageMark | None]
"""What is remembered of a page. `carried` says that the run that was interrupted had already done it."""


class Feed:
    """Read with `items`. Afterwards `complete` says whether every page came."""

    def __init__(self, address: str, fetcher: Fetch, recall: Recall, scratch: Path, limits: Limits = LIMITS) -> None:
        self.address = address
        self.complete = False
        self._fetcher = fetcher
        self._recall = recall
        self._page_file = scratch / "page.json"
        self._detail_file = scratch / "detail.json"
        self._limits = limits

    def items(self) -> Iterator[Item]:
        """Services, problems and the marks of pages. A page that fails ends the run; what came before counts."""
        try:
            yield from self._pages()
        except ImportRefused as refusal:
            yield _problem(self.address, str(refusal))

    def _pages(self) -> Iterator[Item]:
        before: tuple[str, ...] = ()
        for number in range(1, self._limits.pages + 1):
            address = _with_page(self.address, number)
            known = self._recall(address)
            answer = None if known and known.carried else self._ask(address, known)
            if answer is None and known:
                mark = replace(known, carried=True)
            else:
                assert answer
                base = self.address
                mark = yield from self._read(answer, address, number)
                if self.address != base:
                    yield from self._pages()
                    return
                if mark.ids and mark.ids == before:
                    raise ImportRefused(
                        "every page is the same, so the feed does not know 'page'. Import it as a file."
                    )
            yield Item(where=address, mark=mark)
            if mark.last:
                self.complete = True
                return
            before = mark.ids

    def _read(self, answer: Answer, address: str, number: int) -> Generator[Item, None, PageMark]:
        """The services of a page that came. A page whose details did not all come is asked for again next time."""
        page = self._load(address)
        if number == 1 and isinstance(page, dict) and "openapi_url" in page and not self.address.endswith("/services"):
            self.address = _beneath(self.address, "services")
            return PageMark(address=address)
        ids, whole = [], True
        for head in _services(page, address, self._limits):
            item = self._whole(head)
            yield item
            whole = whole and (item.body is not None or head.body is None)
            if head.body:
                ids.append(as_id(head.body.get("id", "")))
        return PageMark(
            address=address,
            etag=answer.etag if whole else "",
            modified=answer.modified if whole else "",
            ids=tuple(ids),
            last=_is_last(page, number, bool(ids)),
        )

    def _ask(self, address: str, known: PageMark | None) -> Answer | None:
        """None when the page has not changed since `known`."""
        answer = self._fetcher.fetch(
            address, self._page_file, etag=known.etag if known else "", modified=known.modified if known else ""
        )
        if answer.status != NOT_MODIFIED:
            return answer
        return None if known else self._fetcher.fetch(address, self._page_file)

    def _load(self, address: str) -> Any:
        try:
            return _decoded(self._page_file)
        except (ValueError, RecursionError) as error:
            raise ImportRefused(f"{address}: is not JSON ({type(error).__name__}). Check the address.") from None

    def _whole(self, item: Item) -> Item:
        """The service in full, asked for by its id when the page has only its head."""
        if not item.body or PARTS & set(item.body) or not item.pointer.startswith("contents"):
            return item
        detail = f"{_beneath(self.address, '')}{quote(str(item.body.get('id', '')), safe='')}"
        try:
            self._fetcher.fetch(detail, self._detail_file)
            body = _decoded(self._detail_file)
            if not isinstance(body, dict) or str(body.get("id")) != str(item.body.get("id")):
                raise ValueError("it is another service")
        except (ImportRefused, ValueError, RecursionError) as error:
            text = f"its own page could not be read, so it is left as it was ({error}). Import again later."
            problem = Problem(where=item.where, pointer=item.pointer, text=text)
            return Item(where=item.where, pointer=item.pointer, problems=(*item.problems, problem))
        return next(expand(body, detail, "", self._limits))


def _decoded(path: Path) -> Any:
    data = path.read_bytes()
    return json_decoder().decode(data.decode(json.detect_encoding(data), "surrogatepass"))


def _services(page: Any, where: str, limits: Limits) -> Iterator[Item]:
    if isinstance(page, list):
        for number, value in enumerate(page):
            yield from expand(value, where, f"[{number}]", limits)
        return
    for key in ("contents", "content", "items", "results"):
        if isinstance(page, Mapping) and isinstance(page.get(key), list):
            for number, value in enumerate(page[key]):
                yield from expand(value, where, f"contents[{number}]", limits)
            return
    yield from expand(page, where, "", limits)


def _total(page: Any) -> int | None:
    value = page.get("total_pages", page.get("totalPages")) if isinstance(page, Mapping) else None
    return value if isinstance(value, int) and value >= 0 else None


def _is_last(page: Any, number: int, has_some: bool) -> bool:
    """A feed says so in one of three ways; one without pages has only this one."""
    if not isinstance(page, Mapping) or not has_some:
        return True
    total = _total(page)
    last = page.get("last_page", page.get("last"))
    if total is not None:
        return number >= total
    return last is True or last is None


def _with_page(address: str, number: int) -> str:
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "page"]
    if "per_page" not in dict(kept):
        kept.append(("per_page", str(PER_PAGE)))
    return urlunsplit(parts._replace(query=urlencode([*kept, ("page", str(number))]), fragment=""))


def _beneath(address: str, name: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}", fragment="", query=""))


def _problem(where: str, text: str) -> Item:
    return Item(where=where, problems=(Problem(where=where, pointer="", text=text),))
