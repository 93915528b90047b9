"""Whole conversations through a real Rasa, from the file that `rasa test core` reads too."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
import yaml

from tests.rasa_server import ROOT, FakeActions, RasaProcess

pytest_plugins = ["tests.rasa_fixtures"]
pytestmark = pytest.mark.rasa

STORIES = yaml.safe_load((ROOT / "tests" / "rasa" / "test_stories.yml").read_text(encoding="utf-8"))["stories"]
RESPONSES = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["responses"]


def texts_of(action: str) -> list[str]:
    """What is said when it runs: the fake action server answers with the name."""
    return [variant["text"] for variant in RESPONSES.get(action, [{"text": action}])]


def text_of(message: dict[str, Any]) -> str:
    return str(message["text"] if "text" in message else message["custom"]["reply"]["text"])


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["story"])
def test_a_story_goes_as_written(rasa: RasaProcess, fake_actions: FakeActions, story: dict[str, Any]) -> None:
    sender = f"story-{secrets.token_hex(6)}"
    for said, done in zip(story["steps"][::2], story["steps"][1::2], strict=True):
        body = rasa.say(said["user"].strip(), sender).json()
        assert body["intent"]["name"] == said["intent"], said
        [message] = body["messages"]
        assert text_of(message) in texts_of(done["action"])
