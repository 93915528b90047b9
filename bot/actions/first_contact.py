"""The first words in somebody's own language, loaded from first_contact.yml. Pure once loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

FIRST_CONTACT_FILE = Path(__file__).with_name("first_contact.yml")


@dataclass(frozen=True, kw_only=True)
class FirstContact:
    """What is said to somebody who writes in this language."""

    hello: str
    """Who this is, that a person reads it too, and that their language is fine."""
    again: str
    """To whoever has read that already."""
    found: str
    """The line before a list in English."""
    read_by: str = ""
    """The native speaker who read both. Empty means nobody yet."""


def load_first_contact(path: Path = FIRST_CONTACT_FILE) -> Mapping[str, FirstContact]:
    """By ISO 639-1 code. Raises OSError, yaml.YAMLError or TypeError: the process must not start without its words."""
    body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {code: FirstContact(**texts) for code, texts in body.items()}
