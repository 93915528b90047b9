"""No text of ours asks anybody for a word that phone networks keep for themselves, wherever the text is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from channels.reserved_words import words_asked_for

ROOT = Path(__file__).parents[2]
SOURCES = (
    "channels/data/wording.yml",
    "channels/data/crisis_lines.yml",
    "channels/data/saved_replies.yml",
    "channels/data/saved_replies.cy.yml",
    "bot/actions/wording.yml",
    "domain.yml",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "knowledge" / "data").rglob("*.yml"))),
)


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a data file; keys are ours alone."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def texts_of(source: str) -> list[str]:
    held = yaml.safe_load((ROOT / source).read_text(encoding="utf-8"))
    return list(texts_in(held["responses"] if source == "domain.yml" else held))


@pytest.mark.parametrize("source", SOURCES)
def test_no_text_asks_for_a_word_that_networks_keep(source: str) -> None:
    texts = texts_of(source)
    assert texts
    assert not [(text, found) for text in texts if (found := words_asked_for(text))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Text STOP to end this.", ["STOP", "STOP"]),
        ("Reply yes to go on.", ["yes"]),
        ("You can write 'help' for more.", ["help"]),
        ("Say the word cancel.", ["cancel"]),
        ("If you need it, HELP is there.", ["HELP"]),
    ],
)
def test_asking_is_seen(text: str, words: list[str]) -> None:
    assert words_asked_for(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "Text MY INFO to see what we keep, or FORGET ME to erase it.",
        "They help people who want to stop smoking.",
        "You can text help lines at night.",
        "Text PERSON to talk to someone.",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert words_asked_for(text) == []
