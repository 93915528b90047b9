"""The words of the form, read from `words.yml` in the composition root and passed on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

WORDS_FILE = Path(__file__).with_name("words.yml")


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """Something better not written, and what to do instead."""

    pattern: re.Pattern[str]
    instead: str
    never: bool


@dataclass(frozen=True, kw_only=True)
class Words:
    """How editors say things."""

    labels: Mapping[str, str]
    hints: Mapping[str, str]
    rows: Mapping[str, Mapping[str, str]]
    choices: Mapping[str, Mapping[str, str]]
    days: Mapping[str, str]
    languages: Mapping[str, str]
    phrases: tuple[Phrase, ...]
    reports: Mapping[str, str]


def load_words(path: Path = WORDS_FILE) -> Words:
    body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return Words(
        labels={name: field["label"] for name, field in body["fields"].items()},
        hints={name: field.get("hint", "") for name, field in body["fields"].items()},
        rows=body["rows"],
        choices=body["choices"],
        days=body["days"],
        languages=body["languages"],
        phrases=tuple(
            Phrase(
                pattern=re.compile(rf"\b(?:{each['find']})\b", re.IGNORECASE),
                instead=each["instead"],
                never=kind == "never",
            )
            for kind in ("never", "better")
            for each in body["phrases"][kind]
        ),
        reports=body["reports"],
    )
