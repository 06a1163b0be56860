"""A sweep of a thousand metrics: how long it takes to write, read and end."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import large_sweep
from caviar.store import Store, Views, Writer
from caviar.store.finalize import finalize
from caviar_workers.tables import schema

METRICS, TRIALS, ROWS = 1000, 2, 999


def measure_wide(home: Path) -> dict[str, Any]:
    """Seconds of each part; prints them."""
    store = Store.open(home, create=True)
    sweep = store.create_sweep(large_sweep.plan(TRIALS), b"")
    epoch = sweep.claim()
    rng = np.random.default_rng(0)
    found: dict[str, float] = {}
    begun = time.perf_counter()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", large_sweep.configs(0, TRIALS, rng))
        for trial in range(TRIALS):
            curve = large_sweep.curves(trial, trial + 1, rng)
            writer.add("attempts", _attempt(curve))
            writer.add("curves", _curve(trial, rng))
    found["write"] = time.perf_counter() - begun
    with Views(store, [sweep]) as views:
        begun = time.perf_counter()
        views.execute("SELECT trial, last_m7 FROM trials").fetchall()
        found["trials, before the end"] = time.perf_counter() - begun
    begun = time.perf_counter()
    finalize(sweep, epoch)
    found["finalize"] = time.perf_counter() - begun
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.items())
    print(f"{TRIALS} trials of {ROWS} rows and {METRICS:,} metrics: {parts}", flush=True)
    return found


def _curve(trial: int, rng: np.random.Generator) -> pa.Table:
    fixed = {"trial": np.full(ROWS, trial), "attempt": np.zeros(ROWS), "_seq": np.arange(ROWS)}
    fixed |= {"_start": np.zeros(ROWS), "step": np.arange(ROWS), "time": np.arange(ROWS) * 250}
    columns = {field.name: pa.array(fixed[field.name].astype(np.int64)).cast(field.type) for field in schema("curves")}
    return pa.table(columns | {f"m{i}": rng.random(ROWS) for i in range(METRICS)})


def _attempt(curve: pa.RecordBatch) -> pa.Table:
    first = int(curve["trial"][0].as_py())
    own = large_sweep.attempts(first, first + 1, curve)
    table = pa.Table.from_batches([own]).select(schema("attempts").names)
    for i in range(METRICS):
        for form in ("last_", "min_", "max_"):
            table = table.append_column(f"{form}m{i}", pa.array([0.5]))
    return table
