"""What one asks of a large sweep, through the views and in process; and DuckDB on a plain Parquet file."""

import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from caviar.results.selector import select
from caviar.store import Store, SweepDir, Views

REPEATS = 5
CURVES = 1000
SCAN = "SELECT sum(loss), avg(acc) FROM {}"
IDEAL = "COMPRESSION zstd, PARQUET_VERSION v2"


def median_s(question: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median of some, after one that warms up."""
    question()
    return statistics.median(_seconds(question) for _ in range(repeats))


def _seconds(question: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    question()
    return time.perf_counter() - begun


def ask_all(store: Store, sweep: SweepDir, trials: int, *, budgets: bool = False) -> dict[str, float]:
    """Median seconds of each question; prints them."""
    rng = random.Random(0)
    count = min(CURVES, trials // 2)
    with Views(store, [sweep]) as views:

        def rows(where: str, *values: Any) -> Any:
            sql = f"SELECT trial, step, time, loss, acc FROM curves WHERE {where}"
            return views.execute(sql, values).fetchnumpy()

        first = trials // 2
        some = rng.sample(range(trials), count)
        questions = {
            "best 10": lambda: select(views, sweep.description(), k=10),
            "one curve": lambda: views.execute(
                "SELECT step, loss, acc FROM curves WHERE trial = ? ORDER BY step", [rng.randrange(trials)]
            ).fetchall(),
            f"{count} neighbouring curves": lambda: rows("trial BETWEEN ? AND ?", first, first + count - 1),
            f"{count} random curves": lambda: rows("trial IN (SELECT unnest(?))", some),
            "full scan": lambda: views.execute(SCAN.format("curves")).fetchall(),
        }
        repeats = REPEATS if budgets else 3
        found = {name: median_s(question, repeats) for name, question in questions.items()}
    limits = [0.3, 0.05, 0.3, found["full scan"], None] if budgets else [None] * len(found)
    for (name, seconds), limit in zip(found.items(), limits, strict=True):
        word = "" if limit is None else f"{'within' if seconds <= limit else 'MISSES'} the budget of ≤ {limit:.3g} s"
        print(f"  {name:<24} {seconds * 1000:9,.1f} ms   {word}".rstrip(), flush=True)
    return found


def compare_scans(store: Store, sweep: SweepDir, ideal: Path) -> dict[str, Any]:
    """A full scan by the views and by DuckDB on one file that it wrote itself, sorted; in turns."""
    source = f"read_parquet('{sweep.path}/curves/*.parquet', hive_partitioning = false)"
    with duckdb.connect() as connection, Views(store, [sweep]) as views:
        connection.execute("SET memory_limit = '2GB'")
        connection.execute("SET parquet_metadata_cache = true")
        connection.execute(f"COPY (SELECT * FROM {source}) TO '{ideal}' ({IDEAL})")
        size = ideal.stat().st_size / connection.execute(f"SELECT count(*) FROM '{ideal}'").fetchall()[0][0]
        theirs = SCAN.format(f"'{ideal}'")
        sides = [
            lambda: views.execute(SCAN.format("curves")).fetchall(),
            lambda: connection.execute(theirs).fetchall(),
        ]
        times = [[_seconds(side) for side in sides] for _ in range(REPEATS + 1)][1:]
    ideal.unlink()
    ours, plain = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(a / b for a, b in times)
    word = "within" if ratio <= 1.2 else "MISSES"
    print(f"full scan by the views {ours * 1000:,.0f} ms, of DuckDB's own file ({size:.1f} bytes a row)", end=" ")
    print(f"{plain * 1000:,.0f} ms: {ratio:.2f} ×   {word} the budget of ≤ 1.2")
    return {"views_s": ours, "ideal_s": plain, "ratio": ratio, "ideal_bytes_a_row": size}
