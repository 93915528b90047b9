"""JSON documents of any size, one service at a time: only one service is ever in memory.

Understood: a service; a list of them; a page ("contents": [...]); an organisation with its services, or a list of
those; a service at a location; and one of these on every line (NDJSON).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from knowledge.exchange.encodings import WESTERN, open_text
from knowledge.exchange.limits import LIMITS, Limits
from knowledge.exchange.listings import Item
from knowledge.exchange.meter import Meter, Readable
from knowledge.exchange.problems import Problem
from knowledge.exchange.values import json_decoder

LISTS = ("contents", "content", "services", "items", "results", "organizations", "service_at_locations_list")
FIRST_READ = 1 << 16
MOST_BROKEN = 1_000
"""Broken lines of one file, after which it is not read on: they are not what the file is about."""
SPACE = " \t\r\n"
ORGANISATION_ONLY = {"organization_identifiers", "legal_status", "year_incorporated", "parent_organization_id"}


class Broken(Exception):
    """The text is not JSON from here on. Carries the line and what is wrong."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


def read_document(path: Path, name: str, limits: Limits = LIMITS, meter: Meter | None = None) -> Iterator[Item]:
    """Every service of a file. What cannot be read is an item with a problem; the ones before it count."""
    try:
        with open_text(path) as (stream, encoding):
            if encoding == WESTERN:
                yield _problem(name, 1, "is not UTF-8, so it was read as Windows-1252. Save it as UTF-8.", error=False)
            reader = _Stream((meter or Meter()).watch(stream), limits)
            if reader.peek() is None:
                yield _problem(name, 1, "is empty. A file begins with a brace or a square bracket.")
            for _broken in range(MOST_BROKEN):
                try:
                    for line, pointer, value in _top(reader):
                        yield from expand(value, f"{name}:{line}", pointer, limits)
                    return
                except Broken as broken:
                    yield _problem(name, broken.line, broken.text)
                if not reader.go_on():
                    return
    except OSError as error:
        yield _problem(name, 1, f"cannot be read ({error.strerror}). Check the name.")


def expand(value: Any, where: str, pointer: str, limits: Limits = LIMITS) -> Iterator[Item]:
    """A value to the services in it."""
    if not isinstance(value, Mapping):
        yield _item_problem(where, pointer, "is not an object. A service begins with a brace.")
    elif not _shallow(value, limits.depth):
        yield _item_problem(where, pointer, f"is nested deeper than {limits.depth} levels. It was left out.")
    elif isinstance(value.get("services"), list):
        owner = {name: each for name, each in value.items() if name != "services"}
        for number, service in enumerate(value["services"]):
            here = f"{pointer}.services[{number}]".lstrip(".")
            yield from _owned(service, owner, where, here)
    elif isinstance(value.get("service"), Mapping):
        at = {name: each for name, each in value.items() if name != "service"}
        service = value["service"]
        yield Item(where=where, pointer=pointer, body={**service, "service_at_locations": [at]})
    elif ORGANISATION_ONLY & set(value) and not {"status", "organization", "organization_id"} & set(value):
        yield _item_problem(where, pointer, "is an organisation without services, so there is nothing to list.", False)
    else:
        yield Item(where=where, pointer=pointer, body=value)


def _owned(service: Any, owner: Mapping[str, Any], where: str, pointer: str) -> Iterator[Item]:
    if not isinstance(service, Mapping):
        yield _item_problem(where, pointer, "is not an object. A service begins with a brace.")
        return
    body = service if service.get("organization") or not owner.get("id") else {**service, "organization": owner}
    yield Item(where=where, pointer=pointer, body=body)


def _top(reader: _Stream) -> Iterator[tuple[int, str, Any]]:
    """(line, pointer, value) of each value that may be a service."""
    while (first := reader.peek()) is not None:
        reader.began = reader.line
        if first == "[":
            yield from ((line, f"[{number}]", value) for number, (line, value) in enumerate(reader.entries()))
        elif first == "{":
            yield from _object(reader)
        else:
            raise Broken(reader.line, f"{first!r} was not expected. A file begins with a brace or a square bracket.")


def _object(reader: _Stream) -> Iterator[tuple[int, str, Any]]:
    """A page or an organisation is streamed; anything else is one value.

    Who runs services may be said after them, so these wait for it: no more of them than may be in one entry.
    """
    line, began, held = reader.line, reader.taken, False
    rest: dict[str, Any] = {}
    waiting: list[tuple[int, str, Any]] = []
    try:
        for key in reader.names():
            if key in LISTS and reader.peek() == "[":
                held = True
                for number, (at, value) in enumerate(reader.entries()):
                    waiting.append((at, f"{key}[{number}]", value))
                    if key != "services" or reader.taken - began > reader.limits.item_bytes:
                        yield from _run_by(rest, waiting)
                        waiting = []
            else:
                rest[key] = reader.value()
    except Broken:
        yield from _run_by(rest, waiting)
        raise
    yield from _run_by(rest, waiting)
    if not held:
        yield line, "", rest


def _run_by(rest: Mapping[str, Any], waiting: list[tuple[int, str, Any]]) -> Iterator[tuple[int, str, Any]]:
    """Services of an organisation, when what is around them is one; else they are as they are."""
    for line, pointer, value in waiting:
        owned = pointer.startswith("services[") and isinstance(value, dict) and "organization" not in value
        yield line, pointer, {**value, "organization": dict(rest)} if owned and rest.get("name") else value


class _Stream:
    """Decodes value after value out of a buffer that is filled as needed."""

    def __init__(self, stream: Readable, limits: Limits) -> None:
        self.line = 1
        self._stream = stream
        self.limits = limits
        self.taken = 0
        """Characters of the file that were read so far."""
        self._buffer = ""
        self._at = self._counted = 0
        self._ended = False
        self._listed = False
        self._begins_line = True
        self.began = 1
        """The line on which the value at the top begins that is being read."""
        self._decoder = json_decoder()

    def peek(self) -> str | None:
        """The next character that is no space; None at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in SPACE:
                self._at += 1
            if self._at < len(self._buffer):
                self._drop()
                return self._buffer[self._at]
            if not self._fill(FIRST_READ):
                return None

    def entries(self) -> Iterator[tuple[int, Any]]:
        """The entries of the list that begins here, each with its line."""
        self._expect("[")
        self._listed = self.peek() != "]"
        if not self._listed:
            self._at += 1
        while self._listed:
            self.peek()
            line = self.line
            yield line, self.value()
            self._listed = self._expect(",]") == ","

    def names(self) -> Iterator[str]:
        """The names in the object that begins here. Read the value of each before asking for the next."""
        self._expect("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise Broken(self.line, "a name in quotation marks was expected here.")
            self._expect(":")
            yield key
            if self._expect(",}") == "}":
                return

    def value(self) -> Any:
        self.peek()
        size = FIRST_READ
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                raise Broken(self.line, "is nested too deeply to be read.") from None
            except json.JSONDecodeError as error:
                if self._ended:
                    raise Broken(self._line_of(error.pos), f"is not JSON ({error.msg}).") from None
                if len(self._buffer) - self._at > self.limits.item_bytes:
                    text = f"is not JSON ({error.msg}), or an entry larger than {self.limits.item_bytes:,} characters."
                    raise Broken(self.line, text) from None
            else:
                if end < len(self._buffer) or self._ended:
                    self._at = end
                    return value
            size *= 2
            self._fill(size)

    def go_on(self) -> bool:
        """After what is broken: to the next line that is an object, of a file with one on each. Whether there is one.

        In a list, or in an object over several lines, nobody can say where the next entry begins.
        """
        begins = self._begins_line and self.line > self.began  # what was missing from one line was looked for here
        while not self._listed and (begins or self._next_line()):
            begins = False
            line = self._buffer[self._at : self._line_end()].rstrip()
            if line.startswith("{") and line.endswith("}"):
                return True
        return False

    def _line_of(self, position: int) -> int:
        return self.line + self._buffer.count("\n", self._at, position)

    def _next_line(self) -> bool:
        self._at = self._line_end()
        if self._at == len(self._buffer):
            return False
        self._at += 1
        self._drop()
        return True

    def _line_end(self) -> int:
        """Where the line ends that is being read: at its line break, or with the text, or where it is too long."""
        while (end := self._buffer.find("\n", self._at)) < 0:
            if len(self._buffer) - self._at > self.limits.item_bytes or not self._fill(FIRST_READ):
                return len(self._buffer)
        return end

    def _expect(self, characters: str) -> str:
        found = self.peek()
        if found is None or found not in characters:
            expected = " or ".join(repr(each) for each in characters)
            raise Broken(self.line, f"{expected} was expected, not {'the end' if found is None else repr(found)}.")
        self._at += 1
        return found

    def _fill(self, size: int) -> bool:
        more = self._stream.read(size)
        self._ended = self._ended or not more
        self._buffer += more
        self.taken += len(more)
        return bool(more)

    def _drop(self) -> None:
        """Count the lines of what was read; forget it once that is worth copying the rest."""
        if self._at > self._counted:
            self.line += self._buffer.count("\n", self._counted, self._at)
            self._begins_line = self._buffer[self._at - 1] == "\n"
        if self._at >= FIRST_READ:
            self._buffer = self._buffer[self._at :]
            self._at = 0
        self._counted = self._at


def _shallow(value: Any, depth: int) -> bool:
    """Whether nothing is nested deeper. Written without recursion: the input may be hostile."""
    level = [value]
    for _step in range(depth):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return not any(isinstance(each, dict | list) for each in level)


def _problem(name: str, line: int, text: str, *, error: bool = True) -> Item:
    return _item_problem(f"{name}:{line}", "", text, error)


def _item_problem(where: str, pointer: str, text: str, error: bool = True) -> Item:
    return Item(where=where, pointer=pointer, problems=(Problem(where=where, pointer=pointer, text=text, error=error),))
