"""Nearest vectors: exact for a small catalogue, by cells for a large one, the same to whoever asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.nearest import build_nearest, load_nearest, write_nearest

COUNT, DIMENSIONS, WANTED = 4_000, 24, 10


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Unit vectors in clusters, as sentences are."""
    chance = np.random.default_rng(3)
    centres = chance.standard_normal((40, DIMENSIONS), dtype=np.float32)
    made = centres[chance.integers(40, size=COUNT)] + 0.4 * chance.standard_normal(
        (COUNT, DIMENSIONS), dtype=np.float32
    )
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("exact_up_to", "enough", "near"),
    [pytest.param(COUNT, 1.0, 1e-6, id="exact"), pytest.param(100, 0.9, 2e-3, id="cells, half precision")],
)
def test_what_is_written_is_found_again(
    vectors: np.ndarray, tmp_path: Path, exact_up_to: int, enough: float, near: float
) -> None:
    write_nearest(build_nearest(vectors, exact_up_to=exact_up_to), tmp_path / "vectors")
    loaded = load_nearest(tmp_path / "vectors")
    queries = vectors[::500]
    similar, ids = loaded.search(queries, WANTED)
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :WANTED]
    shares = [len(set(got) & set(wanted)) / WANTED for got, wanted in zip(ids, exact, strict=True)]
    assert np.mean(shares) >= enough
    assert np.abs(similar[:, 0] - 1).max() < near
    assert np.abs(loaded.reconstruct_batch(np.array([7, 3999])) - vectors[[7, 3999]]).max() < near


def test_a_file_that_is_no_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vectors").write_bytes(b"not an index at all")
    with pytest.raises(RuntimeError):
        load_nearest(tmp_path / "vectors")
