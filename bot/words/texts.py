"""Gathers every text that a person can read from the data files they live in."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ENGLISH = "en"
EVERY = "*"


class WordsError(Exception):
    """A data file is not as bot/words/rules.yml says; the text names file and fix."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text. `id` is its file and place in it, without the language: the same text in Welsh has the same id."""

    id: str
    text: str
    kind: str
    language: str

    @property
    def key(self) -> str:
        """What a sign-off is recorded under."""
        return f"{self.id} [{self.language}]"

    @property
    def fields(self) -> frozenset[str]:
        """The names between curly brackets."""
        return frozenset(name for _, name, _, _ in string.Formatter().parse(self.text) if name)


def gather(root: Path, sources: list[dict[str, str]]) -> tuple[Text, ...]:
    """All texts in the order of the files. Raises WordsError."""
    return tuple(text for source in sources for text in _from(root, source))


def _from(root: Path, source: dict[str, str]) -> Iterator[Text]:
    language = source.get("language", ENGLISH)
    try:
        body = yaml.load((root / source["file"]).read_text(encoding="utf-8"), yaml.CSafeLoader)
        found = [*_walk(body, source["at"].split("/"))]
    except (OSError, yaml.YAMLError, KeyError) as problem:
        raise WordsError(f"{source['file']}: cannot be read at {source['at']} ({problem}).") from None
    file = source["file"].replace(f".{language}.yml", ".yml")
    for place, text in found:
        tail = place.replace("languages/en", "languages").replace(f"languages/{language}", "languages")
        if "translates" in source:
            tail = tail.removesuffix(language) + source["translates"]
        # In the words of the first contact, each text is in the language that its key says.
        own = place.split("/")[0] if language == "other" else language
        yield Text(id=f"{file}:{tail}", text=text, kind=source["kind"], language=own)


def _walk(value: Any, path: list[str], place: str = "") -> Iterator[tuple[str, str]]:
    """Texts at a path, with where they are; past its end everything inside counts. What only some have is no mistake.

    Raises KeyError when the file has no such part.
    """
    if isinstance(value, str) and not path:
        if value and not place.endswith("/read_by"):
            yield place, value
        return
    if path and path[0] != EVERY:
        if not place or path[0] in value:
            yield from _walk(value[path[0]], path[1:], _join(place, path[0]))
        return
    parts: Iterator[tuple[str, Any]] = iter(())
    if isinstance(value, dict):
        parts = ((str(key), inner) for key, inner in value.items())
    elif isinstance(value, list):
        parts = ((_name(inner, number), inner) for number, inner in enumerate(value))
    for key, inner in parts:
        yield from _walk(inner, path[1:], _join(place, key))


def _name(inner: Any, number: int) -> str:
    return str(inner.get("id") or inner.get("payload") or number) if isinstance(inner, dict) else str(number)


def _join(place: str, key: str) -> str:
    return f"{place}/{key}" if place else key
