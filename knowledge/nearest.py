"""The vectors of a snapshot and their nearest neighbours: exact while that is quick, approximate beyond.

Measured (`make bench`): an exact search reads every vector, so its time grows with their number; beyond
`EXACT_UP_TO` cells of half-precision vectors are read instead, and what they bring is scored exactly as ever,
from the stored vectors. The type is in the file, so whoever loads it need not know.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT_UP_TO = 500_000
"""Vectors; about 100,000 services with a name, a text and three labels each."""
CELLS_PER_ROOT = 4
"""Number of cells: this many times the square root of the number of vectors (FAISS's own advice)."""
TRAINED_ON = 40
"""Vectors per cell that the cells are laid out from."""
LAID_OUT_TIMES = 5
"""Rounds in which the cells are laid out. 10, as FAISS has it, take a third longer and find 0.967 of the nearest in 32
cells where 5 find 0.968 (80,000 vectors). Looking for the cells of a vector through a graph (HNSW) is no quicker."""
READ_PER_ROOT = 1.35
"""Cells read for a message, times the root of their number: 0.96 of the nearest are found with 100,000 services and a
million alike (README). A fixed number would find less and less as cells grow more."""
SEED = 7

Vectors = NDArray[np.float32]


def build_nearest(vectors: Vectors, *, exact_up_to: int = EXACT_UP_TO) -> Any:
    """A FAISS index over unit vectors, by inner product; ids are the positions."""
    import faiss

    count, dimensions = vectors.shape
    if count <= exact_up_to:
        exact = faiss.IndexFlatIP(dimensions)
        exact.add(vectors)
        return exact
    cells = int(CELLS_PER_ROOT * np.sqrt(count))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimensions), dimensions, cells, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    sample = np.random.default_rng(SEED).choice(count, min(count, TRAINED_ON * cells), replace=False)
    index.cp.seed = SEED
    index.cp.niter = LAID_OUT_TIMES
    index.train(vectors[np.sort(sample)])
    index.add(vectors)
    return ready(index)


def is_exact(index: Any) -> bool:
    """Whether the vectors it gives back are those it was given."""
    import faiss

    return isinstance(index, faiss.IndexFlat)


def write_nearest(index: Any, path: Path) -> None:
    import faiss

    faiss.write_index(index, str(path))


def load_nearest(path: Path) -> Any:
    """Mapped into memory, not read: the system loads what is used. Raises RuntimeError when it is no index."""
    import faiss

    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    return ready(index)


def ready(index: Any) -> Any:
    """Cells are told how many to read, and keep where each vector is, so that it can be had back."""
    import faiss

    if isinstance(index, faiss.IndexIVF):
        index.nprobe = min(round(READ_PER_ROOT * index.nlist**0.5) + 1, index.nlist)
        index.make_direct_map()
    return index
