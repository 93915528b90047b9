"""`make bench`: what a search costs as the catalogue grows, against numpy and a bare FAISS index in the same run.

The demo catalogue's own listings and vectors, the local ones repeated with jitter until there are enough (names repeat,
so a search by name is not measured). Each size is built in one process and measured in another, which only loads it.

    python -m tests.bench.searching [--services 1000 10000 100000]

`make bench` measures 1,000 and 10,000. 100,000 take some minutes; a million need about 25 GB of disk, 14 GB of memory
and about half an hour. Building uses every core, searching one. Beyond an exact index it also prints what
READ_PER_ROOT is chosen by.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

from knowledge.catalogue import Area
from knowledge.embedding import DIMENSIONS, VectorCache, encode_cached, open_encoder, open_publisher
from knowledge.index import Source, all_texts, build_index, load_index, write_index
from knowledge.places import Places
from knowledge.publish import open_store, read_heads, read_source
from knowledge.search import Search
from knowledge.settings import Settings, read_settings
from knowledge.spelling import Spelling
from knowledge.threads import use_one_thread

SIZES = (1_000, 10_000)
JITTER = 0.02
SEED = 7
MESSAGES = (
    "cant pay my rent this month and im so down",
    "is there a food bank near me",
    "my landlord wont fix the boiler",
    "looking for people to walk with",
    "how do i claim pip",
    "been drinking too much lately and my wife has had enough",
    "lost my job on friday",
    "i feel so alone since mum died",
)
ROUNDS = 5
NEAREST = 256
CELLS = (4, 8, 16, 32, 64, 128)
BATCH = 100_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.build:  # with every core: what is measured is the search
        use_every_core()
        print(json.dumps(build(read_settings(), parsed.services[0], parsed.build)))
        return 0
    use_one_thread()
    if parsed.measure:
        print(json.dumps(measure(read_settings(), parsed.measure)))
        return 0
    print_heading()
    for services in parsed.services:
        with tempfile.TemporaryDirectory(prefix="nwd-bench-") as folder:
            begun = ["--services", str(services), "--build", folder]
            print_row(services, run_child(begun), run_child(["--measure", folder]))
    return 0


def use_every_core() -> None:
    """Whatever the environment says of threads."""
    import faiss
    from threadpoolctl import threadpool_limits

    cores = len(os.sched_getaffinity(0))
    threadpool_limits(cores)
    faiss.omp_set_num_threads(cores)


def run_child(arguments: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.searching", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    read: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return read


def build(settings: Settings, services: int, folder: Path) -> dict[str, float]:
    """A snapshot of this many services; seconds for putting it together and for writing it."""
    publisher = open_publisher(settings)
    store, _notes = open_store(settings)
    source = read_source(settings, store, publisher.id)
    store.close()
    cache = VectorCache.open(settings)
    heads = read_heads(settings, source, lambda texts: encode_cached(publisher, cache, texts))
    vectors = encode_cached(publisher, cache, all_texts(source))
    cache.close()
    large, repeated = repeat(source, vectors, services, folder / "vectors.npy")
    began = time.monotonic()
    index = build_index(large, repeated, heads, version="bench", now=datetime.now(UTC))
    built = time.monotonic()
    write_index(index, folder)
    (folder / "vectors.npy").unlink()
    return {"build_s": built - began, "write_s": time.monotonic() - built, "peak_mb": peak_mb()}


def repeat(source: Source, vectors: np.ndarray, services: int, scratch: Path) -> tuple[Source, np.ndarray]:
    """The local listings again and again, each vector moved a little; national ones once, as in life.

    The vectors are mapped from a file: those of a million services are 8 GB.
    """
    known = {need.id for need in source.needs}
    sizes = [2 + sum(need in known for need in each.needs) + len(each.terms) for each in source.services]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    national = [at for at, each in enumerate(source.services) if each.area is Area.NATIONAL]
    local = [at for at, each in enumerate(source.services) if each.area is not Area.NATIONAL]
    chosen = (national + local * (services // len(local) + 1))[:services]
    listed = [replace(source.services[at], id=f"{source.services[at].id}-{time}") for time, at in enumerate(chosen)]
    rows = np.concatenate([np.arange(starts[at], starts[at + 1]) for at in chosen]).astype(np.int64)
    noise = np.random.default_rng(SEED)
    made = np.lib.format.open_memmap(scratch, "w+", np.float32, (len(rows), DIMENSIONS))
    for at in range(0, len(rows), BATCH):
        some = vectors[rows[at : at + BATCH]]
        some = some + JITTER * noise.standard_normal(some.shape, dtype=np.float32)
        made[at : at + BATCH] = some / np.linalg.norm(some, axis=1, keepdims=True)
    return replace(source, services=tuple(listed), keys=None), made


def measure(settings: Settings, folder: Path) -> dict[str, float]:
    """Milliseconds of one message, and what loading took."""
    before = peak_mb()
    began = time.monotonic()
    index = load_index(folder)
    loaded = time.monotonic() - began
    encoder = open_encoder(settings)
    spelling = Spelling.load(settings.content_dir / "sms_spelling.yml")
    search = Search(settings, index, encoder, spelling, Places({}, {}, {}))
    opened = time.monotonic() - began
    search.find(MESSAGES[0])
    found = {
        "load_s": loaded,
        "open_s": opened,
        "encode_ms": timed(lambda text: encoder.encode([text]))[0],
        **dict(zip(("total_ms", "total_p95_ms"), timed(search.find), strict=True)),
    }
    queries = {text: encoder.encode([text]) for text in MESSAGES}
    found["nearest_ms"], _ = timed(lambda text: index.vectors.search(queries[text], NEAREST))
    found["memory_mb"] = peak_mb() - before
    return {**found, **baselines(index.vectors, queries), "vectors": index.vectors.ntotal}


def baselines(stored: Any, queries: dict[str, np.ndarray]) -> dict[str, float]:
    """The nearest vectors by numpy and by a bare exact FAISS index, and how many of them ours brings."""
    import faiss

    bare = faiss.IndexFlatIP(DIMENSIONS)
    for at in range(0, stored.ntotal, BATCH):
        bare.add(stored.reconstruct_n(at, min(BATCH, stored.ntotal - at)))
    # The same memory for both: those of a million services are 8 GB.
    vectors = faiss.rev_swig_ptr(bare.get_xb(), bare.ntotal * DIMENSIONS).reshape(-1, DIMENSIONS)

    def by_numpy(text: str) -> object:
        similar = vectors @ queries[text][0]
        best = np.argpartition(-similar, NEAREST)[:NEAREST]
        return best[np.argsort(-similar[best])]

    exact = {text: set(bare.search(query, NEAREST)[1][0]) for text, query in queries.items()}
    print_cells(stored, queries, exact)
    return {
        "numpy_ms": timed(by_numpy)[0],
        "faiss_ms": timed(lambda text: bare.search(queries[text], NEAREST))[0],
        "share": share_found(stored, queries, exact),
    }


def share_found(stored: Any, queries: Mapping[str, np.ndarray], exact: Mapping[str, set[int]]) -> float:
    """Of the nearest vectors, those that the index brings; the mean over the messages."""
    return float(
        np.mean(
            [len(set(stored.search(query, NEAREST)[1][0]) & exact[text]) / NEAREST for text, query in queries.items()]
        )
    )


def print_cells(stored: Any, queries: Mapping[str, np.ndarray], exact: Mapping[str, set[int]]) -> None:
    """What READ_PER_ROOT is chosen by: time and share found for other numbers of cells. Nothing for an exact index."""
    chosen = getattr(stored, "nprobe", 0)
    for cells in CELLS if chosen else ():
        stored.nprobe = cells
        took = timed(lambda text: stored.search(queries[text], NEAREST))[0]
        found = share_found(stored, queries, exact)
        print(f"{cells:>6} of {stored.nlist} cells: {took:.2f} ms, {found:.3f} of the nearest found", file=sys.stderr)
    if chosen:
        stored.nprobe = chosen


def timed(run: Callable[[str], object]) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    taken = []
    for text in MESSAGES * ROUNDS:
        began = time.perf_counter()
        run(text)
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken), quantiles(taken, n=20)[-1]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def print_heading() -> None:
    print(
        "Search by size of catalogue (the demo catalogue repeated with jitter), one thread; ratios are of the same run"
    )
    print(
        f"{'services':>9}{'vectors':>10}{'encode':>8}{'total':>8}{'p95':>8}{'nearest':>9}{'numpy':>8}{'FAISS':>8}"
        f"{'ours/numpy':>12}{'ours/FAISS':>12}{'found':>7}{'load':>7}{'open':>7}{'memory':>9}{'build':>8}{'write':>8}"
    )


def print_row(services: int, built: dict[str, float], got: dict[str, float]) -> None:
    print(
        f"{services:>9}{got['vectors']:>10.0f}{got['encode_ms']:>6.1f}ms{got['total_ms']:>6.1f}ms"
        f"{got['total_p95_ms']:>6.1f}ms{got['nearest_ms']:>7.2f}ms{got['numpy_ms']:>6.1f}ms{got['faiss_ms']:>6.1f}ms"
        f"{got['nearest_ms'] / got['numpy_ms']:>12.2f}{got['nearest_ms'] / got['faiss_ms']:>12.2f}{got['share']:>7.3f}"
        f"{got['load_s']:>6.1f}s{got['open_s']:>6.1f}s{got['memory_mb']:>7.0f}MB{built['build_s']:>7.1f}s"
        f"{built['write_s']:>7.1f}s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
