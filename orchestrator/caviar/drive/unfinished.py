"""Resuming is an anti-join: the trials of the plan less those that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store import Views

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir


def unfinished(store: Store, sweep_dir: SweepDir) -> tuple[int, dict[int, int]]:
    """What is left of a sweep, from the store.

    Returns:
        How many trials have their row in the configs table (0 … n − 1), and of each of them that did not end, its
        next attempt.
    """
    with Views(store, [sweep_dir]) as views:
        # fetchall() of each query before the next: DuckDB streams results.
        written = views.execute("SELECT count(*) FROM configs").fetchall()[0][0]
        rows = views.execute(
            "SELECT c.trial, coalesce(max(a.attempt) + 1, 0) FROM configs c LEFT JOIN attempts a ON a.trial = c.trial "
            "GROUP BY c.trial HAVING count(*) FILTER (a.state IN ('COMPLETED', 'STOPPED', 'FAILED', 'CANCELLED')) = 0"
        ).fetchall()
    return written, dict(rows)
