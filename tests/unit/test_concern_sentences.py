"""More sentences for the concern check, kept as data: tests/data/concern_sentences.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from channels.concern import find_concerns
from channels.conversation import Concern

SENTENCES: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "data" / "concern_sentences.yml").read_text())
RAISED = [(Concern(concern), text) for concern, texts in SENTENCES["raised"].items() for text in texts]


@pytest.mark.parametrize(("concern", "text"), RAISED, ids=[f"{concern}: {text[:60]}" for concern, text in RAISED])
def test_raises(concern: Concern, text: str) -> None:
    assert concern in {found.concern for found in find_concerns(text)}


@pytest.mark.parametrize("text", SENTENCES["calm"], ids=[text[:60] for text in SENTENCES["calm"]])
def test_stays_calm(text: str) -> None:
    assert find_concerns(text) == ()


@pytest.mark.parametrize(
    ("text", "concern"),
    [
        ("my daughter took an overdose yesterday", Concern.ATTEMPT),
        ("found my sons suicide note", Concern.SUICIDE),
        ("my mates talking about ending it", Concern.SUICIDE),
    ],
)
def test_what_is_about_somebody_else_is_not_taken_for_the_writers_own(text: str, concern: Concern) -> None:
    assert {found.concern for found in find_concerns(text)} == {Concern.SOMEONE_ELSE}
