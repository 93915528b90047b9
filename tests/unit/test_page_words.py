"""Nobody hears a no from a page either: every text of the web chat, the shared pages and the desk keeps the rules.

Texts are read out of templates as a browser would show them, words inside template expressions and scripts included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment

from channels.never_no import NeverNo
from channels.reserved_words import words_asked_for

CHANNELS = Path(__file__).parents[2] / "channels"
FOLDERS = ("templates", "webchat/templates", "desk/templates")
TEMPLATES = sorted(path for folder in FOLDERS for path in (CHANNELS / folder).glob("*.html"))
SCRIPTS = sorted(path for folder in ("static", "desk/static") for path in (CHANNELS / folder).glob("*.js"))
SHOWN = frozenset({"title", "alt", "placeholder", "label"})
"""Attributes that are read, beside aria-... and our own data-... ones."""
BREAKS = frozenset(
    {"p", "li", "h1", "h2", "h3", "div", "dd", "dt", "td", "th", "label", "button", "option", "summary", "legend"}
)
QUOTED = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'")
RULES = NeverNo.load()


class Reading(HTMLParser):
    """Collects what is shown, one text for each element that begins a new line."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BREAKS:
            self.texts.append("")
        for name, value in attrs:
            if value and (name in SHOWN or name.startswith(("aria-", "data-"))):
                self.texts += [value, ""]

    def handle_endtag(self, tag: str) -> None:
        if tag in BREAKS:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data


def texts_of(source: str) -> Iterator[str]:
    """What a template shows, without what is filled in; then every text inside its expressions."""
    tokens = list(Environment().lex(source))
    page = Reading()
    page.feed("".join(value for _, kind, value in tokens if kind == "data"))
    page.close()
    inside = [value[1:-1] for _, kind, value in tokens if kind == "string"]
    yield from (" ".join(text.split()) for text in (*page.texts, *inside) if " " in text.strip())


def strings_of(script: str) -> Iterator[str]:
    """Every text in a script that has a space in it: what has none is a name."""
    code = re.sub(r"/\*.*?\*/", "", script, flags=re.DOTALL)
    found = (match[1] or match[2] or "" for match in QUOTED.finditer(code))
    yield from (text for text in found if " " in text.strip() and re.search(r"[a-z]{3}", text))


def words_of_desk() -> Iterator[tuple[str, str]]:
    groups = yaml.safe_load((CHANNELS / "desk" / "words.yml").read_text(encoding="utf-8"))
    for group, texts in groups.items():
        yield from ((f"{group}.{key}", text) for key, text in texts.items())


def check(text: str) -> list[str]:
    return [*RULES.broken(text), *words_asked_for(text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_no_page_turns_anybody_away(path: Path) -> None:
    texts = list(texts_of(path.read_text(encoding="utf-8")))
    assert [(text, broken) for text in texts if (broken := check(text))] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_does(path: Path) -> None:
    texts = list(strings_of(path.read_text(encoding="utf-8")))
    assert [(text, broken) for text in texts if (broken := check(text))] == []


@pytest.mark.parametrize(("key", "text"), list(words_of_desk()), ids=lambda value: value if "." in value[:40] else "")
def test_no_word_of_the_desk_does(key: str, text: str) -> None:
    """A peer worker may read that somebody wrote STOP: that asks nobody for it."""
    assert RULES.broken(text) == (), key


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("<p>We can't help <b>you</b>.</p>", "We can't help you.", id="across elements"),
        pytest.param('<p aria-label="No results found">x</p>', "No results found", id="for a screen reader"),
        pytest.param("{{ 'You are not eligible.' if x }}", "You are not eligible.", id="inside an expression"),
        pytest.param('{% set words = {"a": "Please try again later."} %}', "Please try again later.", id="in a table"),
        pytest.param('<p data-words="We are unable to help."></p>', "We are unable to help.", id="for a script"),
    ],
)
def test_what_is_shown_is_read(source: str, text: str) -> None:
    assert text in list(texts_of(source))
    assert check(text)


def test_pages_are_there_to_be_read() -> None:
    assert len(TEMPLATES) > 50
    assert sum(len(list(texts_of(path.read_text(encoding="utf-8")))) for path in TEMPLATES) > 400
    assert sum(len(list(strings_of(path.read_text(encoding="utf-8")))) for path in SCRIPTS) > 20
