"""The rows of a large sweep, as they come in life: hundreds of leases run at once and their batches interleave."""

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from caviar_workers.tables import configs_schema, schema

REPORTS = 100
"""Rows of a trial."""
SLOTS = 400
"""Leases that run at the same time."""
LEASE = 20
"""Trials of a lease."""
BATCH = 700
"""Rows that a lease delivers at once: the end of a trial, six or seven whole ones, and the beginning of one."""
BLOCK = 8_000
"""Configurations that are written at once, before their trials start."""
BEGUN_MS = 1_700_000_000_000
METRICS = ("loss", "acc")
KINDS: dict[str, Any] = {"lr": "float", "units": "int", "optimizer": "text"}


def plan(trials: int) -> dict[str, Any]:
    """What sweep.json holds of it."""
    parameters = {
        "lr": {"type": "float", "kind": "float", "low": 1e-4, "high": 1.0, "scale": "log"},
        "units": {"type": "int", "kind": "int", "low": 50, "high": 100},
        "optimizer": {"type": "choice", "kind": "text", "options": ["sgd", "adam"]},
    }
    told = {"metric": "loss", "mode": "min", "rule": "last", "trials": trials, "seed": 0, "sampler": "sobol"}
    return {"plan": {"name": "large", "space": {"parameters": parameters}, **told}}


def arrivals(trials: int, seed: int = 0) -> Iterator[tuple[str, pa.Table | pa.RecordBatch]]:
    """Tables in the order in which a driver gets them: (name, rows)."""
    rng = np.random.default_rng(seed)
    order = random.Random(seed)
    starts = iter(range(0, trials, LEASE))
    configured = 0
    running: list[Iterator[tuple[str, Any]]] = []
    while True:
        while len(running) < SLOTS and (start := next(starts, None)) is not None:
            if start >= configured:
                yield "configs", configs(configured, min(trials, configured + BLOCK), rng)
                configured += BLOCK
            running.append(_lease(start, min(trials, start + LEASE), rng))
        if not running:
            return
        order.shuffle(running)
        for lease in list(running):
            if not (yield from _step(lease)):
                running.remove(lease)


def _step(lease: Iterator[tuple[str, Any]]) -> Iterator[Any]:
    """One batch of a lease, with the ends of trials; whether there is more."""
    for table, rows in lease:
        yield table, rows
        if table == "curves":
            return True
    return False


def _lease(first: int, end: int, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    whole = curves(first, end, rng)
    for begin in range(0, whole.num_rows, BATCH):
        yield "curves", whole.slice(begin, BATCH)
    yield "attempts", attempts(first, end, whole)


def curves(first: int, end: int, rng: np.random.Generator) -> pa.RecordBatch:
    """The curves of some trials: two metrics of float32 precision, and times with a tenth of noise."""
    count = end - first
    rows = count * REPORTS
    steps = np.tile(np.arange(REPORTS, dtype=np.int64), count)
    times = BEGUN_MS + first * 60 + np.cumsum(rng.integers(225, 275, rows))
    noise = rng.standard_normal((2, rows), np.float32)
    loss = (2.0 / (1 + steps) + np.repeat(rng.random(count), REPORTS) + 0.05 * noise[0]).astype(np.float32)
    acc = (1 - 0.5 / (1 + steps) + 0.01 * noise[1]).astype(np.float32)
    columns = [np.repeat(np.arange(first, end), REPORTS), *_zeros(rows), steps, times.view("M8[ms]"), loss, acc]
    columns.insert(2, steps.astype(np.int32))
    return pa.RecordBatch.from_arrays(
        [pa.array(values).cast(field.type) for values, field in zip(columns, _curves_schema(), strict=True)],
        schema=_curves_schema(),
    )


@cache
def _zeros(rows: int) -> tuple[Any, Any]:
    return np.zeros(rows, np.int16), np.zeros(rows, np.int64)


@cache
def _curves_schema() -> pa.Schema:
    return pa.schema([*schema("curves"), *((name, pa.float64()) for name in METRICS)])


@cache
def _attempts_schema() -> pa.Schema:
    forms = [(f"{form}{name}", pa.float64()) for name in METRICS for form in ("last_", "min_", "max_")]
    return pa.schema([*schema("attempts"), *forms])


def attempts(first: int, end: int, rows: pa.RecordBatch) -> pa.RecordBatch:
    """How these trials ended."""
    values = {name: rows[name].to_numpy().reshape(-1, REPORTS) for name in METRICS}
    times = rows["time"].cast(pa.int64()).to_numpy().reshape(-1, REPORTS)
    own: dict[str, Any] = {"trial": np.arange(first, end), "started": times[:, 0], "ended": times[:, -1]}
    for name, table in values.items():
        own |= {f"last_{name}": table[:, -1], f"min_{name}": table.min(axis=1), f"max_{name}": table.max(axis=1)}
    same = _same(end - first)
    arrays = [pa.array(own[f.name]).cast(f.type) if f.name in own else same[f.name] for f in _attempts_schema()]
    return pa.RecordBatch.from_arrays(arrays, schema=_attempts_schema())


@cache
def _same(count: int) -> dict[str, pa.Array]:
    row = {"attempt": 0, "state": "COMPLETED", "cause": "first", "busy": 25.0}
    row |= {"host": "node-1", "pid": 4242, "devices": "", "rows": REPORTS, "step": REPORTS - 1}
    row |= {"start": 0, "diverged": False}
    return {field.name: pa.array([row.get(field.name)] * count, field.type) for field in schema("attempts")}


def configs(first: int, end: int, rng: np.random.Generator) -> pa.Table:
    """The configurations of some trials."""
    count = end - first
    u = rng.random((count, len(KINDS)))
    columns = {
        "trial": np.arange(first, end),
        "seed": rng.integers(0, 2**32, count),
        "index": np.arange(first, end),
        "u": pa.FixedSizeListArray.from_arrays(u.ravel(), len(KINDS)).cast(pa.list_(pa.float64())),
        "lr": 10 ** (-4 * u[:, 0]),
        "units": (50 + 50 * u[:, 1]).astype(np.int64),
        "optimizer": pa.array(np.where(u[:, 2] < 0.5, "sgd", "adam")),
    }
    return pa.table(columns).cast(configs_schema(KINDS))
