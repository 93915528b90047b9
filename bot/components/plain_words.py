"""A message in plain spelling, as the intent classifier reads it, in training and after. Pure; Python 3.10.

Two tables, in this order: accents and spelling by ear, which only matter for what a message does in a conversation, and
the table that search uses too. "gonnae tlk 2 sum1" is read as "going to talk to someone".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Sequence, Tuple

from knowledge.spelling import Spelling

SPELLINGS = (
    Path(__file__).with_name("spelling.yml"),
    Path(__file__).resolve().parents[2] / "knowledge" / "data" / "sms_spelling.yml",
)


@dataclass(frozen=True)
class PlainWords:
    """The tables, one after the other."""

    tables: Tuple[Spelling, ...]

    @classmethod
    def load(cls, paths: Sequence[Path] = SPELLINGS) -> PlainWords:
        """Raises CatalogueFileError for a table that cannot be used."""
        return cls(tuple(Spelling.load(path) for path in paths))

    def plain(self, text: str) -> str:
        for table in self.tables:
            text = table.plain(text)
        return text
