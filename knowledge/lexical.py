"""A little BM25: the words themselves, for the rare term that vectors blur. Small weight on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PLACEHOLDER = "listing"
"""Indexed with every text, so that a catalogue of empty texts is still a catalogue."""


class Lexical:
    """Scores of every indexed text for a message, in the order they were given."""

    def __init__(self, model: Any, count: int) -> None:
        import Stemmer

        self._model = model
        self._count = count
        self._stemmer = Stemmer.Stemmer("english")

    @classmethod
    def build(cls, texts: Sequence[str]) -> Lexical:
        import bm25s

        made = cls(bm25s.BM25(), len(texts))
        made._model.index([[*tokens, PLACEHOLDER] for tokens in made._all_tokens(texts)], show_progress=False)
        return made

    @classmethod
    def load(cls, folder: Path, count: int) -> Lexical:
        import bm25s

        return cls(bm25s.BM25.load(str(folder), show_progress=False), count)

    def save(self, folder: Path) -> None:
        self._model.save(str(folder), show_progress=False)

    def scores(self, text: str) -> NDArray[np.float32]:
        known = [token for token in self._tokens(text) if token in self._model.vocab_dict and token != PLACEHOLDER]
        if not known:
            return np.zeros(self._count, dtype=np.float32)
        return np.asarray(self._model.get_scores(known), dtype=np.float32)

    def _tokens(self, text: str) -> list[str]:
        return self._all_tokens([text])[0]

    def _all_tokens(self, texts: Sequence[str]) -> list[list[str]]:
        """One call for all: a call costs more than a text."""
        import bm25s

        tokens: list[list[str]] = bm25s.tokenize(
            list(texts), stopwords="en", stemmer=self._stemmer, show_progress=False, return_ids=False
        )
        return tokens
