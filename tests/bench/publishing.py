"""`python -m tests.bench.publishing`: from an editor's click on "publish" to the new words in an answer.

A catalogue of real demo listings repeated with other names until there are N (10,000), in a scratch folder; the
vectors of the copies are the real ones with jitter. An edit of one text is published as the editor does it; a reader
like the action server's asks all the time and reloads.
Printed in milliseconds: each part, the whole (and its processor time, which a busy machine does not stretch), the same
for an index made anew from everything, and how long the reader's slowest answer took while it happened.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from knowledge.catalogue import Service
from knowledge.editing.live import open_editor_encoder
from knowledge.embedding import DIMENSIONS, Encoder, VectorCache, Vectors
from knowledge.embedding.vectors import text_hash
from knowledge.index import texts_of
from knowledge.publish import open_store, publish
from knowledge.search import Search
from knowledge.settings import Settings, read_settings

QUESTION = "cant pay my rent this month"


def fill(settings: Settings, count: int) -> None:
    """The demo's listings, repeated; each copy has its own name and summary."""
    store, _notes = open_store(settings)
    listed = store.published()
    copies = []
    for at in range(len(listed), count):
        real = listed[at % len(listed)]
        copies.append(
            replace(
                real,
                id=f"{real.id}-{at}"[:64],
                name=f"{real.name} {at}",
                summary=f"{real.summary} Room {at}.",
                assured_date=date(2026, 11, 1),
            )
        )
    store.seed(store.owners(), [*listed, *copies], store.seed_stamp() or "")
    store.close()
    keep_vectors(settings, listed, copies)


def keep_vectors(settings: Settings, listed: Sequence[Service], copies: Sequence[Service]) -> None:
    """Vectors of the copies, as if they had been encoded."""
    labels: dict[str, str] = {}
    real_texts = [text for service in listed for _field, text in texts_of(service, labels)]
    encoder, noise = open_editor_encoder(settings), np.random.default_rng(7)
    real = dict(zip(real_texts, encoder.encode(real_texts), strict=True))
    made: dict[str, Vectors] = {}
    for at, copy in enumerate(copies, start=len(listed)):
        originals = texts_of(listed[at % len(listed)], labels)
        for (_, text), (_, original) in zip(texts_of(copy, labels), originals, strict=True):
            vector = real[original] + noise.normal(0, 0.01, DIMENSIONS)
            made[text_hash(text)] = (vector / np.linalg.norm(vector)).astype(np.float32)
    cache = VectorCache.open(settings)
    cache.keep(encoder.id, made)
    cache.close()


class Reader:
    """Somebody who asks all the time, as the action server does."""

    def __init__(self, settings: Settings) -> None:
        self.search = Search.open(settings)
        self.took: list[float] = []
        self.failed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            began = time.perf_counter()
            self.failed += not self.search.find(QUESTION).matches
            self.took.append(time.perf_counter() - began)
            self._stop.wait(0.02)


def publish_edit(
    settings: Settings, encoder: Encoder, search: Search, at: int, *, force: bool = False
) -> tuple[float, float, float, float]:
    """One edit of one listing, to its being found. Seconds: the revision, the index, the reader's reload; processor."""
    store, _notes = open_store(settings)
    listing = store.published()[at]
    began, busy = time.perf_counter(), time.process_time()
    store.save(replace(listing, summary=f"Words of round {at}, never seen before."), by="bench")
    saved = time.perf_counter()
    publish(settings, encoder=encoder, force=force)
    built = time.perf_counter()
    search.refresh()
    live, busy = time.perf_counter(), time.process_time() - busy
    store.close()
    found = search.service(listing.id)
    assert found is not None
    assert "never seen before" in found.summary
    return saved - began, built - saved, live - built, busy


def measure(settings: Settings, rounds: int) -> dict[str, object]:
    """First alone, as in the product, where the reader is another process; then with a reader in this very process."""
    encoder, reader = open_editor_encoder(settings), Reader(settings)
    took = [publish_edit(settings, encoder, reader.search, at) for at in range(rounds)]
    whole = [publish_edit(settings, encoder, reader.search, rounds + at, force=True) for at in range(2)][-1]
    with reader:
        publish_edit(settings, encoder, reader.search, 2 * rounds)
    wholes = [sum(parts[:3]) for parts in took]
    names = ("save", "build", "load", "processor")
    ms = {
        name: round(statistics.median(each) * 1000) for name, each in zip(names, zip(*took, strict=True), strict=True)
    }
    return {
        "services": len(reader.search.index.services),
        **ms,
        "edit to live": round(statistics.median(wholes) * 1000),
        "worst": round(max(wholes) * 1000),
        "anew": round(sum(whole[:3]) * 1000),
        "anew, processor": round(whole[3] * 1000),
        "answers meanwhile": len(reader.took),
        "failed": reader.failed,
        "slowest answer": round(max(reader.took) * 1000),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nwd-publishing-") as folder:
        settings = read_settings(data_dir=Path(folder), demo=True, country="GB", build_dir=Path(folder) / "build")
        real = read_settings()
        settings = settings.model_copy(update={"build_dir": Path(folder) / "build"})
        (Path(folder) / "build").mkdir()
        (Path(folder) / "build" / "minilm").symlink_to(real.encoder_dir.resolve())
        fill(settings, parsed.services)
        began = time.perf_counter()
        publish(settings, encoder=open_editor_encoder(settings))
        first = round(time.perf_counter() - began)
        print(json.dumps({**measure(settings, parsed.rounds), "first build, s": first}, indent=1))


if __name__ == "__main__":
    main()
