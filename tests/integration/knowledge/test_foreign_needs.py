"""Needs said in other languages, through the real multilingual model."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from knowledge.embedding.multilingual import LANGUAGES
from knowledge.errors import IndexMissing
from knowledge.foreign_needs import ForeignNeeds, prepare_foreign_needs
from knowledge.needs import load_needs
from knowledge.search import Search
from knowledge.settings import Settings

MESSAGES = yaml.safe_load((Path(__file__).parents[2] / "data" / "languages" / "messages.yml").read_text())
SPOKEN = [
    (code, item["text"], set(item["needs"])) for code in sorted(LANGUAGES & set(MESSAGES)) for item in MESSAGES[code]
]
OTHERS = [(code, items[0]["text"]) for code, items in MESSAGES.items() if code not in LANGUAGES]


@pytest.fixture(scope="module")
def foreign(published: Settings) -> ForeignNeeds:
    return ForeignNeeds.open(published, load_needs(published.content_dir / "needs.yml"))


def test_most_messages_are_read_and_what_is_named_first_is_nearly_always_right(foreign: ForeignNeeds) -> None:
    named = [(guesses[0].id, needs) for code, text, needs in SPOKEN if (guesses := foreign.guess(text, code))]
    right = sum(first in needs for first, needs in named)
    assert len(named) / len(SPOKEN) >= 0.7
    assert right / len(named) >= 0.9


@pytest.mark.parametrize(("code", "text"), [pytest.param(*each, id=each[0]) for each in OTHERS])
def test_a_language_the_model_does_not_know_is_never_guessed_at(foreign: ForeignNeeds, code: str, text: str) -> None:
    assert foreign.guess(text, code) == ()


def test_a_second_preparation_does_nothing(published: Settings) -> None:
    assert not prepare_foreign_needs(published, load_needs(published.content_dir / "needs.yml"))


def test_without_preparation_the_fix_is_named(tmp_path: Path, published: Settings) -> None:
    elsewhere = published.model_copy(update={"build_dir": tmp_path, "data_dir": tmp_path})
    with pytest.raises(IndexMissing, match="python -m knowledge index"):
        ForeignNeeds.open(elsewhere, load_needs(published.content_dir / "needs.yml"))


def test_what_was_read_finds_help_for_it(foreign: ForeignNeeds, real_search: Search) -> None:
    needs = foreign.guess("No puedo pagar el alquiler este mes y tengo miedo de que nos echen", "es")
    found = real_search.find(". ".join(need.label for need in needs), needs=tuple(need.id for need in needs))
    assert "rent_arrears" in found.matches[0].service.needs
