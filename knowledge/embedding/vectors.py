"""Vectors already made, kept by (encoder, text): one edited service costs one sentence, not the whole catalogue."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from knowledge.embedding.encoder import DIMENSIONS, Encoder, Vectors
from knowledge.settings import Settings

BUSY_MS = 30_000
ASKED_TOGETHER = 500
"""Keys of one query: SQLite allows 999 in its oldest versions."""
TOGETHER = 512
"""Texts encoded before they are kept: a build that is stopped goes on from there."""


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def cache_folder(settings: Settings) -> Path:
    """Where things go that can be made again: the build folder, or the data folder when that is read-only."""
    with suppress(OSError):
        settings.build_dir.mkdir(parents=True, exist_ok=True)
    return settings.build_dir if os.access(settings.build_dir, os.W_OK) else settings.data_dir


class VectorCache:
    """A SQLite file that can be thrown away at any time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors"
            " (encoder TEXT, text_sha TEXT, vector BLOB NOT NULL, PRIMARY KEY (encoder, text_sha)) WITHOUT ROWID"
        )
        self._connection.commit()

    @classmethod
    def open(cls, settings: Settings) -> VectorCache:
        """In the build folder, so that a second data folder costs nothing; else in the data folder."""
        return cls(cache_folder(settings) / "vectors.sqlite")

    def close(self) -> None:
        self._connection.close()

    def find(self, encoder: str, hashes: Sequence[str], dimensions: int = DIMENSIONS) -> dict[str, Vectors]:
        found = {}
        for at in range(0, len(hashes), ASKED_TOGETHER):
            some = hashes[at : at + ASKED_TOGETHER]
            marks = ",".join("?" * len(some))
            query = f"SELECT text_sha, vector FROM vectors WHERE encoder = ? AND text_sha IN ({marks})"  # noqa: S608  # marks
            for sha, vector in self._connection.execute(query, (encoder, *some)):
                if len(vector) == dimensions * 4:
                    found[sha] = np.frombuffer(vector, dtype="<f4")
        return found

    def keep(self, encoder: str, vectors: dict[str, Vectors]) -> None:
        rows = [(encoder, sha, vector.astype("<f4").tobytes()) for sha, vector in vectors.items()]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)


def encode_cached(encoder: Encoder, cache: VectorCache, texts: Sequence[str], dimensions: int = DIMENSIONS) -> Vectors:
    """One row per text; only texts never seen by this encoder are encoded (and the model loaded)."""
    hashes = [text_hash(text) for text in texts]
    found = cache.find(encoder.id, list(dict.fromkeys(hashes)), dimensions)
    missing = {sha: text for sha, text in zip(hashes, texts, strict=True) if sha not in found}
    for some in _batches(list(missing.items())):
        made = encoder.encode([text for _sha, text in some])
        fresh = {sha: vector for (sha, _text), vector in zip(some, made, strict=True)}
        cache.keep(encoder.id, fresh)
        found.update(fresh)
    if not hashes:
        return np.zeros((0, dimensions), dtype=np.float32)
    return np.stack([found[sha] for sha in hashes]).astype(np.float32)


def _batches(items: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    for at in range(0, len(items), TOGETHER):
        yield items[at : at + TOGETHER]
