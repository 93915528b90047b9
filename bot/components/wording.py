"""How a message is worded, as counts of runs of words and letters hashed to fixed places. Pure; Python 3.10.

A sentence vector knows what a message means and forgets how little it says: "ok cool", "nah", "which 1" and their
misspellings lie close together in it. Beside it these counts tell them apart.
"""

from __future__ import annotations

import zlib
from typing import Iterator, Sequence

import numpy as np

PLACES = 4096
WORD_RUNS, LETTER_RUNS = (1, 2, 3), (3, 4)
LONGEST_COUNTED = 8
"""Words; a longer message is just long."""


def count_runs(texts: Sequence[str]) -> np.ndarray:
    """One row of PLACES for each text in plain spelling, of length 1 (0 for a text without words); float32."""
    counts = np.zeros((len(texts), PLACES), dtype=np.float32)
    for row, text in zip(counts, texts, strict=True):
        for run in list_runs(text.lower().split()):
            row[zlib.crc32(run.encode("utf-8", "replace")) % PLACES] += 1
    return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-6)


def list_runs(words: Sequence[str]) -> Iterator[str]:
    """Runs of words, how the message begins and ends, how long it is, and the runs of letters within each word."""
    for size in WORD_RUNS:
        for start in range(len(words) - size + 1):
            yield "w" + " ".join(words[start : start + size])
    if words:
        yield "w^ " + " ".join(words[:2])
        yield "w" + " ".join(words[-2:]) + " $"
        yield f"n{min(len(words), LONGEST_COUNTED)}"
    for word in (f" {word} " for word in words):
        for size in LETTER_RUNS:
            for start in range(max(1, len(word) - size + 1)):
                yield "c" + word[start : start + size]
