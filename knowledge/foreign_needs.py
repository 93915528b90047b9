"""What somebody needs, when they write in a language other than English.

One recogniser, trained on the English phrasings through a model that puts sentences of 16 languages in one space.
It is used with restraint: only for the model's own languages, and only when it is sure. Otherwise nothing is guessed.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from knowledge.catalogue import Need
from knowledge.embedding import cache_folder
from knowledge.embedding.multilingual import LANGUAGES, Multilingual
from knowledge.errors import IndexMissing
from knowledge.need_head import NeedHead, train_head
from knowledge.needs import NeedGuess, needs_hash, training_texts
from knowledge.settings import Settings

SURE = 0.5
"""On 48 sentences in 11 languages written for the tests, 39 are named at this probability, 37 of them rightly."""
MOST_NEEDS = 2


class ForeignNeeds:
    """Open with `ForeignNeeds.open`, after `prepare_foreign_needs` made its file."""

    def __init__(self, model: Multilingual, head: NeedHead, needs: tuple[Need, ...]) -> None:
        self._model = model
        self._head = head
        self._needs = needs

    @classmethod
    def open(cls, settings: Settings, needs: tuple[Need, ...]) -> ForeignNeeds:
        """Load what set-up made. Raises IndexMissing when it is not there, ModelNotTrusted."""
        path = _path(settings, needs)
        try:
            head = NeedHead.load(path)
        except (OSError, ValueError, KeyError, BadZipFile):
            raise IndexMissing(f"{path} is missing or damaged. Run: python -m knowledge index") from None
        return cls(Multilingual.open(), head, needs)

    def guess(self, text: str, language: str) -> tuple[NeedGuess, ...]:
        """Up to two needs, likeliest first; none when the model is unsure or does not know the language (ISO 639-1)."""
        if language not in LANGUAGES:
            return ()
        chances = self._head.probabilities(self._model.encode([text]))[0]
        best = np.argsort(-chances, kind="stable")[:MOST_NEEDS]
        return tuple(
            NeedGuess(id=self._needs[at].id, label=self._needs[at].label, score=float(chances[at]))
            for at in best
            if chances[at] >= SURE
        )


def prepare_foreign_needs(settings: Settings, needs: tuple[Need, ...]) -> bool:
    """Train and keep the recogniser for these needs; False when it is there already. About 15 s on one core."""
    path = _path(settings, needs)
    if path.is_file():
        return False
    texts, owners = training_texts(needs)
    head = train_head(Multilingual.open().encode(texts), owners)
    begun = path.with_suffix(".begun.npz")
    head.save(begun)
    begun.replace(path)
    return True


def _path(settings: Settings, needs: tuple[Need, ...]) -> Path:
    return cache_folder(settings) / f"foreign-head-{needs_hash(needs)[:16]}-{Multilingual.id}.npz"
