"""An encoder for tests: texts with the same words get near vectors, without a model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from knowledge.embedding import DIMENSIONS, Vectors


class WordEncoder:
    """The sum of one fixed random direction per word, to unit length."""

    id = "words-of-tests"

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.array([self._row(text) for text in texts], np.float32).reshape(len(texts), DIMENSIONS)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)

    def _row(self, text: str) -> Vectors:
        row = np.zeros(DIMENSIONS, np.float32)
        for word in text.split() or ["."]:
            row += np.random.default_rng(zlib.crc32(word.encode())).standard_normal(DIMENSIONS).astype(np.float32)
        return row
