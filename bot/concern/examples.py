"""What the classifier learns from: made-up messages in `examples/*.yml`, by what they hold.

kinds: [suicide]       the kinds of concern in every text of the file; empty when nothing is wrong
texts: |               one text a line
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from channels.conversation import Concern

FOLDER = Path(__file__).parent / "examples"
HARD = "_hard"
"""How the name of a file of alarming words without risk ends."""
PICKED = "_picked"
"""How the name of a file ends whose texts were picked because they had been raised wrongly."""


class ExamplesError(Exception):
    """A file of examples cannot be used. The text names the file and what to change, never an example."""


@dataclass(frozen=True)
class Example:
    text: str
    kinds: frozenset[Concern]
    source: str
    """The name of its file."""

    @property
    def is_hard(self) -> bool:
        """Alarming words without risk: they are held to a looser budget."""
        return self.source.endswith(HARD)

    @property
    def is_picked(self) -> bool:
        """Learnt from, and not counted in how often calm ones are raised: they say nothing about that."""
        return self.source.endswith(PICKED)


def load_examples(folder: Path = FOLDER) -> tuple[Example, ...]:
    """Every example once. Raises ExamplesError, also when a text is in two files of different kinds."""
    found: dict[str, Example] = {}
    for path in sorted(folder.glob("*.yml")):
        kinds, texts = read_file(path)
        for text in texts:
            one = found.setdefault(text.casefold(), Example(text, kinds, path.stem))
            if one.kinds != kinds:
                raise ExamplesError(f"{path.name} and {one.source}.yml hold the same text with different kinds.")
    if not found:
        raise ExamplesError(f"There are no examples in {folder}.")
    return tuple(found.values())


def read_file(path: Path) -> tuple[frozenset[Concern], list[str]]:
    """The kinds and the texts of one file. Raises ExamplesError."""
    try:
        body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        kinds = frozenset(Concern(kind) for kind in body["kinds"])
        texts = [text.strip() for text in body["texts"].splitlines()]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExamplesError(
            f"{path.name}: needs 'kinds' (a list out of {', '.join(Concern)}) and 'texts' (one a line):"
            f" {type(error).__name__}."
        ) from None
    return kinds, [text for text in texts if text]


def hash_examples(examples: Sequence[Example]) -> str:
    """Changes whenever what is learnt from them could."""
    sha = hashlib.sha256()
    for one in examples:
        sha.update(f"{sorted(one.kinds)}\t{one.text}\n".encode())
    return sha.hexdigest()
