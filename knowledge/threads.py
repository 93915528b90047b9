"""One thread for arithmetic in this process: a second one beside any other load costs a 30-fold tail."""

from __future__ import annotations


def use_one_thread() -> None:
    """Hold BLAS, OpenMP and FAISS to one thread from now on. Called before the first search or build."""
    import faiss
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    threadpool_limits(1)
    faiss.omp_set_num_threads(1)
