"""One thread for arithmetic in this process: a second one beside any other load costs a 30-fold tail."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def use_one_thread() -> None:
    """Hold BLAS, OpenMP and FAISS to one thread from now on. Called before the first search or build."""
    import faiss
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    threadpool_limits(1)
    faiss.omp_set_num_threads(1)


@contextmanager
def collector_paused() -> Iterator[None]:
    """No search for unreachable objects while a whole catalogue of them is made: with 10,000 services it took as long
    as loading the index itself. None of what is made holds a cycle.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
