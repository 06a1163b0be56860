"""A trial gets the computing threads of its CPUs, no more: two trials with two BLAS threads each on two cores crawl."""

from __future__ import annotations

from threadpoolctl import threadpool_limits

_limited: dict[str, int] = {}


def limit_threads(cpus: float) -> None:
    """Limit BLAS and OpenMP pools to max(1, ⌊cpus⌋) threads, in this thread and process, from now on.

    Called when the user's modules are imported: a library loaded later obeys OMP_NUM_THREADS, which Ray sets.
    """
    threads = max(1, int(cpus))
    if _limited.get("threads") != threads:
        threadpool_limits(limits=threads)
        _limited["threads"] = threads
